import { EXP_BIAS, Floatx80, isZero, TOP } from './floatx80.js';
import { addFloatx80, mulFloatx80, scaleFloatx80, subFloatx80 } from './floatx80-arith.js';
import { result64, toInteger } from './floatx80-convert.js';
import { atan, divide, expm1, FRACTION_BITS, ln2, multiply, ONE, roundFixed, toFixed } from './floatx80-fixed.js';
import { FloatStatus, ROUND_NEAREST_EVEN } from './status.js';

/**
 * The approximations of 2^x - 1, log2(1 + x) and arc tangent behind the transcendental instructions. QEMU 7.2 works them out to about 70 bits
 * before it rounds to 64, so that one result in some thousands is not the correctly rounded one. To give the same bits, the part of each
 * polynomial that QEMU evaluates in 80-bit arithmetic is evaluated so here too, with the same coefficients; all the rest is exact
 * arithmetic, which differs from QEMU's 128 bits with a probability of about 2^-60.
 */

/** 80-bit, round to nearest; nobody reads its flags. */
const nearest = /* @__PURE__ */ new FloatStatus();

function number(signExp: number, sig: bigint): Floatx80 {
  return new Floatx80().set(signExp, Number(sig >> 32n), Number(sig & 0xffffffffn));
}

/** Coefficients by rising powers, QEMU 7.2's. */
interface Polynomial {
  readonly first: Floatx80;
  /** What `first` lacks of the first coefficient, if anything. */
  readonly firstLow: Floatx80 | null;
  readonly others: readonly Floatx80[];
}

/** (2^y - 1) / y for |y| <= 1/64. */
const EXP2M1: Polynomial = {
  first: number(0x3ffe, 0xb17217f7d1cf79acn),
  firstLow: number(0xbfbc, 0xd87edabf495b3762n),
  others: [
    number(0x3ffc, 0xf5fdeffc162c7543n),
    number(0x3ffa, 0xe35846b82505fcc7n),
    number(0x3ff8, 0x9d955b7dd273b899n),
    number(0x3ff5, 0xaec3ff3c4ef4ac0cn),
    number(0x3ff2, 0xa184897c3a7f0de9n),
    number(0x3fee, 0xffe634d0ec30d504n),
    number(0x3feb, 0xb160111d2db515e4n),
  ],
};

/** log2((1 + t) / (1 - t)) / t in t^2, for |t| <= 3 - 2 sqrt(2). */
const LOG2_RATIO: Polynomial = {
  first: number(0x4000, 0xb8aa3b295c17f0bcn),
  firstLow: number(0xbfbf, 0x834972fe2d7bab1bn),
  others: [
    number(0x3ffe, 0xf6384ee1d01febb8n),
    number(0x3ffe, 0x93bb62877cdfa2e3n),
    number(0x3ffd, 0xd30bb153d808f269n),
    number(0x3ffd, 0xa42589eaf451499en),
    number(0x3ffd, 0x864d42c0f8f17517n),
    number(0x3ffc, 0xe3476578adf26272n),
    number(0x3ffc, 0xc506c5f874e6d80fn),
    number(0x3ffc, 0xac5cf50cc57d6372n),
    number(0x3ffc, 0xb1ed0066d971a103n),
  ],
};

/** atan(z) / z in z^2, for |z| <= 1/16. */
const ATAN: Polynomial = {
  first: number(0x3fff, 1n << 63n),
  firstLow: null,
  others: [
    number(0xbffd, 0xaaaaaaaaaaaaaa43n),
    number(0x3ffc, 0xccccccccccbfe4f8n),
    number(0xbffc, 0x92492491fbab2e66n),
    number(0x3ffb, 0xe38e372881ea1e0bn),
    number(0xbffb, 0xba2c0104bbdd0615n),
    number(0x3ffb, 0x9baf7ebf898b42efn),
  ],
};

const sum = /* @__PURE__ */ new Floatx80();
const scratch = /* @__PURE__ */ new Floatx80();

/** The polynomial at x, in fixed point: all but the first term in 80-bit arithmetic. */
function evaluate(polynomial: Polynomial, x: Floatx80): bigint {
  const others = polynomial.others;
  sum.copy(others[others.length - 1]!);
  for (let n = others.length - 2; n >= 0; n--) {
    mulFloatx80(nearest, sum, sum, x);
    addFloatx80(nearest, sum, others[n]!, sum);
  }
  mulFloatx80(nearest, sum, sum, x);
  if (polynomial.firstLow !== null) addFloatx80(nearest, sum, polynomial.firstLow, sum);
  return toFixed(polynomial.first) + toFixed(sum);
}

