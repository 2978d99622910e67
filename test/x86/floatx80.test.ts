// Oracle: reference engine (exact rational arithmetic, rounded by the definitions of IEEE 754-2019, 4.3 and 7)
import { describe, expect, it } from 'vitest';
import { Floatx80 } from '../../jit/x86/softfloat/floatx80.js';
import {
  addFloatx80,
  divFloatx80,
  fromInt64,
  mulFloatx80,
  remFloatx80,
  scaleFloatx80,
  sqrtFloatx80,
  subFloatx80,
} from '../../jit/x86/softfloat/floatx80-arith.js';
import {
  compareFloatx80,
  fromFloat32,
  fromFloat64,
  ORDER_UNORDERED,
  result64,
  roundToIntegral,
  toFloat32,
  toFloat64,
  toInteger,
} from '../../jit/x86/softfloat/floatx80-convert.js';
import {
  FloatStatus,
  FP_DIVBYZERO,
  FP_INEXACT,
  FP_INVALID,
  PRECISION_DOUBLE,
  PRECISION_EXTENDED,
  PRECISION_SINGLE,
  ROUND_DOWN,
  ROUND_NEAREST_EVEN,
} from '../../jit/x86/softfloat/status.js';
import { abs, type Exact, exact, round, roundToUnit, shiftLeft, show, showResult } from './exact-rounding.js';
import { X87Random } from './x87-random.js';

function fromBytes(bytes: readonly number[]): Floatx80 {
  const dv = new DataView(Uint8Array.from(bytes).buffer);
  return new Floatx80().set(dv.getUint16(8, true), dv.getInt32(4, true), dv.getInt32(0, true));
}

const seed = (Math.random() * 0x100000000) >>> 0;
const random = new X87Random(seed);

function finite(): Floatx80 {
  for (;;) {
    const a = fromBytes(random.float80());
    const exp = a.signExp & 0x7fff;
    if (exp !== 0x7fff && (a.hi | a.lo) !== 0 && (exp === 0 || a.hi < 0)) return a;
  }
}

function finiteNear(other: Floatx80): Floatx80 {
  const bytes = new DataView(new ArrayBuffer(10));
  bytes.setInt32(0, other.lo, true);
  bytes.setInt32(4, other.hi, true);
  bytes.setUint16(8, other.signExp, true);
  const a = fromBytes(random.near([...new Uint8Array(bytes.buffer)]));
  const exp = a.signExp & 0x7fff;
  return exp !== 0x7fff && (a.hi | a.lo) !== 0 && (exp === 0 || a.hi < 0) ? a : other;
}

function randomStatus(): FloatStatus {
  const status = new FloatStatus();
  status.roundingMode = random.below(4);
  status.precision = random.pick([PRECISION_SINGLE, PRECISION_DOUBLE, PRECISION_EXTENDED, PRECISION_EXTENDED]);
  return status;
}

function round80(status: FloatStatus, v: Exact): string {
  return show(round(v, status.roundingMode, status.precision, -16382, 16383));
}

function exactSum(a: Exact, b: Exact): Exact {
  const exp = Math.min(a.exp, b.exp);
  return { num: shiftLeft(a.num, a.exp - exp) + shiftLeft(b.num, b.exp - exp), den: 1n, exp };
}

const RUNS = 4000;

/** Runs `once` on many random pairs, related or not, and compares the strings it returns. */
function forPairs(once: (a: Floatx80, b: Floatx80, status: FloatStatus) => [string, string]): void {
  for (let n = 0; n < RUNS; n++) {
    const a = finite();
    const b = random.below(3) === 0 ? finiteNear(a) : finite();
    const status = randomStatus();
    const [got, expected] = once(a, b, status);
    expect(got, `seed ${seed} run ${n}: ${JSON.stringify([a, b, status])}`).toBe(expected);
  }
}

