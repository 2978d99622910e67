// Oracle: reference engine (exact rational arithmetic, rounded by the definitions of IEEE 754-2019, 4.3 and 7)
import { describe, expect, it } from 'vitest';
import * as single from '../../jit/x86/softfloat/float32.js';
import * as double from '../../jit/x86/softfloat/float64.js';
import {
  FloatStatus,
  FP_DIVBYZERO,
  FP_INEXACT,
  FP_INVALID,
  FP_UNDERFLOW,
  ROUND_DOWN,
  ROUND_NEAREST_EVEN,
  ROUND_TO_ZERO,
  ROUND_UP,
} from '../../jit/x86/softfloat/status.js';
import { Lanes } from '../../jit/x86/sse-state.js';
import type { LaneOperation } from '../../jit/x86/table/sse-arith.js';
import { Random } from '../../tools/x86-gen/random.js';
import { abs, type Exact, round, shiftLeft } from './exact-rounding.js';
import { FloatValues } from './sse-cases.js';

/** Bits of a format's parts and the numbers they make. */
interface Format {
  readonly isDouble: boolean;
  readonly precision: number;
  readonly bias: number;
}
const SINGLE: Format = { isDouble: false, precision: 24, bias: 127 };
const DOUBLE: Format = { isDouble: true, precision: 53, bias: 1023 };
const MODES = [ROUND_NEAREST_EVEN, ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO];

const seed = (Math.random() * 0x100000000) >>> 0;
const random = new Random(seed);
const values = new FloatValues(random, { unmasked: false });

function bitsOf(lanes: Lanes, f: Format): bigint {
  return f.isDouble ? new BigUint64Array(lanes.u8.buffer, 0, 1)[0]! : BigInt(lanes.u32[0]!);
}

function exactOf(lanes: Lanes, f: Format): Exact | null {
  const bits = bitsOf(lanes, f);
  const fraction = BigInt.asUintN(f.precision - 1, bits);
  const exp = Number((bits >> BigInt(f.precision - 1)) & BigInt(2 * f.bias + 1));
  if (exp === 2 * f.bias + 1) return null;
  const significand = exp === 0 ? fraction : fraction | (1n << BigInt(f.precision - 1));
  const negative = (f.isDouble ? lanes.i32[1]! : lanes.i32[0]!) < 0;
  return { num: negative ? -significand : significand, den: 1n, exp: Math.max(exp, 1) - f.bias - f.precision + 1 };
}

function sum(a: Exact, b: Exact): Exact {
  const exp = Math.min(a.exp, b.exp);
  return { num: shiftLeft(a.num, a.exp - exp) + shiftLeft(b.num, b.exp - exp), den: 1n, exp };
}

function quotient(a: Exact, b: Exact): Exact {
  return { num: b.num < 0n ? -a.num : a.num, den: abs(b.num), exp: a.exp - b.exp };
}

/** Floor of a square root. */
function root(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length >> 1) + 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** A number that rounds as the square root of a > 0 does: its leading bits and, if it goes on, one more. */
function rootOf(a: Exact): Exact {
  const shift = 200 + ((a.exp + 200) & 1);
  const n = a.num << BigInt(shift);
  const r = root(n);
  return { num: 2n * r + (r * r === n ? 0n : 1n), den: 1n, exp: (a.exp - shift) / 2 - 1 };
}

interface Operation {
  readonly name: string;
  readonly single: LaneOperation;
  readonly double: LaneOperation;
  /** null: not a case for rounding (0 / 0, negative root). */
  exact(a: Exact, b: Exact): Exact | null;
}

const OPERATIONS: readonly Operation[] = [
  { name: 'sum', single: single.add32, double: double.add64, exact: sum },
  { name: 'difference', single: single.sub32, double: double.sub64, exact: (a, b) => sum(a, { ...b, num: -b.num }) },
  {
    name: 'product',
    single: single.mul32,
    double: double.mul64,
    exact: (a, b) => ({ num: a.num * b.num, den: 1n, exp: a.exp + b.exp }),
  },
  { name: 'quotient', single: single.div32, double: double.div64, exact: (a, b) => (b.num === 0n ? null : quotient(a, b)) },
  { name: 'square root', single: single.sqrt32, double: double.sqrt64, exact: (_a, b) => (b.num <= 0n ? null : rootOf(b)) },
];

function text(value: Exact | null, negative: boolean, flags: number): string {
  if (value === null) return `${negative ? '-' : ''}infinity, flags ${flags}`;
  let { num, exp } = value;
  num = abs(num);
  while (num !== 0n && (num & 1n) === 0n) {
    num >>= 1n;
    exp++;
  }
  return `${negative ? '-' : ''}${num}${num === 0n ? '' : ` * 2^${exp}`}, flags ${flags}`;
}

