import type { Cpu } from '../cpu.js';
import { raiseStatic, UD } from '../fault.js';
import { CC_SUB, ccOp, getZF } from '../flags.js';
import { END_JUMP, type Exec, type Insn, type Row } from '../insn.js';
import { bulkAddress, mayBeBulk } from '../mmu.js';
import { MODE_BREAKPOINTS, MODE_CS32, MODE_INHIBIT, MODE_TF } from '../mode.js';
import { loadSized, readReg8, storeSized, writeReg, writeReg8, writeReg16 } from '../operands.js';
import { CC_DST, CC_OP, CC_SRC, EAX, ECX, EDI, EFLAGS, EIP, ES, ESI, FLAG_DF, FLAGS_ARITH, LEFT, SEG_BASE } from '../regs.js';

/**
 * String instructions. With a repeat prefix every iteration is an executed instruction of its own that leaves EIP where it was, and the pass that
 * finds (E)CX = 0 is one more; a comparison that ends the loop is the last one. One call does as many iterations as the slice (LEFT) has room
 * for; what is pending is looked at between calls, so it does only one when somebody could want to come in between: single-step, interrupt shadow,
 * armed breakpoints, code or devices touched.
 */
type Iteration = (cpu: Cpu, i: Insn) => void;

const ES_BASE = SEG_BASE + ES;

function sourceAddress(cpu: Cpu, i: Insn): number {
  return ((cpu.r[ESI] & i.mask) + cpu.r[i.segment]) | 0;
}

function destinationAddress(cpu: Cpu, i: Insn): number {
  return ((cpu.r[EDI] & i.mask) + cpu.r[ES_BASE]) | 0;
}

/** Bytes to advance by: negative with DF set. */
function stride(cpu: Cpu, i: Insn): number {
  return (cpu.r[EFLAGS] & FLAG_DF) !== 0 ? -(i.size >> 3) : i.size >> 3;
}

function advance(cpu: Cpu, i: Insn, n: number, by: number): void {
  writeReg(cpu, n, (cpu.r[n] + by) | 0, i.addressSize);
}

const movs: Iteration = (cpu, i) => {
  const value = loadSized(cpu, sourceAddress(cpu, i), i.size);
  storeSized(cpu, destinationAddress(cpu, i), value, i.size);
  const by = stride(cpu, i);
  advance(cpu, i, ESI, by);
  advance(cpu, i, EDI, by);
};

const stos: Iteration = (cpu, i) => {
  storeSized(cpu, destinationAddress(cpu, i), cpu.r[EAX], i.size);
  advance(cpu, i, EDI, stride(cpu, i));
};

const lods: Iteration = (cpu, i) => {
  const value = loadSized(cpu, sourceAddress(cpu, i), i.size);
  if (i.size === 8) writeReg8(cpu, EAX, value);
  else if (i.size === 16) writeReg16(cpu, EAX, value);
  else cpu.r[EAX] = value;
  advance(cpu, i, ESI, stride(cpu, i));
};

function compareFlags(cpu: Cpu, i: Insn, a: number, b: number): void {
  const r = cpu.r;
  r[CC_OP] = ccOp(CC_SUB, i.size);
  r[CC_DST] = (a - b) | 0;
  r[CC_SRC] = b;
}

/** The ES:EDI operand is read first, as QEMU; LOCK is noticed behind that, by CMPS and SCAS only. */
const cmps: Iteration = (cpu, i) => {
  const b = loadSized(cpu, destinationAddress(cpu, i), i.size);
  if (i.lock) raiseStatic(UD);
  const a = loadSized(cpu, sourceAddress(cpu, i), i.size);
  compareFlags(cpu, i, a, b);
  const by = stride(cpu, i);
  advance(cpu, i, ESI, by);
  advance(cpu, i, EDI, by);
};

const scas: Iteration = (cpu, i) => {
  const b = loadSized(cpu, destinationAddress(cpu, i), i.size);
  if (i.lock) raiseStatic(UD);
  compareFlags(cpu, i, i.size === 8 ? readReg8(cpu, EAX) : cpu.r[EAX], b);
  advance(cpu, i, EDI, stride(cpu, i));
};