describe('80-bit arithmetic', () => {
  const out = new Floatx80();

  it('adds and subtracts exactly rounded in every mode and precision', () => {
    forPairs((a, b, status) => {
      const subtract = random.below(2) === 1;
      const y = exact(b);
      const sum = exactSum(exact(a), subtract ? { ...y, num: -y.num } : y);
      (subtract ? subFloatx80 : addFloatx80)(status, out, a, b);
      const zero = show({ value: sum, negative: status.roundingMode === ROUND_DOWN, flags: 0 });
      return [showResult(status, out), sum.num === 0n ? zero : round80(status, sum)];
    });
  });

  it('multiplies exactly rounded', () => {
    forPairs((a, b, status) => {
      const [x, y] = [exact(a), exact(b)];
      mulFloatx80(status, out, a, b);
      return [showResult(status, out), round80(status, { num: x.num * y.num, den: 1n, exp: x.exp + y.exp })];
    });
  });

  it('divides exactly rounded', () => {
    forPairs((a, b, status) => {
      const [x, y] = [exact(a), exact(b)];
      divFloatx80(status, out, a, b);
      const num = y.num < 0n ? -x.num : x.num;
      return [showResult(status, out), round80(status, { num, den: abs(y.num), exp: x.exp - y.exp })];
    });
  });

  it('takes square roots exactly rounded', () => {
    forPairs((a, _, status) => {
      a.signExp &= 0x7fff;
      const x = exact(a);
      // 200 more bits, the lowest of them sticky.
      const even = x.exp & 1;
      const radicand = (x.num << BigInt(even)) << 400n;
      let root = BigInt(Math.floor(Math.sqrt(Number(radicand >> 380n)))) << 190n;
      for (let next = (root + radicand / root) >> 1n; ; next = (root + radicand / root) >> 1n) {
        const done = abs(next - root) <= 1n;
        root = next;
        if (done) break;
      }
      while (root * root > radicand) root--;
      while ((root + 1n) * (root + 1n) <= radicand) root++;
      const sticky = root * root === radicand ? 0n : 1n;
      sqrtFloatx80(status, out, a);
      return [showResult(status, out), round80(status, { num: 2n * root + sticky, den: 1n, exp: (x.exp - even) / 2 - 201 })];
    });
  });

  it('takes remainders by truncated and by nearest quotients', () => {
    forPairs((a, b, status) => {
      b.signExp = (b.signExp & 0x8000) | Math.max(1, Math.min(0x7ffe, (a.signExp & 0x7fff) - random.below(66) + 3));
      b.hi |= -0x80000000;
      const [x, y] = [exact(a), exact(b)];
      const exp = Math.min(x.exp, y.exp);
      const [p, q] = [shiftLeft(x.num, x.exp - exp), abs(shiftLeft(y.num, y.exp - exp))];
      const nearest = random.below(2) === 1;
      let quotient = abs(p) / q;
      let rest = abs(p) % q;
      if (nearest && (2n * rest > q || (2n * rest === q && (quotient & 1n) === 1n))) {
        quotient++;
        rest -= q;
      }
      if (p < 0n) rest = -rest;
      const low = remFloatx80(status, out, a, b, nearest);
      const expected =
        rest === 0n
          ? show({ value: { num: 0n, den: 1n, exp: 0 }, negative: p < 0n, flags: 0 })
          : round80(status, { num: rest, den: 1n, exp });
      if (nearest) return [showResult(status, out), expected];
      return [`${showResult(status, out)} ${low & 7}`, `${expected} ${quotient & 7n}`];
    });
  });

  it('scales by powers of two, and rounds to integers', () => {
    forPairs((a, _, status) => {
      const x = exact(a);
      if (random.below(2) === 0) {
        const n = random.below(70000) - 35000;
        scaleFloatx80(status, out, a, n);
        return [showResult(status, out), round80(status, { ...x, exp: x.exp + n })];
      }
      status.precision = PRECISION_EXTENDED;
      roundToIntegral(status, out, a);
      if (x.exp >= 0) return [showResult(status, out), show({ value: { ...x, num: abs(x.num) }, negative: x.num < 0n, flags: 0 })];
      const { quotient, inexact } = roundToUnit(x, 0, status.roundingMode);
      return [
        showResult(status, out),
        show({ value: { num: quotient, den: 1n, exp: 0 }, negative: x.num < 0n, flags: inexact ? FP_INEXACT : 0 }),
      ];
    });
  });

  it('compares by value', () => {
    forPairs((a, b, status) => {
      const difference = exactSum(exact(a), { ...exact(b), num: -exact(b).num }).num;
      const order = difference < 0n ? -1 : difference > 0n ? 1 : 0;
      return [`${compareFloatx80(status, a, b, false)} ${status.flags}`, `${order} 0`];
    });
  });
});

