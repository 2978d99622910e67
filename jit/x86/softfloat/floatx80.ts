import {
  type FloatStatus,
  FP_INEXACT,
  FP_INVALID,
  FP_OVERFLOW,
  FP_UNDERFLOW,
  PRECISION_EXTENDED,
  PRECISION_SINGLE,
  ROUND_DOWN,
  ROUND_NEAREST_EVEN,
  ROUND_TO_ZERO,
  ROUND_UP,
} from './status.js';

/**
 * A double extended-precision number (SDM Vol. 1, 4.2.2): sign and 15-bit exponent in `signExp`, 64-bit significand with explicit integer
 * bit in `hi` and `lo` (int32 halves). Operands and results of the arithmetic are such objects, owned and reused by the caller.
 */
export class Floatx80 {
  signExp = 0;
  hi = 0;
  lo = 0;

  set(signExp: number, hi: number, lo: number): this {
    this.signExp = signExp;
    this.hi = hi | 0;
    this.lo = lo | 0;
    return this;
  }

  copy(from: Floatx80): void {
    this.signExp = from.signExp;
    this.hi = from.hi;
    this.lo = from.lo;
  }
}

/** Bias of the exponent. */
export const EXP_BIAS = 0x3fff;
/** Exponent field of infinities and NaNs. */
export const EXP_MAX = 0x7fff;
/** Top bit of a 32-bit word as an int32. */
export const TOP = -0x80000000;

/** What `unpack` found. */
export const CLASS_ZERO = 0;
export const CLASS_NORMAL = 1;
export const CLASS_INFINITY = 2;
export const CLASS_QNAN = 3;
export const CLASS_SNAN = 4;

/** A number taken apart: biased exponent of the normalised significand (denormals have exponents of 0 and less), integer bit on top. */
export class Parts {
  class = CLASS_ZERO;
  /** 0 or 1. */
  sign = 0;
  exp = 0;
  hi = 0;
  lo = 0;
}

/** The default NaN ("real indefinite"): negative, quiet. */
export function setDefaultNan(out: Floatx80): void {
  out.set(0xffff, 0xc0000000, 0);
}

export function setZero(out: Floatx80, sign: number): void {
  out.set(sign << 15, 0, 0);
}

export function setInfinity(out: Floatx80, sign: number): void {
  out.set((sign << 15) | EXP_MAX, TOP, 0);
}

/** Unnormals, pseudo-infinities and pseudo-NaNs: exponent not 0, integer bit clear (SDM Vol. 1, 8.2.2). */
export function isInvalidEncoding(a: Floatx80): boolean {
  return a.hi >= 0 && (a.signExp & EXP_MAX) !== 0;
}

export function isZero(a: Floatx80): boolean {
  return (a.signExp & EXP_MAX) === 0 && (a.hi | a.lo) === 0;
}

export function isInfinity(a: Floatx80): boolean {
  return (a.signExp & EXP_MAX) === EXP_MAX && a.hi === TOP && a.lo === 0;
}

/** A NaN of either kind; pseudo-NaNs included (look for invalid encodings first). */
export function isNan(a: Floatx80): boolean {
  return (a.signExp & EXP_MAX) === EXP_MAX && ((a.hi & 0x7fffffff) | a.lo) !== 0;
}

/** A signalling NaN; the integer bit is not looked at, as in QEMU. */
export function isSignalingNan(a: Floatx80): boolean {
  return (a.signExp & EXP_MAX) === EXP_MAX && (a.hi & 0x40000000) === 0 && ((a.hi & 0x3fffffff) | a.lo) !== 0;
}

/** Makes a signalling NaN quiet. */
export function silenceNan(a: Floatx80): void {
  a.hi |= 0xc0000000;
}

/** Takes `a` apart. False, with invalid raised, for an encoding no x87 since the 80387 supports. */
export function unpack(status: FloatStatus, a: Floatx80, p: Parts): boolean {
  const exp = a.signExp & EXP_MAX;
  const hi = a.hi;
  const lo = a.lo;
  p.sign = a.signExp >> 15;
  p.exp = exp;
  p.hi = hi;
  p.lo = lo;
  if (exp === 0) {
    if ((hi | lo) === 0) {
      p.class = CLASS_ZERO;
      return true;
    }
    p.class = CLASS_NORMAL;
    // Denormals, and pseudo-denormals, whose integer bit is set.
    normalise(p, 1);
    return true;
  }
  if (hi >= 0) {
    status.flags |= FP_INVALID;
    return false;
  }
  if (exp !== EXP_MAX) p.class = CLASS_NORMAL;
  else if (((hi & 0x7fffffff) | lo) === 0) p.class = CLASS_INFINITY;
  else p.class = (hi & 0x40000000) !== 0 ? CLASS_QNAN : CLASS_SNAN;
  return true;
}