/** Behind the instruction; a repeated one ends its block, so EIP is cut to the code segment's size. */
function leaveLoop(cpu: Cpu, i: Insn): void {
  if ((i.mode & MODE_CS32) === 0) cpu.r[EIP] &= 0xffff;
}

/** Back to the instruction. */
export function stayOnInsn(cpu: Cpu, i: Insn): void {
  cpu.r[EIP] = (i.mode & MODE_CS32) === 0 ? cpu.insnEip & 0xffff : cpu.insnEip;
}

/** Nobody can come in between two iterations. */
function mayRunOn(cpu: Cpu): boolean {
  return cpu.r[LEFT] > 0 && !cpu.breakBlock && (cpu.mode & (MODE_TF | MODE_INHIBIT | MODE_BREAKPOINTS)) === 0;
}

/** REP: iterations until (E)CX = 0 or the slice ends. `bulk` does several at once where it can and says how many. */
function repeat(cpu: Cpu, i: Insn, iteration: Iteration, bulk: (cpu: Cpu, i: Insn, limit: number) => number): void {
  const r = cpu.r;
  for (;;) {
    const count = i.mask === -1 ? r[ECX] >>> 0 : r[ECX] & 0xffff;
    if (count === 0) {
      leaveLoop(cpu, i);
      return;
    }
    // This pass is paid for; each further one costs one of LEFT.
    const done = mayRunOn(cpu) ? bulk(cpu, i, Math.min(count, r[LEFT] + 1)) : 0;
    if (done === 0) iteration(cpu, i);
    else r[LEFT] -= done - 1;
    advance(cpu, i, ECX, done === 0 ? -1 : -done);
    if (!mayRunOn(cpu)) break;
    r[LEFT]--;
  }
  stayOnInsn(cpu, i);
}

/** No shortcut. */
function oneByOne(): number {
  return 0;
}

/** Fewer elements than this are not worth the checks. */
const BULK_MINIMUM = 4;

/** Elements from offset `offset` of a register on that lie in the page of `laddr` and do not wrap the address size. */
function elementsAhead(i: Insn, offset: number, laddr: number): number {
  const bytes = Math.min(0x1000 - (laddr & 0xfff), i.mask === -1 ? 0x1000 : 0x10000 - (offset & 0xffff));
  return i.size === 32 ? bytes >> 2 : i.size === 16 ? bytes >> 1 : bytes;
}

/** STOS upwards inside one page of plain memory. */
function bulkStos(cpu: Cpu, i: Insn, limit: number): number {
  const r = cpu.r;
  if (limit < BULK_MINIMUM || (r[EFLAGS] & FLAG_DF) !== 0) return 0;
  const laddr = destinationAddress(cpu, i);
  const delta = cpu.tlbWrite[laddr >>> 12];
  if (!mayBeBulk(delta)) return 0;
  const n = Math.min(limit, elementsAhead(i, r[EDI], laddr));
  if (n < BULK_MINIMUM) return 0;
  const bytes = (n * i.size) >> 3;
  const at = bulkAddress(cpu, delta, laddr, bytes, true);
  if (at < 0) return 0;
  const value = r[EAX];
  if (i.size === 8 || (value & 0xffff) === value >>> 16) {
    const low = value & 0xff;
    if (i.size === 8 || low === ((value >> 8) & 0xff)) {
      cpu.memory.u8.fill(low, at, at + bytes);
      advance(cpu, i, EDI, bytes);
      return n;
    }
  }
  const dv = cpu.dv;
  if (i.size === 32) for (let k = at; k < at + bytes; k += 4) dv.setInt32(k, value, true);
  else for (let k = at; k < at + bytes; k += 2) dv.setUint16(k, value & 0xffff, true);
  advance(cpu, i, EDI, bytes);
  return n;
}