describe('80-bit conversions', () => {
  const out = new Floatx80();
  const dv = new DataView(new ArrayBuffer(8));

  it('rounds to single and double precision, denormals included', () => {
    forPairs((a, _, status) => {
      const single = random.below(2) === 0;
      const [precision, min, max] = single ? [24, -126, 127] : [53, -1022, 1023];
      if (single) dv.setInt32(0, toFloat32(status, a));
      else {
        toFloat64(status, a);
        dv.setInt32(0, result64.hi);
        dv.setInt32(4, result64.lo);
      }
      const got = single ? dv.getFloat32(0) : dv.getFloat64(0);
      const flags = status.flags;
      const expected = round(exact(a), status.roundingMode, precision, min, max);
      const value =
        expected.value === null ? Number.POSITIVE_INFINITY : Number(expected.value.num) * 2 ** Math.max(expected.value.exp, -1074);
      return [`${Object.is(got, -0) ? '-0' : got} ${flags}`, `${expected.negative ? '-' : ''}${value} ${expected.flags}`];
    });
  });

  it('takes in single and double precision without loss', () => {
    for (let n = 0; n < RUNS; n++) {
      const status = new FloatStatus();
      const [hi, lo] = [random.u32() | 0, random.u32() | 0];
      if (((hi >> 20) & 0x7ff) === 0x7ff || ((hi >> 23) & 0xff) === 0xff) continue;
      fromFloat64(status, out, hi, lo);
      toFloat64(status, out);
      expect([result64.hi, result64.lo]).toEqual([hi, lo]);
      fromFloat32(status, out, hi);
      expect([toFloat32(status, out), status.flags]).toEqual([hi, 0]);
    }
  });

  it('rounds to integers, with the indefinite and invalid for what does not fit', () => {
    forPairs((a, _, status) => {
      const bits = random.pick([16, 32, 64]);
      const x = exact(a);
      const { quotient, inexact } = x.exp > 100 ? { quotient: 1n << 100n, inexact: false } : roundToUnit(x, 0, status.roundingMode);
      const value = x.num < 0n ? -quotient : quotient;
      const fits = BigInt.asIntN(bits, value) === value;
      toInteger(status, a, status.roundingMode, bits);
      const got = (BigInt(result64.hi) << 32n) | BigInt(result64.lo >>> 0);
      return [`${got} ${status.flags}`, fits ? `${value} ${inexact ? FP_INEXACT : 0}` : `${-(1n << BigInt(bits - 1))} ${FP_INVALID}`];
    });
  });

  it('converts integers exactly', () => {
    for (let n = 0; n < RUNS; n++) {
      const status = new FloatStatus();
      const [hi, lo] = [random.pick([0, -1, random.u32() | 0, -0x80000000]), random.pick([0, 1, random.u32() | 0])];
      fromInt64(status, out, hi, lo);
      toInteger(status, out, ROUND_NEAREST_EVEN, 64);
      expect([result64.hi, result64.lo, status.flags]).toEqual([hi, lo, 0]);
    }
  });
});

