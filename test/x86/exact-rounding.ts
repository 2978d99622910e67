import type { Floatx80 } from '../../jit/x86/softfloat/floatx80.js';
import {
  type FloatStatus,
  FP_INEXACT,
  FP_OVERFLOW,
  FP_UNDERFLOW,
  ROUND_DOWN,
  ROUND_NEAREST_EVEN,
  ROUND_TO_ZERO,
  ROUND_UP,
} from '../../jit/x86/softfloat/status.js';

// Binary floating point by its definitions (IEEE 754-2019, 4.3 and 7), in exact rational arithmetic.

/** num / den * 2^exp, den > 0. */
export interface Exact {
  num: bigint;
  den: bigint;
  exp: number;
}

export interface Rounded {
  /** null: infinity. */
  value: Exact | null;
  negative: boolean;
  flags: number;
}

export function exact(a: Floatx80): Exact {
  const sig = (BigInt(a.hi >>> 0) << 32n) | BigInt(a.lo >>> 0);
  return { num: a.signExp >> 15 !== 0 ? -sig : sig, den: 1n, exp: Math.max(a.signExp & 0x7fff, 1) - 0x3fff - 63 };
}

export function shiftLeft(v: bigint, by: number): bigint {
  return by >= 0 ? v << BigInt(by) : v >> BigInt(-by);
}

export const abs = (v: bigint) => (v < 0n ? -v : v);

/** Floor of log2 of a positive rational. */
function log2Floor(num: bigint, den: bigint, exp: number): number {
  let e = num.toString(2).length - den.toString(2).length;
  if (e >= 0 ? num < den << BigInt(e) : num << BigInt(-e) < den) e--;
  return e + exp;
}

/** Rounds to a multiple of 2^unit. */
export function roundToUnit(v: Exact, unit: number, mode: number): { quotient: bigint; inexact: boolean } {
  const shift = v.exp - unit;
  const num = shift >= 0 ? abs(v.num) << BigInt(shift) : abs(v.num);
  const den = shift >= 0 ? v.den : v.den << BigInt(-shift);
  let quotient = num / den;
  const rest = num % den;
  const away =
    mode === ROUND_NEAREST_EVEN
      ? 2n * rest > den || (2n * rest === den && (quotient & 1n) === 1n)
      : rest !== 0n && mode === (v.num < 0n ? ROUND_DOWN : ROUND_UP);
  if (away) quotient++;
  return { quotient, inexact: rest !== 0n };
}

/** Rounds a value that is not 0 to a format with least normal exponent `min` and greatest `max`. */
export function round(v: Exact, mode: number, precision: number, min: number, max: number): Rounded {
  const negative = v.num < 0n;
  const e = log2Floor(abs(v.num), v.den, v.exp);
  const unbounded = roundToUnit(v, e - precision + 1, mode);
  const tiny = log2Floor(unbounded.quotient, 1n, e - precision + 1) < min;
  const unit = Math.max(e, min) - precision + 1;
  const { quotient, inexact } = roundToUnit(v, unit, mode);
  let flags = inexact ? FP_INEXACT : 0;
  if (inexact && tiny) flags |= FP_UNDERFLOW;
  if (quotient !== 0n && log2Floor(quotient, 1n, unit) > max) {
    flags |= FP_OVERFLOW | FP_INEXACT;
    const finite = mode === ROUND_TO_ZERO || mode === (negative ? ROUND_UP : ROUND_DOWN);
    return { value: finite ? { num: (1n << BigInt(precision)) - 1n, den: 1n, exp: max - precision + 1 } : null, negative, flags };
  }
  return { value: { num: quotient, den: 1n, exp: unit }, negative, flags };
}

/** Sign, value and flags as one string to compare. */
export function show(r: Rounded): string {
  if (r.value === null) return `${r.negative ? '-' : '+'}infinity ${r.flags}`;
  let { num, exp } = r.value;
  while (num !== 0n && (num & 1n) === 0n) {
    num >>= 1n;
    exp++;
  }
  return `${r.negative ? '-' : '+'}${num.toString(16)}${num === 0n ? '' : ` * 2^${exp}`} ${r.flags}`;
}

export function showResult(status: FloatStatus, a: Floatx80): string {
  const negative = a.signExp >> 15 !== 0;
  if ((a.signExp & 0x7fff) === 0x7fff && a.hi === -0x80000000 && a.lo === 0) return show({ value: null, negative, flags: status.flags });
  const v = exact(a);
  return show({ value: { ...v, num: abs(v.num) }, negative, flags: status.flags });
}