/** MOVS upwards inside one source and one destination page of plain memory. */
function bulkMovs(cpu: Cpu, i: Insn, limit: number): number {
  const r = cpu.r;
  if (limit < BULK_MINIMUM || (r[EFLAGS] & FLAG_DF) !== 0) return 0;
  const source = sourceAddress(cpu, i);
  const destination = destinationAddress(cpu, i);
  const sourceDelta = cpu.tlbRead[source >>> 12];
  const destinationDelta = cpu.tlbWrite[destination >>> 12];
  if (!mayBeBulk(sourceDelta | destinationDelta)) return 0;
  const n = Math.min(limit, elementsAhead(i, r[ESI], source), elementsAhead(i, r[EDI], destination));
  if (n < BULK_MINIMUM) return 0;
  const bytes = (n * i.size) >> 3;
  const from = bulkAddress(cpu, sourceDelta, source, bytes, false);
  const to = from < 0 ? -1 : bulkAddress(cpu, destinationDelta, destination, bytes, true);
  if (to < 0) return 0;
  // A destination that begins inside the source repeats it, element by element.
  if (to > from && to < from + bytes) copyOverlapping(cpu, i.size, from, to, bytes);
  else cpu.memory.u8.copyWithin(to, from, from + bytes);
  advance(cpu, i, ESI, bytes);
  advance(cpu, i, EDI, bytes);
  return n;
}

function copyOverlapping(cpu: Cpu, sizeBits: number, from: number, to: number, bytes: number): void {
  const dv = cpu.dv;
  if (sizeBits === 32) for (let k = 0; k < bytes; k += 4) dv.setInt32(to + k, dv.getInt32(from + k, true), true);
  else if (sizeBits === 16) for (let k = 0; k < bytes; k += 2) dv.setUint16(to + k, dv.getUint16(from + k, true), true);
  else for (let k = 0; k < bytes; k++) dv.setUint8(to + k, dv.getUint8(from + k));
}

/** REPE, REPNE: ends with the iteration whose ZF is not the prefix's. */
function repeatWhile(cpu: Cpu, i: Insn, iteration: Iteration): void {
  const r = cpu.r;
  const wanted = i.rep === 0xf3;
  for (;;) {
    if ((r[ECX] & i.mask) === 0) {
      leaveLoop(cpu, i);
      return;
    }
    iteration(cpu, i);
    advance(cpu, i, ECX, -1);
    if (getZF(cpu) !== wanted) {
      leaveLoop(cpu, i);
      return;
    }
    if (!mayRunOn(cpu)) break;
    r[LEFT]--;
  }
  stayOnInsn(cpu, i);
}

const repMovs: Exec = (cpu, i) => repeat(cpu, i, movs, bulkMovs);
const repStos: Exec = (cpu, i) => repeat(cpu, i, stos, bulkStos);
const repLods: Exec = (cpu, i) => repeat(cpu, i, lods, oneByOne);
const repCmps: Exec = (cpu, i) => repeatWhile(cpu, i, cmps);
const repScas: Exec = (cpu, i) => repeatWhile(cpu, i, scas);

/** Either repeat prefix repeats (QEMU; the SDM knows REP for these only); a repeated instruction ends its block. */
function choose(once: Exec, repeated: Exec): (i: Insn) => Exec {
  return (i) => {
    if (i.rep === 0) return once;
    i.end = END_JUMP;
    return repeated;
  };
}

/** MOVS STOS LODS CMPS SCAS (SDM Vol. 2). */
export const stringRows: readonly Row[] = [
  { name: 'movs', opcode: 0xa4, exec: choose(movs, repMovs) },
  // Repeated with (E)CX = 0 the comparisons leave all flags: so they count as read.
  { name: 'cmps', opcode: 0xa6, reads: FLAGS_ARITH, writes: FLAGS_ARITH, exec: choose(cmps, repCmps) },
  { name: 'stos', opcode: 0xaa, exec: choose(stos, repStos) },
  { name: 'lods', opcode: 0xac, exec: choose(lods, repLods) },
  { name: 'scas', opcode: 0xae, reads: FLAGS_ARITH, writes: FLAGS_ARITH, exec: choose(scas, repScas) },
].flatMap((row): Row[] => [
  { map: '1', modrm: false, size: 8, test: 'string', ...row },
  { map: '1', modrm: false, size: 'v', test: 'string', ...row, opcode: row.opcode + 1 },
]);
