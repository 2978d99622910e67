import type { Cpu } from '../cpu.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load32, store32 } from '../mmu.js';
import { effectiveAddress } from '../operands.js';
import { Lanes } from '../sse-state.js';
import { readMm, writeMm } from './mmx.js';
import { type PackedKernel, punpckhdq, punpckhqdq, punpckldq, punpcklqdq } from './packed.js';
import { pand, pandn, por, pxor } from './packed-lanes.js';
import {
  ANYWHERE,
  alignedAddress,
  guard,
  load64,
  M,
  NEEDS_NOTHING,
  NEEDS_SSE,
  plainRow,
  regOf,
  rmOf,
  store64,
  store128,
  type XmmKernel,
  xmmRow,
} from './sse-common.js';

type Prefix = Row['prefix'];

const S = /* @__PURE__ */ new Lanes();
const MEMORY: Partial<Row> = { form: 'mem' };
const REGISTER: Partial<Row> = { form: 'reg' };

function move(_cpu: Cpu, d: Lanes, s: Lanes): void {
  d.copy(s);
}

/** MOVAPS and its like from a register: to a register, or to memory on a multiple of 16. */
function storeAligned(cpu: Cpu, i: Insn): void {
  if (i.mod === 3) rmOf(cpu, i).copy(regOf(cpu, i));
  else store128(cpu, alignedAddress(cpu, i), regOf(cpu, i));
}

function storeUnaligned(cpu: Cpu, i: Insn): void {
  if (i.mod === 3) rmOf(cpu, i).copy(regOf(cpu, i));
  else store128(cpu, effectiveAddress(cpu, i), regOf(cpu, i));
}

/** Low 64 bits of s to d, the rest of d 0. */
function moveQuad(_cpu: Cpu, d: Lanes, s: Lanes): void {
  d.i32[0] = s.i32[0];
  d.i32[1] = s.i32[1];
  d.i32[2] = 0;
  d.i32[3] = 0;
}

function setLow(d: Lanes, s: Lanes): void {
  d.i32[0] = s.i32[0];
  d.i32[1] = s.i32[1];
}

function movssLoad(_cpu: Cpu, d: Lanes, s: Lanes): void {
  d.i32[0] = s.i32[0];
  d.i32[1] = 0;
  d.i32[2] = 0;
  d.i32[3] = 0;
}

function movssStore(cpu: Cpu, i: Insn): void {
  const value = regOf(cpu, i).i32[0];
  if (i.mod === 3) rmOf(cpu, i).i32[0] = value;
  else store32(cpu, effectiveAddress(cpu, i), value);
}

function storeLow(cpu: Cpu, i: Insn): void {
  const s = regOf(cpu, i);
  if (i.mod === 3) setLow(rmOf(cpu, i), s);
  else store64(cpu, effectiveAddress(cpu, i), s.i32[0], s.i32[1]);
}

function storeHigh(cpu: Cpu, i: Insn): void {
  const s = regOf(cpu, i);
  store64(cpu, effectiveAddress(cpu, i), s.i32[2], s.i32[3]);
}

function loadHigh(cpu: Cpu, i: Insn): void {
  load64(cpu, effectiveAddress(cpu, i), M);
  const d = regOf(cpu, i);
  d.i32[2] = M.i32[0];
  d.i32[3] = M.i32[1];
}

function movhlps(_cpu: Cpu, d: Lanes, s: Lanes): void {
  d.i32[0] = s.i32[2];
  d.i32[1] = s.i32[3];
}

function movlhps(_cpu: Cpu, d: Lanes, s: Lanes): void {
  const hi = s.i32[1];
  d.i32[2] = s.i32[0];
  d.i32[3] = hi;
}

function movhpdRegister(_cpu: Cpu, d: Lanes, s: Lanes): void {
  d.i32[2] = s.i32[2];
  d.i32[3] = s.i32[3];
}