function check(operation: Operation, f: Format, count: number): void {
  const a = new Lanes();
  const b = new Lanes();
  const d = new Lanes();
  const status = new FloatStatus();
  for (let n = 0; n < count; n++) {
    values.fill(a.u8, f.isDouble);
    values.fill(b.u8, f.isDouble);
    const [x, y] = [exactOf(a, f), exactOf(b, f)];
    const exact = x === null || y === null ? null : operation.exact(x, y);
    if (exact === null || exact.num === 0n) continue;
    for (const mode of MODES) {
      // With inexact raised already the fast paths do not look for it.
      for (const before of [0, FP_INEXACT]) {
        status.roundingMode = mode;
        status.flags = before;
        (f.isDouble ? operation.double : operation.single)(status, d, a, b, 0);
        const expected = round(exact, mode, f.precision, 1 - f.bias, f.bias);
        const negative = (f.isDouble ? d.i32[1]! : d.i32[0]!) < 0;
        expect(
          text(exactOf(d, f), negative, status.flags),
          `seed ${seed}: ${operation.name} of ${bitsOf(a, f).toString(16)} and ${bitsOf(b, f).toString(16)}, mode ${mode}`,
        ).toBe(text(expected.value, expected.negative, expected.flags | before));
      }
    }
  }
}

describe('single and double precision', () => {
  for (const operation of OPERATIONS) {
    it(`rounds every ${operation.name} correctly in each mode and raises what is due`, () => {
      check(operation, SINGLE, 700);
      check(operation, DOUBLE, 700);
    });
  }

  const status = new FloatStatus();
  const a = new Lanes();
  const b = new Lanes();
  const d = new Lanes();
  function run(op: LaneOperation, x: number, y: number, change: Partial<FloatStatus> = {}): string {
    Object.assign(status, new FloatStatus(), change);
    a.i32[0] = x;
    b.i32[0] = y;
    op(status, d, a, b, 0);
    return `${d.u32[0]!.toString(16)}, flags ${status.flags}`;
  }

  it('gives minus zero for a difference of equal numbers only when rounding down', () => {
    expect(run(single.sub32, 0x3f800000, 0x3f800000)).toBe('0, flags 0');
    expect(run(single.sub32, 0x3f800000, 0x3f800000, { roundingMode: ROUND_DOWN })).toBe('80000000, flags 0');
    expect(run(single.add32, 0x80000000, 0x80000000)).toBe('80000000, flags 0');
  });

  it('prefers the quiet NaN, then the larger, then the positive one, and makes signalling ones quiet', () => {
    expect(run(single.add32, 0x7f800001, 0x7fc00002)).toBe('7fc00002, flags 1');
    expect(run(single.add32, 0x7fc00003, 0x7fc00002)).toBe('7fc00003, flags 0');
    expect(run(single.mul32, 0xffc00003, 0x7fc00003)).toBe('7fc00003, flags 0');
    expect(run(single.div32, 0x3f800000, 0x7f800001)).toBe('7fc00001, flags 1');
  });

  it('answers undefined operations with the negative default NaN and invalid, division by zero with infinity', () => {
    expect(run(single.sub32, 0x7f800000, 0x7f800000)).toBe(`ffc00000, flags ${FP_INVALID}`);
    expect(run(single.mul32, 0x7f800000, 0)).toBe(`ffc00000, flags ${FP_INVALID}`);
    expect(run(single.div32, 0, 0)).toBe(`ffc00000, flags ${FP_INVALID}`);
    expect(run(single.sqrt32, 0, 0xbf800000)).toBe(`ffc00000, flags ${FP_INVALID}`);
    expect(run(single.div32, 0x3f800000, 0x80000000)).toBe(`ff800000, flags ${FP_DIVBYZERO}`);
    expect(run(single.div32, 0, 0x7f800000)).toBe('0, flags 0');
  });

  it('flushes tiny results and takes denormal operands for zero where MXCSR says so', () => {
    const least = 0x00800000;
    expect(run(single.mul32, least, 0x3f000000)).toBe('400000, flags 0');
    expect(run(single.mul32, least, 0xbf000000, { flushToZero: true })).toBe(`80000000, flags ${FP_UNDERFLOW | FP_INEXACT}`);
    expect(run(single.add32, 0x00400000, 0x00400000)).toBe('800000, flags 0');
    expect(run(single.add32, 0x00400000, 0x00400000, { denormalsAreZero: true })).toBe('0, flags 0');
    expect(run(single.div32, 0x3f800000, 0x80000001, { denormalsAreZero: true })).toBe(`ff800000, flags ${FP_DIVBYZERO}`);
    // The smaller is the denormal one, which is returned as it is.
    expect(run(single.min32, 0x00000001, 0x3f800000, { denormalsAreZero: true })).toBe('1, flags 0');
  });

  it('takes the second operand as minimum and maximum of zeros and NaNs', () => {
    expect(run(single.min32, 0, 0x80000000)).toBe('80000000, flags 0');
    expect(run(single.max32, 0x80000000, 0)).toBe('0, flags 0');
    expect(run(single.max32, 0x7fc00000, 0x3f800000)).toBe(`3f800000, flags ${FP_INVALID}`);
    expect(run(single.min32, 0x3f800000, 0x7f800001)).toBe(`7f800001, flags ${FP_INVALID}`);
  });
});