/** Shifts a significand that is not 0 up to its integer bit; `exp` is what its exponent would be without a shift. */
export function normalise(p: Parts, exp: number): void {
  let { hi, lo } = p;
  let shift = Math.clz32(hi);
  p.exp = exp - shift;
  if (shift === 32) {
    hi = lo;
    lo = 0;
    shift = Math.clz32(hi);
    p.exp -= shift;
  }
  p.hi = shift === 0 ? hi : (hi << shift) | (lo >>> (32 - shift));
  p.lo = lo << shift;
}

/** Puts back together what is no number in need of rounding. NaNs get their integer bit; a signalling one must be silenced by the caller. */
export function packSpecial(out: Floatx80, p: Parts): void {
  if (p.class === CLASS_ZERO) setZero(out, p.sign);
  else if (p.class === CLASS_INFINITY) setInfinity(out, p.sign);
  else out.set((p.sign << 15) | EXP_MAX, p.hi | TOP, p.lo);
}

/** The result of an operation with one NaN operand `p`. */
export function returnNan(status: FloatStatus, out: Floatx80, p: Parts): void {
  if (p.class === CLASS_SNAN) status.flags |= FP_INVALID;
  out.set((p.sign << 15) | EXP_MAX, p.hi | 0xc0000000, p.lo);
}

/**
 * The result of an operation of which one operand at least is a NaN (SDM Vol. 1, table 4-7): a quiet one goes before a signalling one, then the
 * larger significand, then the positive sign.
 */
export function pickNan(status: FloatStatus, out: Floatx80, a: Parts, b: Parts): void {
  if (a.class === CLASS_SNAN || b.class === CLASS_SNAN) status.flags |= FP_INVALID;
  let pick = a;
  if (a.class < CLASS_QNAN) pick = b;
  else if (b.class >= CLASS_QNAN) {
    if (a.class !== b.class) pick = a.class === CLASS_QNAN ? a : b;
    else {
      const order = compareMagnitude(a.hi & 0x7fffffff, a.lo, b.hi & 0x7fffffff, b.lo);
      pick = order > 0 || (order === 0 && a.sign < b.sign) ? a : b;
    }
  }
  out.set((pick.sign << 15) | EXP_MAX, pick.hi | 0xc0000000, pick.lo);
}

/** -1, 0 or 1: unsigned comparison of two 64-bit numbers. */
export function compareMagnitude(aHi: number, aLo: number, bHi: number, bLo: number): number {
  if (aHi !== bHi) return aHi >>> 0 < bHi >>> 0 ? -1 : 1;
  if (aLo !== bLo) return aLo >>> 0 < bLo >>> 0 ? -1 : 1;
  return 0;
}

/** Whether a significand is incremented. `rest` is what lies below its last bit: its top bit is worth a half, anything else is sticky. */
export function roundsUp(mode: number, sign: number, odd: boolean, rest: number): boolean {
  switch (mode) {
    case ROUND_NEAREST_EVEN:
      return rest < 0 && (odd || rest !== TOP);
    case ROUND_DOWN:
      return sign !== 0 && rest !== 0;
    case ROUND_UP:
      return sign === 0 && rest !== 0;
    default:
      return false;
  }
}

/** The result of `shiftRightSticky`. */
export const shifted = { hi: 0, lo: 0, rest: 0 };

/** Shifts hi:lo:rest right by `count` >= 0; ones that fall out are kept in the lowest bit. */
export function shiftRightSticky(hi: number, lo: number, rest: number, count: number): void {
  while (count >= 32) {
    if ((hi | lo) === 0) {
      rest = rest !== 0 ? 1 : 0;
      count = 0;
      break;
    }
    rest = lo | (rest !== 0 ? 1 : 0);
    lo = hi;
    hi = 0;
    count -= 32;
  }
  if (count > 0) {
    const up = 32 - count;
    shifted.rest = (rest >>> count) | (lo << up) | (rest << up !== 0 ? 1 : 0);
    shifted.lo = (lo >>> count) | (hi << up);
    shifted.hi = hi >>> count;
  } else {
    shifted.rest = rest;
    shifted.lo = lo;
    shifted.hi = hi;
  }
}

/** The result of `roundNumber`: biased exponent (0: zero or denormal) and significand with its integer bit on top. */
export const rounded = { exp: 0, hi: 0, lo: 0 };

/**
 * Rounds a normalised significand hi:lo:rest to `precision` bits (the lowest bit of `rest` is sticky) for a format whose biased exponents
 * end before `expMax`, raising what is due. `exp` may be of any size. An infinity comes out as exponent `expMax`.
 */
