import type { Cpu } from '../cpu.js';
import { GP, NM, raiseFault, raiseStatic, UD } from '../fault.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load32, probeWrite, store32 } from '../mmu.js';
import { MODE_EM, MODE_OSFXSR, MODE_TS } from '../mode.js';
import { effectiveAddress } from '../operands.js';
import { Lanes } from '../sse-state.js';

/** Memory operand of the instruction being executed. */
export const M = /* @__PURE__ */ new Lanes();

function undefinedOpcode(): never {
  return raiseStatic(UD);
}

function deviceNotAvailable(): never {
  return raiseStatic(NM);
}

function lockedMmx(cpu: Cpu): never {
  cpu.fpu.enterMmx();
  return raiseStatic(UD);
}

/** What an instruction asks of CR0 and CR4 (SDM Vol. 3A table 13-1), as QEMU does. */
export const NEEDS_NOTHING = 0;
/** CR0.TS: #NM, then CR0.EM: #UD. */
export const NEEDS_MMX = 1;
/** Before those, #UD without CR4.OSFXSR. */
export const NEEDS_SSE = 2;

/**
 * The executor, or that of the exception found while translating. LOCK is illegal with a register and with memory, but QEMU looks at the control
 * registers first, and tags the x87 registers valid before an MMX instruction's #UD.
 */
export function guard(i: Insn, needs: number, exec: Exec, locked?: Exec): Exec {
  if (needs === NEEDS_SSE && (i.mode & MODE_OSFXSR) === 0) return undefinedOpcode;
  if (needs !== NEEDS_NOTHING) {
    if ((i.mode & MODE_TS) !== 0) return deviceNotAvailable;
    if ((i.mode & MODE_EM) !== 0) return undefinedOpcode;
  }
  if (i.lock) return locked ?? (needs === NEEDS_MMX ? lockedMmx : undefinedOpcode);
  return exec;
}

/** Loads 128 bits, in two halves as QEMU does. */
export function load128(cpu: Cpu, laddr: number, out: Lanes): void {
  const w = out.i32;
  const d = cpu.tlbRead[laddr >>> 12];
  if ((d & 0xfff) === 0 && (laddr & 0xfff) <= 0xff0) {
    const dv = cpu.dv;
    const at = (d + laddr) >>> 0;
    w[0] = dv.getInt32(at, true);
    w[1] = dv.getInt32(at + 4, true);
    w[2] = dv.getInt32(at + 8, true);
    w[3] = dv.getInt32(at + 12, true);
    return;
  }
  for (let k = 0; k < 4; k++) w[k] = load32(cpu, (laddr + 4 * k) | 0);
}

/** Loads 64 bits into the low half. */
export function load64(cpu: Cpu, laddr: number, out: Lanes): void {
  const lo = load32(cpu, laddr);
  out.i32[1] = load32(cpu, (laddr + 4) | 0);
  out.i32[0] = lo;
}

/** Stores 64 bits; nothing is written if any of them cannot be. */
export function store64(cpu: Cpu, laddr: number, lo: number, hi: number): void {
  if ((laddr & 0xfff) > 0xff8) probeWrite(cpu, laddr, 8);
  store32(cpu, laddr, lo);
  store32(cpu, (laddr + 4) | 0, hi);
}

/** Stores 128 bits as two halves: the first stays written if the second faults. */
export function store128(cpu: Cpu, laddr: number, from: Lanes): void {
  const w = from.i32;
  store64(cpu, laddr, w[0], w[1]);
  store64(cpu, (laddr + 8) | 0, w[2], w[3]);
}

/** Linear address of a 16-byte operand that must lie on a multiple of 16; #GP(0), before any page fault. */
export function alignedAddress(cpu: Cpu, i: Insn): number {
  const laddr = effectiveAddress(cpu, i);
  if ((laddr & 15) !== 0) raiseFault(GP);
  return laddr;
}

/** The XMM register in `reg`. */
export function regOf(cpu: Cpu, i: Insn): Lanes {
  return cpu.sse.regs[i.reg];
}

/** The XMM register in `rm`. */
export function rmOf(cpu: Cpu, i: Insn): Lanes {
  return cpu.sse.regs[i.rm];
}

/**
 * A 16-byte memory operand, on a multiple of 16 or anywhere. Processors want all but those of MOVUPS and its like aligned; QEMU 7.2 lets shuffles,
 * logic and conversions in floating point, and SSE3, off too.
 */
export const ALIGNED = 0;
export const ANYWHERE = 16;

/** xmm/m operand: the register, or memory in M. `bytes`: 4, 8, ANYWHERE or ALIGNED. Only what is loaded of M means anything. */
export type Source = (cpu: Cpu, i: Insn) => Lanes;

function alignedSource(cpu: Cpu, i: Insn): Lanes {
  load128(cpu, alignedAddress(cpu, i), M);
  return M;
}

function unalignedSource(cpu: Cpu, i: Insn): Lanes {
  load128(cpu, effectiveAddress(cpu, i), M);
  return M;
}

function source64(cpu: Cpu, i: Insn): Lanes {
  load64(cpu, effectiveAddress(cpu, i), M);
  return M;
}

function source32(cpu: Cpu, i: Insn): Lanes {
  M.i32[0] = load32(cpu, effectiveAddress(cpu, i));
  return M;
}

/** How the operand of a decoded instruction is found. */
export function sourceOf(i: Insn, bytes: number): Source {
  if (i.mod === 3) return rmOf;
  switch (bytes) {
    case ALIGNED:
      return alignedSource;
    case ANYWHERE:
      return unalignedSource;
    case 8:
      return source64;
    default:
      return source32;
  }
}

/** Makes the register in `reg` out of the xmm/m operand. */
export type XmmKernel = (cpu: Cpu, d: Lanes, s: Lanes, i: Insn) => void;

/** Row of an instruction xmm, xmm/m. */
export function xmmRow(
  name: string,
  prefix: Row['prefix'],
  opcode: number,
  kernel: XmmKernel,
  bytes: number = ALIGNED,
  more: Partial<Row> = {},
): Row {
  const exec = (i: Insn): Exec => {
    const source = sourceOf(i, bytes);
    return guard(i, NEEDS_SSE, (cpu, insn) => kernel(cpu, cpu.sse.regs[insn.reg], source(cpu, insn), insn));
  };
  return { name, map: '0f', opcode, prefix, modrm: true, size: 32, exec, test: 'sse', ...more };
}

/** Row whose executor is given; SSE unless `needs` says otherwise. */
export function plainRow(name: string, prefix: Row['prefix'], opcode: number, exec: Exec, more: Partial<Row> = {}, needs = NEEDS_SSE): Row {
  return { name, map: '0f', opcode, prefix, modrm: true, size: 32, exec: (i) => guard(i, needs, exec), test: 'sse', ...more };
}
