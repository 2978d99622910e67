import { EXP_BIAS, EXP_MAX, Floatx80, rounded, roundNumber, TOP } from './floatx80.js';
import { addFloatx80, divFloatx80, mulFloatx80, sqrtFloatx80, subFloatx80 } from './floatx80-arith.js';
import { result64 } from './floatx80-convert.js';
import { FloatStatus, FP_INEXACT, FP_UNDERFLOW, PRECISION_DOUBLE, PRECISION_SINGLE, ROUND_DOWN, ROUND_TO_ZERO } from './status.js';

/**
 * The slow and complete path of single and double precision arithmetic: every rounding mode, denormals, NaNs. Operands are widened to 80 bits
 * without loss, the 80-bit operation is done towards zero with its inexact flag as the sticky bit behind its 64 bits, and that is rounded once
 * to the narrow format. 64 bits and a sticky bit are more than the 2 * 53 + 2 rule asks for.
 *
 * As in QEMU 7.2: of two NaNs the x87 rules choose (quiet before signalling, larger significand, positive), not the processors' "first operand";
 * results that are tiny before rounding are what flush-to-zero flushes.
 */
const A = /* @__PURE__ */ new Floatx80();
const B = /* @__PURE__ */ new Floatx80();
const R = /* @__PURE__ */ new Floatx80();

const wide = /* @__PURE__ */ towardsZero();

function towardsZero(): FloatStatus {
  const status = new FloatStatus();
  status.roundingMode = ROUND_TO_ZERO;
  return status;
}

/** What the two-operand functions do. */
export const OP_ADD = 0;
export const OP_SUB = 1;
export const OP_MUL = 2;
export const OP_DIV = 3;

const DOUBLE_BIAS = 1023;
const DOUBLE_EXP_MAX = 0x7ff;
const SINGLE_BIAS = 127;
const SINGLE_EXP_MAX = 0xff;

/** Double to 80 bits; NaNs stay signalling. Denormals count as zero if the status says so. */
function widenDouble(status: FloatStatus, out: Floatx80, hi: number, lo: number): void {
  const exp = (hi >>> 20) & DOUBLE_EXP_MAX;
  widen(status, out, hi >>> 31, exp, DOUBLE_EXP_MAX, DOUBLE_BIAS, ((hi & 0xfffff) << 11) | (lo >>> 21), lo << 11);
}

/** Single to 80 bits, the same way. */
function widenSingle(status: FloatStatus, out: Floatx80, bits: number): void {
  widen(status, out, bits >>> 31, (bits >>> 23) & SINGLE_EXP_MAX, SINGLE_EXP_MAX, SINGLE_BIAS, (bits & 0x7fffff) << 8, 0);
}

/** `hi`, `lo`: the fraction below the integer bit. */
function widen(status: FloatStatus, out: Floatx80, sign: number, exp: number, expMax: number, bias: number, hi: number, lo: number): void {
  const signBit = sign << 15;
  if (exp === expMax) out.set(signBit | EXP_MAX, hi | TOP, lo);
  else if (exp !== 0) out.set(signBit | (exp - bias + EXP_BIAS), hi | TOP, lo);
  else if ((hi | lo) === 0 || status.denormalsAreZero) out.set(signBit, 0, 0);
  else {
    let newExp = 1 - bias + EXP_BIAS;
    if (hi === 0) {
      hi = lo;
      lo = 0;
      newExp -= 32;
    }
    const shift = Math.clz32(hi);
    if (shift !== 0) {
      hi = (hi << shift) | (lo >>> (32 - shift));
      lo <<= shift;
    }
    out.set(signBit | (newExp - shift), hi, lo);
  }
}

/** Whether R was tiny and flushed to zero. */
function flushed(status: FloatStatus, exp: number): boolean {
  if (exp > 0 || !status.flushToZero) return false;
  status.flags |= FP_UNDERFLOW | FP_INEXACT;
  return true;
}

/** Takes over the flags of the wide operation; the sticky bit behind R. */
function takeFlags(status: FloatStatus): number {
  status.flags |= wide.flags & ~FP_INEXACT;
  return (wide.flags & FP_INEXACT) !== 0 ? 1 : 0;
}