/** Square of a fixed-point number, rounded to 64 bits. */
function squareOf(x: bigint): Floatx80 {
  roundFixed(nearest, scratch, 0, x * x, -2 * FRACTION_BITS, 0);
  return scratch;
}

/**
 * Near each k/32 the number t whose 2^t, and with it 2^t - 1, lies nearest to an 80-bit number, among those at most 2^16 units of the last place
 * away: distance from |k/32| in such units (test/x86/floatx80-series.test.ts checks how good they are). k = -31 .. -1, 1 .. 31.
 */
const BELOW = [
  11902, -5792, 28432, 35397, -30050, 6560, -60193, 25904, -59613, 46561, 28554, -32406, -18911, -59861, -45772, 8829, -50824, 57217, 48335,
  61424, 4070, -56974, -20481, -32349, -60056, -38694, -47472, -29970, -53992, -29493, -60930,
];
const ABOVE = [
  -55680, 46336, -46233, -169, -32481, -26240, -2511, -56167, -32517, -17373, -57108, 64812, 37822, 49838, -57793, -58333, 25412, 23911,
  37159, -63751, -2035, -60304, 3594, 47098, 15014, 42670, 16741, 22572, 6749, -15889, 4201,
];

/** A point of the table: t, and 2^t rounded to 64 bits, in fixed point. */
interface Point {
  readonly t: Floatx80;
  readonly exp2: bigint;
}

const points: Point[] = [];

/** The point near k/32. */
export function exp2Point(k: number): Point {
  points[k + 32] ??= makePoint(k);
  return points[k + 32]!;
}

function makePoint(k: number): Point {
  const size = Math.abs(k);
  if (size === 0 || size === 32) {
    return {
      t: number(size === 0 ? 0 : k < 0 ? 0xbfff : 0x3fff, size === 0 ? 0n : 1n << 63n),
      exp2: k < 0 ? ONE >> 1n : k > 0 ? 2n * ONE : ONE,
    };
  }
  const bits = 32 - Math.clz32(size);
  const offset = BigInt(k < 0 ? BELOW[k + 31]! : ABOVE[k - 1]!);
  let sig = (BigInt(size) << BigInt(64 - bits)) + offset;
  let exp = EXP_BIAS - 6 + bits;
  if (sig < 1n << 63n) {
    // Below a power of two the unit is half as large.
    sig += 1n << 63n;
    exp--;
  }
  const t = number((k < 0 ? 0x8000 : 0) | exp, sig);
  const rounded = new Floatx80();
  roundFixed(nearest, rounded, 0, ONE + expm1(multiply(toFixed(t), ln2())), -FRACTION_BITS, 0);
  return { t, exp2: toFixed(rounded) };
}

/**
 * 2^x - 1 in fixed point for 2^-79 < |x| < 1; null if x is one of the table's t, for which QEMU 7.2 gives back x itself.
 */
export function exp2m1(x: Floatx80): bigint | null {
  scaleFloatx80(nearest, scratch, x, 5);
  toInteger(nearest, scratch, ROUND_NEAREST_EVEN, 32);
  const point = exp2Point(result64.lo);
  subFloatx80(nearest, scratch, x, point.t);
  if (isZero(scratch)) return null;
  const y = scratch;
  const small = multiply(evaluate(EXP2M1, y), toFixed(y));
  return point.exp2 - ONE + multiply(point.exp2, small);
}

/** log2(1 + x) in fixed point; 1 + x from sqrt(1/2) to sqrt(2). */
export function log2p1(x: bigint): bigint {
  const t = divide(x, 2n * ONE + x);
  return multiply(evaluate(LOG2_RATIO, squareOf(t)), t);
}

const eighths: bigint[] = [];

/** Arc tangent of 0 < x <= 1 in fixed point. */
export function arcTangent(x: bigint): bigint {
  // The nearest n/8 to x rounded to 64 bits.
  roundFixed(nearest, scratch, 0, x, 3 - FRACTION_BITS, 0);
  toInteger(nearest, scratch, ROUND_NEAREST_EVEN, 32);
  const n = result64.lo;
  const t = BigInt(n) * (ONE >> 3n);
  eighths[n] ??= atan(t);
  const y = x - t;
  if (y === 0n) return eighths[n]!;
  // atan(x) = atan(t) + atan(y / (1 + t x))
  const z = divide(y, ONE + multiply(t, x));
  return eighths[n]! + multiply(evaluate(ATAN, squareOf(z)), z);
}

/** Whether `a` is exactly 1. */
export function isOne(a: Floatx80): boolean {
  return a.signExp === EXP_BIAS && a.hi === TOP && a.lo === 0;
}
