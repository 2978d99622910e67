import type { Cpu } from '../cpu.js';
import type { Exec, Insn, Row } from '../insn.js';
import { effectiveAddress, readRm32 } from '../operands.js';
import { convertToDouble, convertToSingle, doubleToInt, intToSingle, singleToInt } from '../softfloat/convert.js';
import type { FloatStatus } from '../softfloat/status.js';
import { Lanes } from '../sse-state.js';
import { readMm, writeMm } from './mmx.js';
import { ANYWHERE, guard, load64, NEEDS_NOTHING, NEEDS_SSE, plainRow, sourceOf, type XmmKernel, xmmRow } from './sse-common.js';

/** Operand in an MMX register. */
const S = /* @__PURE__ */ new Lanes();

function clearHigh(d: Lanes): void {
  d.i32[2] = 0;
  d.i32[3] = 0;
}

// Widening goes from the top lane down, narrowing from the bottom up: d and s may be the same.

function cvtps2pd(cpu: Cpu, d: Lanes, s: Lanes): void {
  for (let k = 1; k >= 0; k--) convertToDouble(cpu.sse.status, d, k, s, k);
}

function cvtpd2ps(cpu: Cpu, d: Lanes, s: Lanes): void {
  for (let k = 0; k < 2; k++) convertToSingle(cpu.sse.status, d, k, s, k);
  clearHigh(d);
}

function cvtdq2ps(cpu: Cpu, d: Lanes, s: Lanes): void {
  for (let k = 0; k < 4; k++) intToSingle(cpu.sse.status, d, k, s.i32[k]);
}

function cvtdq2pd(_cpu: Cpu, d: Lanes, s: Lanes): void {
  for (let k = 1; k >= 0; k--) d.f64[k] = s.i32[k];
}

function ps2dq(truncate: boolean): XmmKernel {
  return (cpu, d, s) => {
    for (let k = 0; k < 4; k++) d.i32[k] = singleToInt(cpu.sse.status, s, k, truncate);
  };
}

function pd2dq(truncate: boolean): XmmKernel {
  return (cpu, d, s) => {
    for (let k = 0; k < 2; k++) d.i32[k] = doubleToInt(cpu.sse.status, s, k, truncate);
    clearHigh(d);
  };
}

type ToInt = (status: FloatStatus, a: Lanes, k: number, truncate: boolean) => number;

/** CVTSS2SI and its like: to a general register. */
function toRegisterRow(name: string, prefix: Row['prefix'], opcode: number, bytes: number, convert: ToInt): Row {
  const truncate = opcode === 0x2c;
  const exec = (i: Insn): Exec => {
    const source = sourceOf(i, bytes);
    return guard(i, NEEDS_SSE, (cpu, insn) => {
      cpu.r[insn.reg] = convert(cpu.sse.status, source(cpu, insn), 0, truncate);
    });
  };
  return plainRow(name, prefix, opcode, () => {}, { exec });
}

/** CVTPS2PI and its like: to an MMX register. QEMU asks nothing of CR0 and CR4, and no alignment. */
function toMmxRow(name: string, prefix: Row['prefix'], opcode: number, bytes: number, convert: ToInt): Row {
  const truncate = opcode === 0x2c;
  const exec = (i: Insn): Exec => {
    const source = sourceOf(i, bytes);
    return guard(i, NEEDS_NOTHING, (cpu, insn) => {
      const s = source(cpu, insn);
      cpu.fpu.enterMmx();
      S.i32[0] = convert(cpu.sse.status, s, 0, truncate);
      S.i32[1] = convert(cpu.sse.status, s, 1, truncate);
      writeMm(cpu.fpu, insn.reg, S);
    });
  };
  return plainRow(name, prefix, opcode, () => {}, { exec });
}

/** The x87 registers become valid behind the load here, unlike with MMX instructions. */
function loadMmxOperand(cpu: Cpu, i: Insn): void {
  if (i.mod === 3) readMm(cpu.fpu, i.rm, S);
  else load64(cpu, effectiveAddress(cpu, i), S);
  cpu.fpu.enterMmx();
}

function cvtpi2ps(cpu: Cpu, i: Insn): void {
  loadMmxOperand(cpu, i);
  const d = cpu.sse.regs[i.reg];
  for (let k = 0; k < 2; k++) intToSingle(cpu.sse.status, d, k, S.i32[k]);
}

function cvtpi2pd(cpu: Cpu, i: Insn): void {
  loadMmxOperand(cpu, i);
  const d = cpu.sse.regs[i.reg];
  d.f64[0] = S.i32[0];
  d.f64[1] = S.i32[1];
}

function cvtsi2ss(cpu: Cpu, i: Insn): void {
  intToSingle(cpu.sse.status, cpu.sse.regs[i.reg], 0, readRm32(cpu, i));
}

function cvtsi2sd(cpu: Cpu, i: Insn): void {
  cpu.sse.regs[i.reg].f64[0] = readRm32(cpu, i);
}

/** Conversions (SDM Vol. 1, 11.6.4). */
export const sseConvertRows: readonly Row[] = [
  xmmRow('cvtps2pd', 'none', 0x5a, cvtps2pd, 8),
  xmmRow('cvtpd2ps', '66', 0x5a, cvtpd2ps, ANYWHERE),
  xmmRow('cvtss2sd', 'f3', 0x5a, (cpu, d, s) => convertToDouble(cpu.sse.status, d, 0, s, 0), 4),
  xmmRow('cvtsd2ss', 'f2', 0x5a, (cpu, d, s) => convertToSingle(cpu.sse.status, d, 0, s, 0), 8),
  xmmRow('cvtdq2ps', 'none', 0x5b, cvtdq2ps, ANYWHERE),
  xmmRow('cvtps2dq', '66', 0x5b, ps2dq(false), ANYWHERE),
  xmmRow('cvttps2dq', 'f3', 0x5b, ps2dq(true), ANYWHERE),
  xmmRow('cvttpd2dq', '66', 0xe6, pd2dq(true), ANYWHERE),
  xmmRow('cvtpd2dq', 'f2', 0xe6, pd2dq(false), ANYWHERE),
  // QEMU loads 16 bytes, processors 8.
  xmmRow('cvtdq2pd', 'f3', 0xe6, cvtdq2pd, ANYWHERE),
  plainRow('cvtpi2ps', 'none', 0x2a, cvtpi2ps, {}, NEEDS_NOTHING),
  plainRow('cvtpi2pd', '66', 0x2a, cvtpi2pd, {}, NEEDS_NOTHING),
  plainRow('cvtsi2ss', 'f3', 0x2a, cvtsi2ss),
  plainRow('cvtsi2sd', 'f2', 0x2a, cvtsi2sd),
  toMmxRow('cvttps2pi', 'none', 0x2c, 8, singleToInt),
  toMmxRow('cvttpd2pi', '66', 0x2c, ANYWHERE, doubleToInt),
  toRegisterRow('cvttss2si', 'f3', 0x2c, 4, singleToInt),
  toRegisterRow('cvttsd2si', 'f2', 0x2c, 8, doubleToInt),
  toMmxRow('cvtps2pi', 'none', 0x2d, 8, singleToInt),
  toMmxRow('cvtpd2pi', '66', 0x2d, ANYWHERE, doubleToInt),
  toRegisterRow('cvtss2si', 'f3', 0x2d, 4, singleToInt),
  toRegisterRow('cvtsd2si', 'f2', 0x2d, 8, doubleToInt),
];
