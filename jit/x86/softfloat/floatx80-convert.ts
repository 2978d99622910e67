import {
  CLASS_INFINITY,
  CLASS_NORMAL,
  CLASS_QNAN,
  CLASS_SNAN,
  CLASS_ZERO,
  compareMagnitude,
  EXP_BIAS,
  type Floatx80,
  normalise,
  Parts,
  packSpecial,
  returnNan,
  rounded,
  roundNumber,
  roundPack,
  roundsUp,
  setDefaultNan,
  setZero,
  shifted,
  shiftRightSticky,
  TOP,
  unpack,
} from './floatx80.js';
import { type FloatStatus, FP_INEXACT, FP_INVALID, PRECISION_DOUBLE, PRECISION_SINGLE } from './status.js';

const A = /* @__PURE__ */ new Parts();
const B = /* @__PURE__ */ new Parts();

/** Where 64-bit results (integers, doubles) are left: int32 halves. */
export const result64 = { hi: 0, lo: 0 };

/** Single precision to 80 bits; like QEMU rounded to the current precision, which the processors do not do. */
export function fromFloat32(status: FloatStatus, out: Floatx80, bits: number): void {
  widen(status, out, bits >>> 31, (bits >>> 23) & 0xff, 0xff, 127, bits << 9, 0);
}

/** Double precision to 80 bits; like QEMU rounded to the current precision, which the processors do not do. */
export function fromFloat64(status: FloatStatus, out: Floatx80, hi: number, lo: number): void {
  widen(status, out, hi >>> 31, (hi >>> 20) & 0x7ff, 0x7ff, 1023, (hi << 12) | (lo >>> 20), lo << 12);
}

/** `hi`, `lo`: the fraction, its highest bit on top. */
function widen(status: FloatStatus, out: Floatx80, sign: number, exp: number, expMax: number, bias: number, hi: number, lo: number): void {
  A.sign = sign;
  // Below the integer bit.
  A.lo = (lo >>> 1) | (hi << 31);
  A.hi = hi >>> 1;
  if (exp === expMax) {
    A.class = (hi | lo) === 0 ? CLASS_INFINITY : hi < 0 ? CLASS_QNAN : CLASS_SNAN;
    if (A.class === CLASS_INFINITY) packSpecial(out, A);
    else returnNan(status, out, A);
  } else if (exp === 0) {
    if ((hi | lo) === 0) setZero(out, sign);
    else {
      normalise(A, EXP_BIAS - bias + 1);
      roundPack(status, out, status.precision, sign, A.exp, A.hi, A.lo, 0);
    }
  } else roundPack(status, out, status.precision, sign, exp - bias + EXP_BIAS, A.hi | TOP, A.lo, 0);
}

/** 80 bits to single precision. */
export function toFloat32(status: FloatStatus, a: Floatx80): number {
  if (!unpack(status, a, A)) return 0xffc00000 | 0;
  const sign = A.sign << 31;
  switch (A.class) {
    case CLASS_ZERO:
      return sign;
    case CLASS_INFINITY:
      return sign | 0x7f800000;
    case CLASS_NORMAL:
      roundNumber(status, PRECISION_SINGLE, 0xff, A.sign, A.exp - EXP_BIAS + 127, A.hi, A.lo, 0);
      return sign | (rounded.exp << 23) | ((rounded.hi & 0x7fffffff) >>> 8);
    default:
      if (A.class === CLASS_SNAN) status.flags |= FP_INVALID;
      return sign | 0x7fc00000 | ((A.hi & 0x7fffffff) >>> 8);
  }
}

/** 80 bits to double precision, into `result64`. */
export function toFloat64(status: FloatStatus, a: Floatx80): void {
  result64.lo = 0;
  if (!unpack(status, a, A)) {
    result64.hi = 0xfff80000 | 0;
    return;
  }
  const sign = A.sign << 31;
  switch (A.class) {
    case CLASS_ZERO:
      result64.hi = sign;
      break;
    case CLASS_INFINITY:
      result64.hi = sign | 0x7ff00000;
      break;
    case CLASS_NORMAL:
      roundNumber(status, PRECISION_DOUBLE, 0x7ff, A.sign, A.exp - EXP_BIAS + 1023, A.hi, A.lo, 0);
      result64.hi = sign | (rounded.exp << 20) | ((rounded.hi & 0x7fffffff) >>> 11);
      result64.lo = (rounded.hi << 21) | (rounded.lo >>> 11);
      break;
    default:
      if (A.class === CLASS_SNAN) status.flags |= FP_INVALID;
      result64.hi = sign | 0x7ff80000 | ((A.hi & 0x7fffffff) >>> 11);
      result64.lo = (A.hi << 21) | (A.lo >>> 11);
  }
}