export function roundNumber(
  status: FloatStatus,
  precision: number,
  expMax: number,
  sign: number,
  exp: number,
  hi: number,
  lo: number,
  rest: number,
): void {
  const mode = status.roundingMode;
  let tiny = false;
  if (exp <= 0) {
    // Tiny unless rounding to the same precision with an unbounded exponent would have given the smallest normal number.
    tiny = exp < 0 || !(roundSignificand(precision, mode, sign, hi, lo, rest) && (rounded.hi | rounded.lo) === 0);
    shiftRightSticky(hi, lo, rest, 1 - exp);
    hi = shifted.hi;
    lo = shifted.lo;
    rest = shifted.rest;
    exp = 0;
  }
  const up = roundSignificand(precision, mode, sign, hi, lo, rest);
  if (inexact) status.flags |= tiny ? FP_INEXACT | FP_UNDERFLOW : FP_INEXACT;
  if (exp === 0) exp = rounded.hi < 0 ? 1 : 0;
  else if (up && (rounded.hi | rounded.lo) === 0) {
    rounded.hi = TOP;
    exp++;
  }
  rounded.exp = exp;
  if (exp >= expMax) overflow(status, precision, expMax, sign);
}

/** Rounds as `roundNumber` does and packs an 80-bit number. */
export function roundPack(
  status: FloatStatus,
  out: Floatx80,
  precision: number,
  sign: number,
  exp: number,
  hi: number,
  lo: number,
  rest: number,
): void {
  if (precision === PRECISION_EXTENDED && exp > 0 && exp < EXP_MAX - 1) {
    // The usual case: full precision, no overflow or underflow near.
    if (rest !== 0) {
      status.flags |= FP_INEXACT;
      if (roundsUp(status.roundingMode, sign, (lo & 1) !== 0, rest)) {
        lo = (lo + 1) | 0;
        if (lo === 0) hi = (hi + 1) | 0;
        if ((hi | lo) === 0) {
          hi = TOP;
          exp++;
        }
      }
    }
    out.signExp = (sign << 15) | exp;
    out.hi = hi;
    out.lo = lo;
    return;
  }
  roundNumber(status, precision, EXP_MAX, sign, exp, hi, lo, rest);
  out.signExp = (sign << 15) | rounded.exp;
  out.hi = rounded.hi;
  out.lo = rounded.lo;
}

/** Whether the last `roundSignificand` lost bits. */
let inexact = false;

/** Leaves hi:lo rounded to `precision` bits from the top in `rounded`, modulo 2^64; tells whether it was incremented. */
function roundSignificand(precision: number, mode: number, sign: number, hi: number, lo: number, rest: number): boolean {
  if (precision === PRECISION_EXTENDED) {
    const up = roundsUp(mode, sign, (lo & 1) !== 0, rest);
    inexact = rest !== 0;
    increment(hi, lo, up ? 1 : 0);
    return up;
  }
  if (precision === PRECISION_SINGLE) {
    const below = (hi << 24) | ((lo | rest) !== 0 ? 1 : 0);
    const up = roundsUp(mode, sign, (hi & 0x100) !== 0, below);
    inexact = below !== 0;
    rounded.lo = 0;
    rounded.hi = ((hi & ~0xff) + (up ? 0x100 : 0)) | 0;
    return up;
  }
  const below = (lo << 21) | (rest !== 0 ? 1 : 0);
  const up = roundsUp(mode, sign, (lo & 0x800) !== 0, below);
  inexact = below !== 0;
  increment(hi, lo & ~0x7ff, up ? 0x800 : 0);
  return up;
}

function increment(hi: number, lo: number, by: number): void {
  rounded.lo = (lo + by) | 0;
  rounded.hi = by !== 0 && rounded.lo === 0 ? (hi + 1) | 0 : hi;
}

/** Overflow gives infinity, or the largest finite number when that is where the rounding goes. */
function overflow(status: FloatStatus, precision: number, expMax: number, sign: number): void {
  status.flags |= FP_OVERFLOW | FP_INEXACT;
  const mode = status.roundingMode;
  if (mode === ROUND_TO_ZERO || mode === (sign !== 0 ? ROUND_UP : ROUND_DOWN)) {
    rounded.exp = expMax - 1;
    rounded.hi = precision === PRECISION_SINGLE ? ~0xff : -1;
    rounded.lo = precision === PRECISION_EXTENDED ? -1 : precision === PRECISION_SINGLE ? 0 : ~0x7ff;
  } else {
    rounded.exp = expMax;
    rounded.hi = TOP;
    rounded.lo = 0;
  }
}
