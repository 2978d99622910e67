import type { Cpu } from '../cpu.js';
import { setArithFlags } from '../flags.js';
import type { Insn, Row } from '../insn.js';
import { FLAG_CF, FLAG_PF, FLAG_ZF, FLAGS_ARITH } from '../regs.js';
import * as single from '../softfloat/float32.js';
import * as double from '../softfloat/float64.js';
import type { FloatStatus } from '../softfloat/status.js';
import { Lanes } from '../sse-state.js';
import { ALIGNED, ANYWHERE, type XmmKernel, xmmRow } from './sse-common.js';

/** d[k] = a[k] op b[k] on one lane. */
export type LaneOperation = (status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number) => void;

function packed(op: LaneOperation, lanes: number): XmmKernel {
  return (cpu, d, s) => {
    const status = cpu.sse.status;
    for (let k = 0; k < lanes; k++) op(status, d, d, s, k);
  };
}

function scalar(op: LaneOperation): XmmKernel {
  return (cpu, d, s) => op(cpu.sse.status, d, d, s, 0);
}

function singleRows(name: string, opcode: number, op: LaneOperation): Row[] {
  return [xmmRow(`${name}ps`, 'none', opcode, packed(op, 4)), xmmRow(`${name}ss`, 'f3', opcode, scalar(op), 4)];
}

function doubleRows(name: string, opcode: number, op: LaneOperation): Row[] {
  return [xmmRow(`${name}pd`, '66', opcode, packed(op, 2)), xmmRow(`${name}sd`, 'f2', opcode, scalar(op), 8)];
}

/** Relations (bit LESS + 1 and so on) in which each predicate of CMPPS is true; with the high bit of the predicate the other ones. */
const TRUE_WHEN = [0b0010, 0b0001, 0b0011, 0b1000];

function holds(predicate: number, relation: number): boolean {
  const when = TRUE_WHEN[predicate & 3] ^ ((predicate & 4) !== 0 ? 0b1111 : 0);
  return ((when >> (relation + 1)) & 1) !== 0;
}

/** EQ, UNORD and their opposites do not raise invalid for quiet NaNs. */
function isQuiet(predicate: number): boolean {
  return (predicate & 3) === 0 || (predicate & 3) === 3;
}

function compareSingles(lanes: number): XmmKernel {
  return (cpu, d, s, i) => {
    const predicate = i.imm & 7;
    const quiet = isQuiet(predicate);
    for (let k = 0; k < lanes; k++) d.i32[k] = holds(predicate, single.compare32(cpu.sse.status, d, s, k, quiet)) ? -1 : 0;
  };
}

function compareDoubles(lanes: number): XmmKernel {
  return (cpu, d, s, i) => {
    const predicate = i.imm & 7;
    const quiet = isQuiet(predicate);
    for (let k = 0; k < lanes; k++) {
      const mask = holds(predicate, double.compare64(cpu.sse.status, d, s, k, quiet)) ? -1 : 0;
      d.i32[2 * k] = mask;
      d.i32[2 * k + 1] = mask;
    }
  };
}

/** ZF, PF, CF by LESS, EQUAL, GREATER, UNORDERED; the other flags become 0 (SDM Vol. 2, COMISS). */
const COMPARISON_FLAGS = [FLAG_CF, FLAG_ZF, 0, FLAG_ZF | FLAG_PF | FLAG_CF];
const WRITES_FLAGS: Partial<Row> = { writes: FLAGS_ARITH };

function comis(quiet: boolean): XmmKernel {
  return (cpu, d, s) => setArithFlags(cpu, COMPARISON_FLAGS[single.compare32(cpu.sse.status, d, s, 0, quiet) + 1]);
}

function comisd(quiet: boolean): XmmKernel {
  return (cpu, d, s) => setArithFlags(cpu, COMPARISON_FLAGS[double.compare64(cpu.sse.status, d, s, 0, quiet) + 1]);
}

const EVEN = /* @__PURE__ */ new Lanes();
const ODD = /* @__PURE__ */ new Lanes();

/** HADDPS, HSUBPS: neighbours of d, then those of s. */
function horizontalSingles(op: LaneOperation): XmmKernel {
  return (cpu, d, s) => {
    for (let k = 0; k < 2; k++) {
      EVEN.i32[k] = d.i32[2 * k];
      ODD.i32[k] = d.i32[2 * k + 1];
      EVEN.i32[2 + k] = s.i32[2 * k];
      ODD.i32[2 + k] = s.i32[2 * k + 1];
    }
    for (let k = 0; k < 4; k++) op(cpu.sse.status, d, EVEN, ODD, k);
  };
}

