import {
  CLASS_INFINITY,
  CLASS_NORMAL,
  CLASS_QNAN,
  CLASS_ZERO,
  compareMagnitude,
  EXP_BIAS,
  type Floatx80,
  Parts,
  packSpecial,
  pickNan,
  returnNan,
  roundPack,
  setDefaultNan,
  setInfinity,
  setZero,
  shifted,
  shiftRightSticky,
  TOP,
  unpack,
} from './floatx80.js';
import { type FloatStatus, FP_DIVBYZERO, FP_INVALID, ROUND_DOWN } from './status.js';
import { divide64, multiply64, product, quotient } from './wide.js';

const A = /* @__PURE__ */ new Parts();
const B = /* @__PURE__ */ new Parts();

/** out = a + b. */
export function addFloatx80(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80): void {
  addSigned(status, out, a, b, 0);
}

/** out = a - b. */
export function subFloatx80(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80): void {
  addSigned(status, out, a, b, 1);
}

function addSigned(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80, negate: number): void {
  if (!unpack(status, a, A) || !unpack(status, b, B)) {
    setDefaultNan(out);
    return;
  }
  const signB = B.sign ^ negate;
  if (A.class === CLASS_NORMAL && B.class === CLASS_NORMAL) {
    if (A.sign === signB) addMagnitudes(status, out);
    else subMagnitudes(status, out);
  } else if (A.class >= CLASS_QNAN || B.class >= CLASS_QNAN) pickNan(status, out, A, B);
  else addSpecial(status, out, signB);
}

/** Sums with a zero or an infinity among the operands. */
function addSpecial(status: FloatStatus, out: Floatx80, signB: number): void {
  if (A.class === CLASS_INFINITY && B.class === CLASS_INFINITY && A.sign !== signB) {
    status.flags |= FP_INVALID;
    setDefaultNan(out);
  } else if (A.class === CLASS_INFINITY) setInfinity(out, A.sign);
  else if (B.class === CLASS_INFINITY) setInfinity(out, signB);
  else if (A.class === CLASS_NORMAL) roundPack(status, out, status.precision, A.sign, A.exp, A.hi, A.lo, 0);
  else if (B.class === CLASS_NORMAL) roundPack(status, out, status.precision, signB, B.exp, B.hi, B.lo, 0);
  else setZero(out, A.sign === signB ? A.sign : status.roundingMode === ROUND_DOWN ? 1 : 0);
}

function addMagnitudes(status: FloatStatus, out: Floatx80): void {
  const large = A.exp >= B.exp ? A : B;
  const small = A.exp >= B.exp ? B : A;
  shiftRightSticky(small.hi, small.lo, 0, large.exp - small.exp);
  let exp = large.exp;
  let rest = shifted.rest;
  const sumLo = (large.lo >>> 0) + (shifted.lo >>> 0);
  const sumHi = (large.hi >>> 0) + (shifted.hi >>> 0) + (sumLo > 0xffffffff ? 1 : 0);
  let lo = sumLo | 0;
  let hi = sumHi | 0;
  if (sumHi > 0xffffffff) {
    rest = (lo << 31) | (rest >>> 1) | (rest & 1);
    lo = (hi << 31) | (lo >>> 1);
    hi = (hi >>> 1) | TOP;
    exp++;
  }
  roundPack(status, out, status.precision, A.sign, exp, hi, lo, rest);
}

function subMagnitudes(status: FloatStatus, out: Floatx80): void {
  let order = A.exp - B.exp;
  if (order === 0) order = compareMagnitude(A.hi, A.lo, B.hi, B.lo);
  if (order === 0) {
    setZero(out, status.roundingMode === ROUND_DOWN ? 1 : 0);
    return;
  }
  const large = order > 0 ? A : B;
  const small = order > 0 ? B : A;
  shiftRightSticky(small.hi, small.lo, 0, large.exp - small.exp);
  const rest = -shifted.rest | 0;
  const lowDiff = (large.lo >>> 0) - (shifted.lo >>> 0) - (rest !== 0 ? 1 : 0);
  const lo = lowDiff | 0;
  const hi = (large.hi - shifted.hi - (lowDiff < 0 ? 1 : 0)) | 0;
  roundNormalised(status, out, order > 0 ? A.sign : A.sign ^ 1, large.exp, hi, lo, rest);
}

/** Normalises hi:lo:rest, not 0, and rounds to the current precision. */
function roundNormalised(status: FloatStatus, out: Floatx80, sign: number, exp: number, hi: number, lo: number, rest: number): void {
  while (hi === 0) {
    hi = lo;
    lo = rest;
    rest = 0;
    exp -= 32;
  }
  const shift = Math.clz32(hi);
  if (shift !== 0) {
    hi = (hi << shift) | (lo >>> (32 - shift));
    lo = (lo << shift) | (rest >>> (32 - shift));
    rest <<= shift;
    exp -= shift;
  }
  roundPack(status, out, status.precision, sign, exp, hi, lo, rest);
}

