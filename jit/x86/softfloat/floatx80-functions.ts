import {
  EXP_BIAS,
  EXP_MAX,
  type Floatx80,
  isInfinity,
  isInvalidEncoding,
  isNan,
  isSignalingNan,
  isZero,
  setDefaultNan,
  setInfinity,
  setZero,
  silenceNan,
  TOP,
} from './floatx80.js';
import { divFloatx80, fromInt64, mulFloatx80 } from './floatx80-arith.js';
import { bitLength, divide, FRACTION_BITS, ln2, ONE, pi, roundFixed, significand, toFixed, unitExponent } from './floatx80-fixed.js';
import { arcTangent, exp2m1, isOne, log2p1 } from './floatx80-series.js';
import { type FloatStatus, FP_DIVBYZERO, FP_INEXACT, FP_INVALID, PRECISION_EXTENDED } from './status.js';

/** Exponents below this (|x| < 2^-79): the first term of the series is all there is. */
const TINY = 0x3fb0;

function invalid(status: FloatStatus, out: Floatx80): void {
  status.flags |= FP_INVALID;
  setDefaultNan(out);
}

/** out = 2^a - 1 for |a| <= 1; other operands are invalid. */
export function f2xm1(status: FloatStatus, out: Floatx80, a: Floatx80): void {
  const exp = a.signExp & EXP_MAX;
  const sign = a.signExp >> 15;
  out.copy(a);
  if (isInvalidEncoding(a)) invalid(status, out);
  else if (isNan(a)) {
    if (isSignalingNan(a)) {
      status.flags |= FP_INVALID;
      silenceNan(out);
    }
  } else if (exp > EXP_BIAS || (exp === EXP_BIAS && (a.hi !== TOP || a.lo !== 0))) invalid(status, out);
  else if (exp === EXP_BIAS) {
    if (sign !== 0) out.set(0xbffe, TOP, 0);
  } else if (!isZero(a)) {
    if (exp < TINY) roundFixed(status, out, sign, significand(a) * ln2(), unitExponent(a) - FRACTION_BITS, 1);
    else {
      const result = exp2m1(a);
      if (result === null) status.flags |= FP_INEXACT;
      else roundFixed(status, out, sign, result < 0n ? -result : result, -FRACTION_BITS, 1);
    }
  }
}

/** NaNs and invalid encodings of FYL2X, FYL2XP1 and FPATAN (x in ST(0), y in ST(1)); true if `out` is the result. */
function notNumbers(status: FloatStatus, out: Floatx80, x: Floatx80, y: Floatx80): boolean {
  if (isSignalingNan(x) || isSignalingNan(y)) {
    out.copy(isSignalingNan(x) ? x : y);
    silenceNan(out);
    status.flags |= FP_INVALID;
  } else if (isInvalidEncoding(x) || isInvalidEncoding(y)) invalid(status, out);
  else if (isNan(x)) out.copy(x);
  else if (isNan(y)) out.copy(y);
  else return false;
  return true;
}

/** Multiplies a logarithm in fixed point by y * 2^scale and rounds. */
function roundProduct(status: FloatStatus, out: Floatx80, logarithm: bigint, y: Floatx80, scale: number): void {
  const negative = logarithm < 0n;
  const sign = (y.signExp >> 15) ^ (negative ? 1 : 0);
  const magnitude = (negative ? -logarithm : logarithm) * significand(y);
  roundFixed(status, out, sign, magnitude, unitExponent(y) - FRACTION_BITS + scale, 1);
}

/** out = y * log2(x). */
export function fyl2x(status: FloatStatus, out: Floatx80, x: Floatx80, y: Floatx80): void {
  if (notNumbers(status, out, x, y)) return;
  const signY = y.signExp >> 15;
  if (x.signExp >> 15 !== 0 && !isZero(x)) invalid(status, out);
  else if (isInfinity(y)) {
    const exp = x.signExp & EXP_MAX;
    if (isOne(x)) invalid(status, out);
    else setInfinity(out, signY ^ (exp < EXP_BIAS ? 1 : 0));
  } else if (isInfinity(x)) {
    if (isZero(y)) invalid(status, out);
    else setInfinity(out, signY);
  } else if (isZero(x)) {
    if (isZero(y)) invalid(status, out);
    else {
      status.flags |= FP_DIVBYZERO;
      setInfinity(out, signY ^ 1);
    }
  } else if (isZero(y)) setZero(out, signY ^ ((x.signExp & EXP_MAX) < EXP_BIAS ? 1 : 0));
  else logarithm(status, out, x, y);
}