function horizontalDoubles(op: LaneOperation): XmmKernel {
  return (cpu, d, s) => {
    for (let k = 0; k < 2; k++) {
      EVEN.i32[k] = d.i32[k];
      ODD.i32[k] = d.i32[2 + k];
      EVEN.i32[2 + k] = s.i32[k];
      ODD.i32[2 + k] = s.i32[2 + k];
    }
    for (let k = 0; k < 2; k++) op(cpu.sse.status, d, EVEN, ODD, k);
  };
}

function addsub(sub: LaneOperation, add: LaneOperation, lanes: number): XmmKernel {
  return (cpu, d, s) => {
    for (let k = 0; k < lanes; k += 2) {
      sub(cpu.sse.status, d, d, s, k);
      add(cpu.sse.status, d, d, s, k + 1);
    }
  };
}

function shufps(_cpu: Cpu, d: Lanes, s: Lanes, i: Insn): void {
  const order = i.imm;
  const w0 = d.i32[order & 3];
  const w1 = d.i32[(order >> 2) & 3];
  const w2 = s.i32[(order >> 4) & 3];
  const w3 = s.i32[order >> 6];
  d.i32[0] = w0;
  d.i32[1] = w1;
  d.i32[2] = w2;
  d.i32[3] = w3;
}

function shufpd(_cpu: Cpu, d: Lanes, s: Lanes, i: Insn): void {
  const a = (i.imm & 1) * 2;
  const b = i.imm & 2;
  const w0 = d.i32[a];
  const w1 = d.i32[a + 1];
  const w2 = s.i32[b];
  const w3 = s.i32[b + 1];
  d.i32[0] = w0;
  d.i32[1] = w1;
  d.i32[2] = w2;
  d.i32[3] = w3;
}

const IMMEDIATE: Partial<Row> = { imm: 'b' };

/** Arithmetic, comparisons and shuffles of SSE, SSE2 and SSE3 in floating point. */
export const sseArithRows: readonly Row[] = [
  ...singleRows('add', 0x58, single.add32),
  ...doubleRows('add', 0x58, double.add64),
  ...singleRows('mul', 0x59, single.mul32),
  ...doubleRows('mul', 0x59, double.mul64),
  ...singleRows('sub', 0x5c, single.sub32),
  ...doubleRows('sub', 0x5c, double.sub64),
  ...singleRows('min', 0x5d, single.min32),
  ...doubleRows('min', 0x5d, double.min64),
  ...singleRows('div', 0x5e, single.div32),
  ...doubleRows('div', 0x5e, double.div64),
  ...singleRows('max', 0x5f, single.max32),
  ...doubleRows('max', 0x5f, double.max64),
  ...singleRows('sqrt', 0x51, single.sqrt32),
  ...doubleRows('sqrt', 0x51, double.sqrt64),
  ...singleRows('rsqrt', 0x52, single.rsqrt32),
  ...singleRows('rcp', 0x53, single.rcp32),
  xmmRow('cmpps', 'none', 0xc2, compareSingles(4), ALIGNED, IMMEDIATE),
  xmmRow('cmpss', 'f3', 0xc2, compareSingles(1), 4, IMMEDIATE),
  xmmRow('cmppd', '66', 0xc2, compareDoubles(2), ALIGNED, IMMEDIATE),
  xmmRow('cmpsd', 'f2', 0xc2, compareDoubles(1), 8, IMMEDIATE),
  xmmRow('ucomiss', 'none', 0x2e, comis(true), 4, WRITES_FLAGS),
  xmmRow('ucomisd', '66', 0x2e, comisd(true), 8, WRITES_FLAGS),
  xmmRow('comiss', 'none', 0x2f, comis(false), 4, WRITES_FLAGS),
  xmmRow('comisd', '66', 0x2f, comisd(false), 8, WRITES_FLAGS),
  xmmRow('haddps', 'f2', 0x7c, horizontalSingles(single.add32), ANYWHERE),
  xmmRow('haddpd', '66', 0x7c, horizontalDoubles(double.add64), ANYWHERE),
  xmmRow('hsubps', 'f2', 0x7d, horizontalSingles(single.sub32), ANYWHERE),
  xmmRow('hsubpd', '66', 0x7d, horizontalDoubles(double.sub64), ANYWHERE),
  xmmRow('addsubps', 'f2', 0xd0, addsub(single.sub32, single.add32, 4), ANYWHERE),
  xmmRow('addsubpd', '66', 0xd0, addsub(double.sub64, double.add64, 2), ANYWHERE),
  xmmRow('shufps', 'none', 0xc6, shufps, ANYWHERE, IMMEDIATE),
  xmmRow('shufpd', '66', 0xc6, shufpd, ANYWHERE, IMMEDIATE),
];