/** out = a * b. */
export function mulFloatx80(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80): void {
  if (!unpack(status, a, A) || !unpack(status, b, B)) {
    setDefaultNan(out);
    return;
  }
  const sign = A.sign ^ B.sign;
  if (A.class === CLASS_NORMAL && B.class === CLASS_NORMAL) {
    multiply64(A.hi, A.lo, B.hi, B.lo);
    const sticky = product.w0 !== 0 ? 1 : 0;
    const exp = A.exp + B.exp - EXP_BIAS;
    if (product.w3 < 0) roundPack(status, out, status.precision, sign, exp + 1, product.w3, product.w2, product.w1 | sticky);
    else {
      const hi = (product.w3 << 1) | (product.w2 >>> 31);
      const lo = (product.w2 << 1) | (product.w1 >>> 31);
      roundPack(status, out, status.precision, sign, exp, hi, lo, (product.w1 << 1) | sticky);
    }
  } else if (A.class >= CLASS_QNAN || B.class >= CLASS_QNAN) pickNan(status, out, A, B);
  else if (A.class + B.class === CLASS_INFINITY + CLASS_ZERO && A.class !== B.class) {
    status.flags |= FP_INVALID;
    setDefaultNan(out);
  } else if (A.class === CLASS_INFINITY || B.class === CLASS_INFINITY) setInfinity(out, sign);
  else setZero(out, sign);
}

/** out = a / b. */
export function divFloatx80(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80): void {
  if (!unpack(status, a, A) || !unpack(status, b, B)) {
    setDefaultNan(out);
    return;
  }
  const sign = A.sign ^ B.sign;
  if (A.class === CLASS_NORMAL && B.class === CLASS_NORMAL) {
    const whole = divide64(A.hi, A.lo, B.hi, B.lo);
    const exp = A.exp - B.exp + EXP_BIAS;
    const { hi, lo, rest } = quotient;
    if (whole === 0) roundPack(status, out, status.precision, sign, exp - 1, hi, lo, rest);
    else {
      const below = (lo << 31) | (rest >>> 1) | (rest & 1);
      roundPack(status, out, status.precision, sign, exp, (hi >>> 1) | TOP, (hi << 31) | (lo >>> 1), below);
    }
  } else if (A.class >= CLASS_QNAN || B.class >= CLASS_QNAN) pickNan(status, out, A, B);
  else if (A.class === B.class) {
    status.flags |= FP_INVALID;
    setDefaultNan(out);
  } else if (A.class === CLASS_INFINITY) setInfinity(out, sign);
  else if (B.class === CLASS_ZERO) {
    status.flags |= FP_DIVBYZERO;
    setInfinity(out, sign);
  } else setZero(out, sign);
}

/** out = square root of a. */
export function sqrtFloatx80(status: FloatStatus, out: Floatx80, a: Floatx80): void {
  if (!unpack(status, a, A)) {
    setDefaultNan(out);
    return;
  }
  if (A.class >= CLASS_QNAN) returnNan(status, out, A);
  else if (A.class === CLASS_ZERO) packSpecial(out, A);
  else if (A.sign !== 0) {
    status.flags |= FP_INVALID;
    setDefaultNan(out);
  } else if (A.class === CLASS_INFINITY) packSpecial(out, A);
  else sqrtNormal(status, out);
}

/** Restoring square root of A, two bits of the operand and one of the root a step: 64 bits of root and a half bit. */
function sqrtNormal(status: FloatStatus, out: Floatx80): void {
  // Operand in [1, 4) with two integer bits, as exponent - bias is made even.
  const odd = ((A.exp - EXP_BIAS) & 1) !== 0;
  let hi = odd ? A.hi : A.hi >>> 1;
  let lo = odd ? A.lo : (A.lo >>> 1) | (A.hi << 31);
  let below = odd ? 0 : A.lo << 31;
  // Root and remainder, three words each: root has 65 bits at the end, the remainder one more.
  let root2 = 0;
  let root1 = 0;
  let root0 = 0;
  let rem2 = 0;
  let rem1 = 0;
  let rem0 = 0;
  for (let n = 0; n < 65; n++) {
    rem2 = (rem2 << 2) | (rem1 >>> 30);
    rem1 = (rem1 << 2) | (rem0 >>> 30);
    rem0 = (rem0 << 2) | (hi >>> 30);
    hi = (hi << 2) | (lo >>> 30);
    lo = (lo << 2) | (below >>> 30);
    below <<= 2;
    // trial = root * 4 + 1
    const trial2 = (root2 << 2) | (root1 >>> 30);
    const trial1 = (root1 << 2) | (root0 >>> 30);
    const trial0 = (root0 << 2) | 1;
    root2 = (root2 << 1) | (root1 >>> 31);
    root1 = (root1 << 1) | (root0 >>> 31);
    root0 <<= 1;
    const diff0 = (rem0 >>> 0) - (trial0 >>> 0);
    const diff1 = (rem1 >>> 0) - (trial1 >>> 0) - (diff0 < 0 ? 1 : 0);
    const diff2 = (rem2 >>> 0) - (trial2 >>> 0) - (diff1 < 0 ? 1 : 0);
    if (diff2 >= 0) {
      rem0 = diff0 | 0;
      rem1 = diff1 | 0;
      rem2 = diff2 | 0;
      root0 |= 1;
    }
  }
  const rest = (root0 << 31) | ((rem0 | rem1 | rem2) !== 0 ? 1 : 0);
  const exp = ((A.exp - EXP_BIAS) >> 1) + EXP_BIAS;
  roundPack(status, out, status.precision, 0, exp, (root2 << 31) | (root1 >>> 1), (root1 << 31) | (root0 >>> 1), rest);
}