/** Finite x > 0 and y, neither 0. */
function logarithm(status: FloatStatus, out: Floatx80, x: Floatx80, y: Floatx80): void {
  let sig = significand(x);
  const length = bitLength(sig);
  let exponent = unitExponent(x) + length - 1;
  sig <<= BigInt(64 - length);
  if (sig === 1n << 63n) {
    powerOfTwo(status, out, exponent, y);
    return;
  }
  let m = sig << BigInt(FRACTION_BITS - 63);
  if (sig > 0xb504f333f9de6484n) {
    exponent++;
    m >>= 1n;
  }
  // QEMU 7.2 normalises a denormal y twice, which doubles it if its highest fraction bit is set.
  const twice = (y.signExp & EXP_MAX) === 0 && y.hi >>> 30 === 1 ? 1 : 0;
  roundProduct(status, out, log2p1(m - ONE) + BigInt(exponent) * ONE, y, twice);
}

/** y * exponent: exact but for the rounding of a product. */
function powerOfTwo(status: FloatStatus, out: Floatx80, exponent: number, y: Floatx80): void {
  if (exponent === 0) {
    setZero(out, y.signExp >> 15);
    return;
  }
  const precision = status.precision;
  status.precision = PRECISION_EXTENDED;
  fromInt64(status, out, exponent >> 31, exponent);
  mulFloatx80(status, out, out, y);
  status.precision = precision;
}

/** out = y * log2(1 + x), sqrt(1/2) <= 1 + x <= sqrt(2); other operands are invalid. */
export function fyl2xp1(status: FloatStatus, out: Floatx80, x: Floatx80, y: Floatx80): void {
  if (notNumbers(status, out, x, y)) return;
  const exp = x.signExp & EXP_MAX;
  const sign = x.signExp >> 15;
  if (exp > 0x3ffd || (exp === 0x3ffd && significand(x) > (sign !== 0 ? 0x95f619980c4336f7n : 0xd413cccfe7799211n))) invalid(status, out);
  else if (isZero(x) || isZero(y) || (y.signExp & EXP_MAX) === EXP_MAX) mulFloatx80(status, out, x, y);
  else if (exp < TINY) {
    const product = divide(significand(x) * significand(y), ln2());
    roundFixed(status, out, sign ^ (y.signExp >> 15), product, unitExponent(x) + unitExponent(y), 1);
  } else roundProduct(status, out, log2p1(toFixed(x)), y, 0);
}

/** out = arc tangent of y / x, in the quadrant of the point (x, y). */
export function fpatan(status: FloatStatus, out: Floatx80, x: Floatx80, y: Floatx80): void {
  if (notNumbers(status, out, x, y)) return;
  const signX = x.signExp >> 15;
  const signY = y.signExp >> 15;
  const distance = (x.signExp & EXP_MAX) - (y.signExp & EXP_MAX);
  const right = signX === 0;
  const xLarge = (isInfinity(x) && !isInfinity(y)) || distance >= 80;
  const yLarge = (isInfinity(y) && !isInfinity(x)) || distance <= -80;
  if (isZero(y) && right) out.copy(y);
  else if (xLarge && right) smallAngle(status, out, x, y);
  else {
    let angle: bigint;
    if (isZero(y)) angle = pi();
    else if (isInfinity(y) && isInfinity(x)) angle = right ? pi() / 4n : (3n * pi()) / 4n;
    else if (yLarge || isZero(x)) angle = pi() / 2n;
    else if (xLarge) angle = pi();
    else angle = angleOf(x, y, right);
    roundFixed(status, out, signY, angle, -FRACTION_BITS, 1);
  }
}

/** Angle of two finite numbers not 0, of not too different size. */
function angleOf(x: Floatx80, y: Floatx80, right: boolean): bigint {
  const shift = BigInt(Math.abs(unitExponent(x) - unitExponent(y)));
  const xBigger = unitExponent(x) > unitExponent(y);
  const magnitudeX = xBigger ? significand(x) << shift : significand(x);
  const magnitudeY = xBigger ? significand(y) : significand(y) << shift;
  if (magnitudeX >= magnitudeY) {
    const angle = arcTangent(divide(magnitudeY, magnitudeX));
    return right ? angle : pi() - angle;
  }
  const angle = arcTangent(divide(magnitudeX, magnitudeY));
  return right ? pi() / 2n - angle : pi() / 2n + angle;
}

/** y / x, of which the arc tangent differs by less than any rounding sees; but it is never exact. */
function smallAngle(status: FloatStatus, out: Floatx80, x: Floatx80, y: Floatx80): void {
  const { flags, precision } = status;
  status.precision = PRECISION_EXTENDED;
  status.flags = 0;
  divFloatx80(status, out, y, x);
  status.precision = precision;
  const inexact = isZero(out) || (status.flags & FP_INEXACT) !== 0;
  status.flags |= flags;
  // An exact quotient: the result lies a little nearer to 0.
  if (!inexact) roundFixed(status, out, out.signExp >> 15, (significand(out) << 64n) - 1n, unitExponent(out) - 64, 1);
}