/** MOVSLDUP (first = 0), MOVSHDUP (first = 1). */
function duplicateSingles(first: number): XmmKernel {
  return (_cpu, d, s) => {
    const w0 = s.i32[first];
    const w2 = s.i32[2 + first];
    d.i32[0] = w0;
    d.i32[1] = w0;
    d.i32[2] = w2;
    d.i32[3] = w2;
  };
}

function movddup(_cpu: Cpu, d: Lanes, s: Lanes): void {
  const lo = s.i32[0];
  const hi = s.i32[1];
  d.i32[0] = lo;
  d.i32[1] = hi;
  d.i32[2] = lo;
  d.i32[3] = hi;
}

function movmskps(cpu: Cpu, i: Insn): void {
  const w = rmOf(cpu, i).i32;
  cpu.r[i.reg] = (w[0] >>> 31) | ((w[1] >>> 31) << 1) | ((w[2] >>> 31) << 2) | ((w[3] >>> 31) << 3);
}

function movmskpd(cpu: Cpu, i: Insn): void {
  const w = rmOf(cpu, i).i32;
  cpu.r[i.reg] = (w[1] >>> 31) | ((w[3] >>> 31) << 1);
}

function movdToXmm(cpu: Cpu, i: Insn): void {
  const value = i.mod === 3 ? cpu.r[i.rm] : load32(cpu, effectiveAddress(cpu, i));
  const d = regOf(cpu, i);
  d.i32[0] = value;
  d.i32[1] = 0;
  d.i32[2] = 0;
  d.i32[3] = 0;
}

function movdFromXmm(cpu: Cpu, i: Insn): void {
  const value = regOf(cpu, i).i32[0];
  if (i.mod === 3) cpu.r[i.rm] = value;
  else store32(cpu, effectiveAddress(cpu, i), value);
}

function nothing(): void {}

/** QEMU takes LOCK MOVD m32, xmm for an instruction and then stores nothing. */
function guardMovdFromXmm(i: Insn): Exec {
  return guard(i, NEEDS_SSE, movdFromXmm, i.mod === 3 ? undefined : nothing);
}

/** MOVQ xmm/m64, xmm. */
function movqStore(cpu: Cpu, i: Insn): void {
  if (i.mod === 3) moveQuad(cpu, rmOf(cpu, i), regOf(cpu, i));
  else storeLow(cpu, i);
}

function movq2dq(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  readMm(cpu.fpu, i.rm, S);
  moveQuad(cpu, regOf(cpu, i), S);
}

/** QEMU clears sign and exponent of the x87 register, as no other instruction does. */
function movdq2q(cpu: Cpu, i: Insn): void {
  cpu.fpu.enterMmx();
  cpu.fpu.signExp[i.reg] = 0;
  writeMm(cpu.fpu, i.reg, rmOf(cpu, i));
}

/** The same move for singles and doubles. */
function pair(ps: string, pd: string, row: (name: string, prefix: Prefix) => Row): Row[] {
  return [row(ps, 'none'), row(pd, '66')];
}

/** Instructions on bits, whatever they mean. */
function bitwise(name: string, opcode: number, kernel: PackedKernel): Row[] {
  return pair(`${name}ps`, `${name}pd`, (n, prefix) => xmmRow(n, prefix, opcode, (_cpu, d, s) => kernel(d, s, 16), ANYWHERE));
}