/**
 * Rounds to a signed integer of 16, 32 or 64 bits, into `result64` (sign-extended). NaNs and what does not fit give the
 * integer indefinite (the most negative integer) and invalid, without inexact.
 */
export function toInteger(status: FloatStatus, a: Floatx80, roundingMode: number, sizeBits: number): void {
  if (!unpack(status, a, A) || A.class > CLASS_NORMAL || !roundMagnitude(roundingMode) || !fits(sizeBits)) {
    status.flags |= FP_INVALID;
    result64.hi = sizeBits === 64 ? TOP : -1;
    result64.lo = sizeBits === 64 ? 0 : -1 << (sizeBits - 1);
    return;
  }
  if (lost) status.flags |= FP_INEXACT;
  if (A.sign !== 0) {
    A.lo = -A.lo | 0;
    A.hi = (A.lo === 0 ? -A.hi : ~A.hi) | 0;
  }
  result64.hi = A.hi;
  result64.lo = A.lo;
}

/** Whether the last `roundMagnitude` lost bits. */
let lost = false;

/** Makes A.hi:A.lo the rounded magnitude; false if it needs more than 64 bits. */
function roundMagnitude(mode: number): boolean {
  lost = false;
  if (A.class === CLASS_ZERO) return true;
  const shift = EXP_BIAS + 63 - A.exp;
  if (shift < 0) return false;
  shiftRightSticky(A.hi, A.lo, 0, shift);
  const up = roundsUp(mode, A.sign, (shifted.lo & 1) !== 0, shifted.rest);
  lost = shifted.rest !== 0;
  A.lo = up ? (shifted.lo + 1) | 0 : shifted.lo;
  A.hi = up && A.lo === 0 ? (shifted.hi + 1) | 0 : shifted.hi;
  return true;
}

/** Whether the signed integer with magnitude A.hi:A.lo has at most that many bits. */
function fits(sizeBits: number): boolean {
  // The most negative integer has the magnitude 2^(sizeBits - 1).
  const limitHi = sizeBits === 64 ? TOP : 0;
  const limitLo = sizeBits === 64 ? 0 : 1 << (sizeBits - 1);
  const order = compareMagnitude(A.hi, A.lo, limitHi, limitLo);
  return order < 0 || (order === 0 && A.sign !== 0);
}

/** Rounds to an integral value in floating point (FRNDINT). What has no fraction bits within the current precision is only rounded to that. */
export function roundToIntegral(status: FloatStatus, out: Floatx80, a: Floatx80): void {
  if (!unpack(status, a, A)) setDefaultNan(out);
  else if (A.class >= CLASS_QNAN) returnNan(status, out, A);
  else if (A.class !== CLASS_NORMAL) packSpecial(out, A);
  else if (A.exp >= EXP_BIAS + status.precision - 1) roundPack(status, out, status.precision, A.sign, A.exp, A.hi, A.lo, 0);
  else {
    roundMagnitude(status.roundingMode);
    if (lost) status.flags |= FP_INEXACT;
    if ((A.hi | A.lo) === 0) setZero(out, A.sign);
    else {
      normalise(A, EXP_BIAS + 63);
      roundPack(status, out, status.precision, A.sign, A.exp, A.hi, A.lo, 0);
    }
  }
}

export const ORDER_LESS = -1;
export const ORDER_EQUAL = 0;
export const ORDER_GREATER = 1;
export const ORDER_UNORDERED = 2;

/** Compares; quiet NaNs raise invalid unless `quiet`. ORDER_*. */
export function compareFloatx80(status: FloatStatus, a: Floatx80, b: Floatx80, quiet: boolean): number {
  if (!unpack(status, a, A) || !unpack(status, b, B)) return ORDER_UNORDERED;
  if (A.class >= CLASS_QNAN || B.class >= CLASS_QNAN) {
    if (!quiet || A.class === CLASS_SNAN || B.class === CLASS_SNAN) status.flags |= FP_INVALID;
    return ORDER_UNORDERED;
  }
  if (A.class === CLASS_ZERO && B.class === CLASS_ZERO) return ORDER_EQUAL;
  if (A.class === CLASS_ZERO) return B.sign !== 0 ? ORDER_GREATER : ORDER_LESS;
  if (B.class === CLASS_ZERO || A.sign !== B.sign) return A.sign !== 0 ? ORDER_LESS : ORDER_GREATER;
  const order = magnitudeOrder();
  return A.sign !== 0 ? -order | 0 : order;
}

function magnitudeOrder(): number {
  if (A.class !== B.class) return A.class === CLASS_INFINITY ? ORDER_GREATER : ORDER_LESS;
  if (A.class === CLASS_INFINITY) return ORDER_EQUAL;
  if (A.exp !== B.exp) return A.exp < B.exp ? ORDER_LESS : ORDER_GREATER;
  return compareMagnitude(A.hi, A.lo, B.hi, B.lo);
}