describe('special operands', () => {
  const ZERO = [0, 0, 0] as const;
  const ONE = [0x3fff, 0x80000000, 0] as const;
  const INFINITY = [0x7fff, 0x80000000, 0] as const;
  const MINUS_INFINITY = [0xffff, 0x80000000, 0] as const;
  const QNAN = [0x7fff, 0xc0000000, 5] as const;
  const SNAN = [0x7fff, 0x80000000, 7] as const;
  const DEFAULT = [0xffff, 0xc0000000, 0] as const;
  const UNNORMAL = [0x3fff, 0x40000000, 0] as const;
  const PSEUDO_INFINITY = [0x7fff, 0, 0] as const;
  type Operand = readonly [number, number, number];
  type Operation = (status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80) => void;

  const cases: readonly [what: string, operation: Operation, a: Operand, b: Operand, result: Operand, flags: number][] = [
    ['infinity - infinity is the default NaN, invalid', subFloatx80, INFINITY, INFINITY, DEFAULT, FP_INVALID],
    ['infinity + one is infinity', addFloatx80, INFINITY, ONE, INFINITY, 0],
    ['one - infinity is -infinity', subFloatx80, ONE, INFINITY, MINUS_INFINITY, 0],
    ['zero times infinity is the default NaN, invalid', mulFloatx80, ZERO, INFINITY, DEFAULT, FP_INVALID],
    ['zero by zero is the default NaN, invalid', divFloatx80, ZERO, ZERO, DEFAULT, FP_INVALID],
    ['one by zero is infinity, division by zero', divFloatx80, ONE, ZERO, INFINITY, FP_DIVBYZERO],
    ['infinity by zero is infinity, nothing raised', divFloatx80, INFINITY, ZERO, INFINITY, 0],
    ['one by infinity is zero', divFloatx80, ONE, INFINITY, ZERO, 0],
    ['a quiet NaN goes through', addFloatx80, ONE, QNAN, QNAN, 0],
    ['a signalling NaN comes out quiet, invalid', mulFloatx80, SNAN, ONE, [0x7fff, 0xc0000000, 7], FP_INVALID],
    ['a quiet NaN goes before a signalling one', addFloatx80, SNAN, QNAN, QNAN, FP_INVALID],
    ['of two NaNs the larger significand is taken', addFloatx80, QNAN, [0xffff, 0xc0000000, 6], [0xffff, 0xc0000000, 6], 0],
    ['of equal significands the positive NaN is taken', addFloatx80, [0xffff, 0xc0000000, 5], QNAN, QNAN, 0],
    ['an unnormal is invalid', addFloatx80, UNNORMAL, ONE, DEFAULT, FP_INVALID],
    ['a pseudo-infinity is invalid even with a NaN', addFloatx80, PSEUDO_INFINITY, QNAN, DEFAULT, FP_INVALID],
    ['a pseudo-denormal counts as the least normal exponent', addFloatx80, [0, 0x80000000, 1], ZERO, [1, 0x80000000, 1], 0],
  ];
  it.each(cases)('%s', (_, operation, a, b, result, flags) => {
    const status = new FloatStatus();
    const out = new Floatx80();
    operation(status, out, new Floatx80().set(...a), new Floatx80().set(...b));
    expect([out, status.flags]).toEqual([new Floatx80().set(...result), flags]);
  });

  it('quiet comparisons raise invalid for signalling NaNs only', () => {
    const compare = (a: Operand, quiet: boolean) => {
      const status = new FloatStatus();
      return [compareFloatx80(status, new Floatx80().set(...a), new Floatx80().set(...ONE), quiet), status.flags];
    };
    expect(compare(QNAN, true)).toEqual([ORDER_UNORDERED, 0]);
    expect(compare(QNAN, false)).toEqual([ORDER_UNORDERED, FP_INVALID]);
    expect(compare(SNAN, true)).toEqual([ORDER_UNORDERED, FP_INVALID]);
    expect(compare(UNNORMAL, true)).toEqual([ORDER_UNORDERED, FP_INVALID]);
  });

  it('the square root of minus zero is minus zero, of other negative numbers invalid', () => {
    const root = (a: Operand) => {
      const status = new FloatStatus();
      const out = new Floatx80();
      sqrtFloatx80(status, out, new Floatx80().set(...a));
      return [out, status.flags];
    };
    expect(root([0x8000, 0, 0])).toEqual([new Floatx80().set(0x8000, 0, 0), 0]);
    expect(root([0xbfff, 0x80000000, 0])).toEqual([new Floatx80().set(...DEFAULT), FP_INVALID]);
    expect(root(MINUS_INFINITY)).toEqual([new Floatx80().set(...DEFAULT), FP_INVALID]);
  });
});