/** Moves, bitwise logic and unpacking. */
export const sseMoveRows: readonly Row[] = [
  ...pair('movups', 'movupd', (name, prefix) => xmmRow(name, prefix, 0x10, move, ANYWHERE)),
  ...pair('movups', 'movupd', (name, prefix) => plainRow(name, prefix, 0x11, storeUnaligned)),
  ...pair('movaps', 'movapd', (name, prefix) => xmmRow(name, prefix, 0x28, move)),
  ...pair('movaps', 'movapd', (name, prefix) => plainRow(name, prefix, 0x29, storeAligned)),
  ...pair('movntps', 'movntpd', (name, prefix) => plainRow(name, prefix, 0x2b, storeAligned, MEMORY)),
  xmmRow('movdqa', '66', 0x6f, move),
  xmmRow('movdqu', 'f3', 0x6f, move, ANYWHERE),
  plainRow('movdqa', '66', 0x7f, storeAligned),
  plainRow('movdqu', 'f3', 0x7f, storeUnaligned),
  // Undefined with a register on processors; QEMU moves.
  plainRow('movntdq', '66', 0xe7, storeAligned),
  xmmRow('lddqu', 'f2', 0xf0, move, ANYWHERE, MEMORY),

  xmmRow('movss', 'f3', 0x10, movssLoad, 4, MEMORY),
  plainRow('movss', 'f3', 0x10, (cpu, i) => movssRegister(regOf(cpu, i), rmOf(cpu, i)), REGISTER),
  plainRow('movss', 'f3', 0x11, movssStore),
  xmmRow('movsd', 'f2', 0x10, moveQuad, 8, MEMORY),
  plainRow('movsd', 'f2', 0x10, (cpu, i) => setLow(regOf(cpu, i), rmOf(cpu, i)), REGISTER),
  plainRow('movsd', 'f2', 0x11, storeLow),

  ...pair('movlps', 'movlpd', (name, prefix) => xmmRow(name, prefix, 0x12, (_cpu, d, s) => setLow(d, s), 8, MEMORY)),
  ...pair('movlps', 'movlpd', (name, prefix) => plainRow(name, prefix, 0x13, storeLow, MEMORY)),
  ...pair('movhps', 'movhpd', (name, prefix) => plainRow(name, prefix, 0x16, loadHigh, MEMORY)),
  ...pair('movhps', 'movhpd', (name, prefix) => plainRow(name, prefix, 0x17, storeHigh, MEMORY)),
  xmmRow('movhlps', 'none', 0x12, movhlps, ANYWHERE, REGISTER),
  xmmRow('movlhps', 'none', 0x16, movlhps, ANYWHERE, REGISTER),
  // Undefined on processors. QEMU moves the low half of the register in rm to itself, and between high halves.
  plainRow('movlpd', '66', 0x12, nothing, REGISTER),
  xmmRow('movhpd', '66', 0x16, movhpdRegister, ANYWHERE, REGISTER),
  xmmRow('movsldup', 'f3', 0x12, duplicateSingles(0), ANYWHERE),
  xmmRow('movshdup', 'f3', 0x16, duplicateSingles(1), ANYWHERE),
  xmmRow('movddup', 'f2', 0x12, movddup, 8),

  plainRow('movd', '66', 0x6e, movdToXmm),
  plainRow('movd', '66', 0x7e, movdFromXmm, { exec: guardMovdFromXmm }),
  xmmRow('movq', 'f3', 0x7e, moveQuad, 8),
  plainRow('movq', '66', 0xd6, movqStore),
  // QEMU asks nothing of CR0 and CR4 here.
  plainRow('movq2dq', 'f3', 0xd6, movq2dq, REGISTER, NEEDS_NOTHING),
  plainRow('movdq2q', 'f2', 0xd6, movdq2q, REGISTER, NEEDS_NOTHING),
  plainRow('movmskps', 'none', 0x50, movmskps, REGISTER),
  plainRow('movmskpd', '66', 0x50, movmskpd, REGISTER),

  xmmRow('unpcklps', 'none', 0x14, (_cpu, d, s) => punpckldq(d, s, 16), ANYWHERE),
  xmmRow('unpcklpd', '66', 0x14, (_cpu, d, s) => punpcklqdq(d, s), ANYWHERE),
  xmmRow('unpckhps', 'none', 0x15, (_cpu, d, s) => punpckhdq(d, s, 16), ANYWHERE),
  xmmRow('unpckhpd', '66', 0x15, (_cpu, d, s) => punpckhqdq(d, s), ANYWHERE),
  ...bitwise('and', 0x54, pand),
  ...bitwise('andn', 0x55, pandn),
  ...bitwise('or', 0x56, por),
  ...bitwise('xor', 0x57, pxor),
];

function movssRegister(d: Lanes, s: Lanes): void {
  d.i32[0] = s.i32[0];
}