/** Rounds R to double precision, into `result64`. */
function narrowDouble(status: FloatStatus): void {
  const sticky = takeFlags(status);
  const sign = R.signExp >>> 15;
  const exp = R.signExp & EXP_MAX;
  if (exp === EXP_MAX) {
    result64.hi = (sign << 31) | 0x7ff00000 | ((R.hi & 0x7fffffff) >>> 11);
    result64.lo = (R.hi << 21) | (R.lo >>> 11);
  } else if (R.hi === 0 || flushed(status, exp - EXP_BIAS + DOUBLE_BIAS)) {
    result64.hi = sign << 31;
    result64.lo = 0;
  } else {
    roundNumber(status, PRECISION_DOUBLE, DOUBLE_EXP_MAX, sign, exp - EXP_BIAS + DOUBLE_BIAS, R.hi, R.lo, sticky);
    result64.hi = (sign << 31) | (rounded.exp << 20) | ((rounded.hi & 0x7fffffff) >>> 11);
    result64.lo = (rounded.hi << 21) | (rounded.lo >>> 11);
  }
}

/** Rounds R to single precision. */
function narrowSingle(status: FloatStatus): number {
  const sticky = takeFlags(status);
  const sign = R.signExp >>> 15;
  const exp = R.signExp & EXP_MAX;
  if (exp === EXP_MAX) return (sign << 31) | 0x7f800000 | ((R.hi & 0x7fffffff) >>> 8);
  if (R.hi === 0 || flushed(status, exp - EXP_BIAS + SINGLE_BIAS)) return sign << 31;
  roundNumber(status, PRECISION_SINGLE, SINGLE_EXP_MAX, sign, exp - EXP_BIAS + SINGLE_BIAS, R.hi, R.lo, sticky);
  return (sign << 31) | (rounded.exp << 23) | ((rounded.hi & 0x7fffffff) >>> 8);
}

/** R = A op B. */
function operate(status: FloatStatus, op: number): void {
  wide.flags = 0;
  switch (op) {
    case OP_ADD:
    case OP_SUB: {
      if (op === OP_ADD) addFloatx80(wide, R, A, B);
      else subFloatx80(wide, R, A, B);
      const unlike = (A.signExp ^ B.signExp) >>> 15 !== op;
      if (R.hi === 0 && unlike && status.roundingMode === ROUND_DOWN) R.signExp = 0x8000;
      break;
    }
    case OP_MUL:
      mulFloatx80(wide, R, A, B);
      break;
    default:
      divFloatx80(wide, R, A, B);
  }
}

/** a op b in double precision, into `result64`. */
export function operateDouble(status: FloatStatus, op: number, aHi: number, aLo: number, bHi: number, bLo: number): void {
  widenDouble(status, A, aHi, aLo);
  widenDouble(status, B, bHi, bLo);
  operate(status, op);
  narrowDouble(status);
}

/** a op b in single precision; bit patterns. */
export function operateSingle(status: FloatStatus, op: number, a: number, b: number): number {
  widenSingle(status, A, a);
  widenSingle(status, B, b);
  operate(status, op);
  return narrowSingle(status);
}

/** Square root in double precision, into `result64`. */
export function rootDouble(status: FloatStatus, hi: number, lo: number): void {
  widenDouble(status, A, hi, lo);
  wide.flags = 0;
  sqrtFloatx80(wide, R, A);
  narrowDouble(status);
}

/** Square root in single precision. */
export function rootSingle(status: FloatStatus, bits: number): number {
  widenSingle(status, A, bits);
  wide.flags = 0;
  sqrtFloatx80(wide, R, A);
  return narrowSingle(status);
}

const NO_CHANGE = /* @__PURE__ */ new Floatx80().set(0, 0, 0);

/** R = A with a signalling NaN made quiet. */
function passOn(): void {
  wide.flags = 0;
  if ((A.signExp & EXP_MAX) === EXP_MAX) addFloatx80(wide, R, A, NO_CHANGE);
  else R.copy(A);
}

/** Double to single precision. */
export function doubleToSingle(status: FloatStatus, hi: number, lo: number): number {
  widenDouble(status, A, hi, lo);
  passOn();
  return narrowSingle(status);
}

/** Single to double precision, into `result64`. */
export function singleToDouble(status: FloatStatus, bits: number): void {
  widenSingle(status, A, bits);
  passOn();
  narrowDouble(status);
}
