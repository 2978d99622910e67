import type { Cpu } from '../cpu.js';
import type { Fpu } from '../fpu.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load16, load32, store8, store32 } from '../mmu.js';
import { effectiveAddress } from '../operands.js';
import { EDI } from '../regs.js';
import { Lanes } from '../sse-state.js';
import { byteSigns, type PackedKernel, shiftCount, shuffleWords } from './packed.js';
import { PACKED, SHIFTS } from './packed-list.js';
import { guard, load64, NEEDS_MMX, NEEDS_NOTHING, store64 } from './sse-common.js';

/** Operands of the instruction being executed. */
const D = /* @__PURE__ */ new Lanes();
const S = /* @__PURE__ */ new Lanes();

/** Copies MMn, the significand of R(n), to the low half of `out`. */
export function readMm(fpu: Fpu, n: number, out: Lanes): void {
  out.u32[0] = fpu.mantLo[n];
  out.u32[1] = fpu.mantHi[n];
}

/** Writes MMn. Sign and exponent of R(n) stay as they are, where processors set all bits of them. */
export function writeMm(fpu: Fpu, n: number, from: Lanes): void {
  fpu.mantLo[n] = from.u32[0];
  fpu.mantHi[n] = from.u32[1];
}

/** mm/m64 operand into S. */
export function readMmSource(cpu: Cpu, i: Insn): void {
  if (i.mod === 3) readMm(cpu.fpu, i.rm, S);
  else load64(cpu, effectiveAddress(cpu, i), S);
}

/** The x87 registers become valid, TOP 0, before an operand is loaded: a page fault finds them so. */
function binaryRow(name: string, opcode: number, kernel: PackedKernel): Row {
  return mmxRow(name, opcode, (cpu, i) => {
    const fpu = cpu.fpu;
    fpu.enterMmx();
    readMmSource(cpu, i);
    readMm(fpu, i.reg, D);
    kernel(D, S, 8);
    writeMm(fpu, i.reg, D);
  });
}

function mmxRow(name: string, opcode: number, exec: Exec, more: Partial<Row> = {}): Row {
  return {
    name,
    map: '0f',
    opcode,
    prefix: 'none',
    modrm: true,
    size: 32,
    exec: (i) => guard(i, NEEDS_MMX, exec),
    test: 'mmx',
    ...more,
  };
}

function shiftRows(): Row[] {
  return SHIFTS.flatMap(([name, opcode, immediateOpcode, digit, kernel]) => {
    const byImmediate: Exec = (cpu, i) => {
      cpu.fpu.enterMmx();
      readMm(cpu.fpu, i.rm, D);
      kernel(D, i.imm, 8);
      writeMm(cpu.fpu, i.rm, D);
    };
    return [
      binaryRow(name, opcode, (d, s, n) => kernel(d, shiftCount(s), n)),
      mmxRow(name, immediateOpcode, byImmediate, { digit, form: 'reg', imm: 'b' }),
    ];
  });
}

function movdToMm(cpu: Cpu, i: Insn): void {
  const fpu = cpu.fpu;
  fpu.enterMmx();
  fpu.mantLo[i.reg] = i.mod === 3 ? cpu.r[i.rm] : load32(cpu, effectiveAddress(cpu, i));
  fpu.mantHi[i.reg] = 0;
}

function movdFromMm(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  const value = cpu.fpu.mantLo[i.reg] | 0;
  if (i.mod === 3) cpu.r[i.rm] = value;
  else store32(cpu, effectiveAddress(cpu, i), value);
}

/** QEMU takes LOCK MOVD m32, mm for an instruction and then stores nothing. */
function lockedMovdFromMm(i: Insn): Exec | undefined {
  return i.mod === 3 ? undefined : (cpu) => cpu.fpu.enterMmx();
}

function movqToMm(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  readMmSource(cpu, i);
  writeMm(cpu.fpu, i.reg, S);
}

function movqFromMm(cpu: Cpu, i: Insn): void {
  const fpu = cpu.fpu;
  fpu.enterMmx();
  readMm(fpu, i.reg, S);
  if (i.mod === 3) writeMm(fpu, i.rm, S);
  else store64(cpu, effectiveAddress(cpu, i), S.i32[0], S.i32[1]);
}

function pshufw(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  readMmSource(cpu, i);
  shuffleWords(S, S, 0, i.imm);
  writeMm(cpu.fpu, i.reg, S);
}

function pinsrw(cpu: Cpu, i: Insn): void {
  const fpu = cpu.fpu;
  fpu.enterMmx();
  const word = i.mod === 3 ? cpu.r[i.rm] : load16(cpu, effectiveAddress(cpu, i));
  readMm(fpu, i.reg, D);
  D.u16[i.imm & 3] = word;
  writeMm(fpu, i.reg, D);
}

function pextrw(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  readMm(cpu.fpu, i.rm, S);
  cpu.r[i.reg] = S.u16[i.imm & 3];
}

function pmovmskb(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  readMm(cpu.fpu, i.rm, S);
  cpu.r[i.reg] = byteSigns(S, 8);
}

/** Stores the bytes of `from` whose mask byte has its top bit set to DS:(E)DI, one by one: those before a fault stay written (MASKMOVQ, MASKMOVDQU). */
export function storeMasked(cpu: Cpu, i: Insn, from: Lanes, mask: Lanes, n: number): void {
  const laddr = (cpu.r[EDI] & i.mask) + cpu.r[i.segment];
  for (let k = 0; k < n; k++) if (mask.u8[k] >= 0x80) store8(cpu, (laddr + k) | 0, from.u8[k]);
}

function maskmovq(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  readMm(cpu.fpu, i.reg, D);
  readMm(cpu.fpu, i.rm, S);
  storeMasked(cpu, i, D, S, 8);
}

function emms(cpu: Cpu): void {
  cpu.fpu.leaveMmx();
}

const REGISTER: Partial<Row> = { form: 'reg' };

/** MMX and what SSE and SSE2 added to it on the same registers (SDM Vol. 1, chapter 9). */
export const mmxRows: readonly Row[] = [
  ...PACKED.map(([name, opcode, kernel]) => binaryRow(name, opcode, kernel)),
  ...shiftRows(),
  mmxRow('movd', 0x6e, movdToMm),
  mmxRow('movd', 0x7e, movdFromMm, { exec: (i) => guard(i, NEEDS_MMX, movdFromMm, lockedMovdFromMm(i)) }),
  mmxRow('movq', 0x6f, movqToMm),
  mmxRow('movq', 0x7f, movqFromMm),
  mmxRow('movntq', 0xe7, movqFromMm),
  mmxRow('pshufw', 0x70, pshufw, { imm: 'b' }),
  mmxRow('pinsrw', 0xc4, pinsrw, { imm: 'b' }),
  mmxRow('pextrw', 0xc5, pextrw, { imm: 'b', form: 'reg' }),
  mmxRow('pmovmskb', 0xd7, pmovmskb, REGISTER),
  mmxRow('maskmovq', 0xf7, maskmovq, REGISTER),
  // QEMU looks at neither CR0.EM nor TS here.
  mmxRow('emms', 0x77, emms, { prefix: undefined, modrm: false, exec: (i) => guard(i, NEEDS_NOTHING, emms) }),
];