/**
 * out = a - q * b with q = a / b rounded to zero (`nearest` false) or to nearest, ties to even. Returns the low 31 bits of |q|.
 * The exponents of a and b must differ by less than 2^16 or so: one step for each bit of the quotient.
 */
export function remFloatx80(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80, nearest: boolean): number {
  if (!unpack(status, a, A) || !unpack(status, b, B)) {
    setDefaultNan(out);
    return 0;
  }
  if (A.class === CLASS_NORMAL && B.class === CLASS_NORMAL) return remNormal(status, out, nearest);
  if (A.class >= CLASS_QNAN || B.class >= CLASS_QNAN) pickNan(status, out, A, B);
  else if (A.class === CLASS_INFINITY || B.class === CLASS_ZERO) {
    status.flags |= FP_INVALID;
    setDefaultNan(out);
  } else if (A.class === CLASS_ZERO) setZero(out, A.sign);
  else roundPack(status, out, status.precision, A.sign, A.exp, A.hi, A.lo, 0);
  return 0;
}

function remNormal(status: FloatStatus, out: Floatx80, nearest: boolean): number {
  let diff = A.exp - B.exp;
  let sign = A.sign;
  if (diff < -1 || (diff < 0 && !nearest)) {
    roundPack(status, out, status.precision, sign, A.exp, A.hi, A.lo, 0);
    return 0;
  }
  // The remainder carry:hi:lo:half, in units of b's lowest bit; `half` is used only when a's exponent is one less.
  let { hi, lo } = A;
  let half = 0;
  let q = 0;
  if (diff < 0) {
    half = lo << 31;
    lo = (lo >>> 1) | (hi << 31);
    hi >>>= 1;
  }
  let carry = 0;
  for (; ; diff--) {
    if (carry !== 0 || compareMagnitude(hi, lo, B.hi, B.lo) >= 0) {
      hi = (hi - B.hi - (lo >>> 0 < B.lo >>> 0 ? 1 : 0)) | 0;
      lo = (lo - B.lo) | 0;
      q |= 1;
    }
    if (diff <= 0) break;
    q = (q << 1) & 0x7fffffff;
    carry = hi >>> 31;
    hi = (hi << 1) | (lo >>> 31);
    lo <<= 1;
  }
  if (nearest) {
    // Take b - remainder where that is smaller.
    const otherHalf = -half | 0;
    const otherLo = (B.lo - lo - (half !== 0 ? 1 : 0)) | 0;
    const borrow = (B.lo >>> 0) - (lo >>> 0) - (half !== 0 ? 1 : 0) < 0 ? 1 : 0;
    const otherHi = (B.hi - hi - borrow) | 0;
    const order = compareMagnitude(otherHi, otherLo, hi, lo) || (otherHalf >>> 0) - (half >>> 0);
    if (order < 0 || (order === 0 && (q & 1) !== 0)) {
      hi = otherHi;
      lo = otherLo;
      half = otherHalf;
      sign ^= 1;
    }
  }
  if ((hi | lo | half) === 0) setZero(out, sign);
  else roundNormalised(status, out, sign, B.exp, hi, lo, half);
  return q;
}

/** out = a * 2^n, rounded to the current precision. */
export function scaleFloatx80(status: FloatStatus, out: Floatx80, a: Floatx80, n: number): void {
  if (!unpack(status, a, A)) setDefaultNan(out);
  else if (A.class >= CLASS_QNAN) returnNan(status, out, A);
  else if (A.class !== CLASS_NORMAL) packSpecial(out, A);
  else roundPack(status, out, status.precision, A.sign, A.exp + Math.min(Math.max(n, -0x10000), 0x10000), A.hi, A.lo, 0);
}

/** Signed 64-bit integer to floating point, rounded to the current precision. */
export function fromInt64(status: FloatStatus, out: Floatx80, hi: number, lo: number): void {
  if ((hi | lo) === 0) {
    setZero(out, 0);
    return;
  }
  const sign = hi >>> 31;
  if (sign !== 0) {
    lo = -lo | 0;
    hi = (lo === 0 ? -hi : ~hi) | 0;
  }
  roundNormalised(status, out, sign, EXP_BIAS + 63, hi, lo, 0);
}
