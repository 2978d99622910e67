import type { Cpu } from '../cpu.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load16 } from '../mmu.js';
import { effectiveAddress } from '../operands.js';
import type { Lanes } from '../sse-state.js';
import { storeMasked } from './mmx.js';
import {
  byteSigns,
  type PackedKernel,
  pslldq,
  psrldq,
  punpckhqdq,
  punpcklqdq,
  type ShiftKernel,
  shiftCount,
  shuffleWords,
} from './packed.js';
import { PACKED, SHIFTS } from './packed-list.js';
import { ALIGNED, ANYWHERE, plainRow, regOf, rmOf, type XmmKernel, xmmRow } from './sse-common.js';

function whole(kernel: PackedKernel): XmmKernel {
  return (_cpu, d, s) => kernel(d, s, 16);
}

function immediateShift(name: string, opcode: number, digit: number, kernel: ShiftKernel): Row {
  const exec: Exec = (cpu, i) => kernel(rmOf(cpu, i), i.imm, 16);
  return plainRow(name, '66', opcode, exec, { digit, form: 'reg', imm: 'b' });
}

function shiftRows(): Row[] {
  return SHIFTS.flatMap(([name, opcode, immediateOpcode, digit, kernel, aligned]) => [
    xmmRow(name, '66', opcode, (_cpu, d, s) => kernel(d, shiftCount(s), 16), aligned ? ALIGNED : ANYWHERE),
    immediateShift(name, immediateOpcode, digit, kernel),
  ]);
}

function pshufd(_cpu: Cpu, d: Lanes, s: Lanes, i: Insn): void {
  const order = i.imm;
  const w = s.i32;
  const w0 = w[order & 3];
  const w1 = w[(order >> 2) & 3];
  const w2 = w[(order >> 4) & 3];
  const w3 = w[order >> 6];
  d.i32[0] = w0;
  d.i32[1] = w1;
  d.i32[2] = w2;
  d.i32[3] = w3;
}

function pshuflw(_cpu: Cpu, d: Lanes, s: Lanes, i: Insn): void {
  shuffleWords(d, s, 0, i.imm);
  d.i32[2] = s.i32[2];
  d.i32[3] = s.i32[3];
}

function pshufhw(_cpu: Cpu, d: Lanes, s: Lanes, i: Insn): void {
  shuffleWords(d, s, 4, i.imm);
  d.i32[0] = s.i32[0];
  d.i32[1] = s.i32[1];
}

function pinsrw(cpu: Cpu, i: Insn): void {
  const word = i.mod === 3 ? cpu.r[i.rm] : load16(cpu, effectiveAddress(cpu, i));
  regOf(cpu, i).u16[i.imm & 7] = word;
}

function pextrw(cpu: Cpu, i: Insn): void {
  cpu.r[i.reg] = rmOf(cpu, i).u16[i.imm & 7];
}

function pmovmskb(cpu: Cpu, i: Insn): void {
  cpu.r[i.reg] = byteSigns(rmOf(cpu, i), 16);
}

function maskmovdqu(cpu: Cpu, i: Insn): void {
  storeMasked(cpu, i, regOf(cpu, i), rmOf(cpu, i), 16);
}

const IMMEDIATE: Partial<Row> = { imm: 'b' };

/** Packed integers in XMM registers (SDM Vol. 1, 11.4.2). */
export const sseIntegerRows: readonly Row[] = [
  ...PACKED.map(([name, opcode, kernel]) => xmmRow(name, '66', opcode, whole(kernel))),
  ...shiftRows(),
  immediateShift('psrldq', 0x73, 3, psrldq),
  immediateShift('pslldq', 0x73, 7, pslldq),
  xmmRow('punpcklqdq', '66', 0x6c, whole(punpcklqdq)),
  xmmRow('punpckhqdq', '66', 0x6d, whole(punpckhqdq)),
  xmmRow('pshufd', '66', 0x70, pshufd, ALIGNED, IMMEDIATE),
  xmmRow('pshufhw', 'f3', 0x70, pshufhw, ALIGNED, IMMEDIATE),
  xmmRow('pshuflw', 'f2', 0x70, pshuflw, ALIGNED, IMMEDIATE),
  plainRow('pinsrw', '66', 0xc4, pinsrw, IMMEDIATE),
  plainRow('pextrw', '66', 0xc5, pextrw, { imm: 'b', form: 'reg' }),
  plainRow('pmovmskb', '66', 0xd7, pmovmskb, { form: 'reg' }),
  plainRow('maskmovdqu', '66', 0xf7, maskmovdqu, { form: 'reg' }),
];
