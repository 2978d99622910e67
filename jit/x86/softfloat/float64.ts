import type { Lanes } from '../sse-state.js';
import { result64 } from './floatx80-convert.js';
import { OP_ADD, OP_DIV, OP_MUL, OP_SUB, operateDouble, rootDouble } from './narrow.js';
import { type FloatStatus, FP_INEXACT, FP_INVALID, ROUND_NEAREST_EVEN } from './status.js';

/**
 * Double precision arithmetic on packed operands: d[k] = a[k] op b[k]. The numbers of JavaScript do it when that is certain to be right: rounding to
 * nearest, and a result that is normal (or an exact zero). Whether it was exact is found out without rounding errors (T. J. Dekker, "A
 * floating-point technique for extending the available precision", 1971), and only while inexact is not raised yet. All else goes to narrow.ts.
 */
const MIN_NORMAL = 2.2250738585072014e-308;
const MAX = Number.MAX_VALUE;
/** Between these magnitudes the error of a product is a double, and neither splitting a factor nor multiplying the parts overflows. */
const SPLIT_LOW = 2 ** -960;
const SPLIT_HIGH = 2 ** 990;
const SPLITTER = 0x8000001;

/** Whether a JavaScript number can stand for the operand: always, but for denormals that count as zero. */
function plain(status: FloatStatus, x: number): boolean {
  return !status.denormalsAreZero || x === 0 || !(Math.abs(x) < MIN_NORMAL);
}

/** Error of the product of x and y, which was rounded to p. */
function productError(x: number, y: number, p: number): number {
  const xc = SPLITTER * x;
  const xh = xc - (xc - x);
  const xl = x - xh;
  const yc = SPLITTER * y;
  const yh = yc - (yc - y);
  const yl = y - yh;
  return xl * yl - (p - xh * yh - xl * yh - xh * yl);
}

function splittable(x: number): boolean {
  const m = Math.abs(x);
  return m > SPLIT_LOW && m < SPLIT_HIGH;
}

function slow(status: FloatStatus, op: number, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const lo = 2 * k;
  operateDouble(status, op, a.i32[lo + 1], a.i32[lo], b.i32[lo + 1], b.i32[lo]);
  d.i32[lo] = result64.lo;
  d.i32[lo + 1] = result64.hi;
}

export function add64(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f64[k];
  const y = b.f64[k];
  if (!addFast(status, d, x, y, k)) slow(status, OP_ADD, d, a, b, k);
}

export function sub64(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f64[k];
  const y = b.f64[k];
  if (!addFast(status, d, x, -y, k)) slow(status, OP_SUB, d, a, b, k);
}

function addFast(status: FloatStatus, d: Lanes, x: number, y: number, k: number): boolean {
  if (status.roundingMode !== ROUND_NEAREST_EVEN || !plain(status, x) || !plain(status, y)) return false;
  const sum = x + y;
  const m = Math.abs(sum);
  if (!((m > MIN_NORMAL && m <= MAX) || m === 0)) return false;
  if ((status.flags & FP_INEXACT) === 0) {
    const part = sum - x;
    if (x - (sum - part) + (y - part) !== 0) status.flags |= FP_INEXACT;
  }
  d.f64[k] = sum;
  return true;
}

export function mul64(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f64[k];
  const y = b.f64[k];
  if (status.roundingMode === ROUND_NEAREST_EVEN && plain(status, x) && plain(status, y)) {
    const p = x * y;
    const m = Math.abs(p);
    if (m > MIN_NORMAL && m <= MAX) {
      if ((status.flags & FP_INEXACT) !== 0) {
        d.f64[k] = p;
        return;
      }
      if (splittable(p) && splittable(x) && splittable(y)) {
        if (productError(x, y, p) !== 0) status.flags |= FP_INEXACT;
        d.f64[k] = p;
        return;
      }
    } else if (m === 0 && (x === 0 || y === 0)) {
      d.f64[k] = p;
      return;
    }
  }
  slow(status, OP_MUL, d, a, b, k);
}

export function div64(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f64[k];
  const y = b.f64[k];
  if (status.roundingMode === ROUND_NEAREST_EVEN && plain(status, x) && plain(status, y)) {
    const q = x / y;
    const m = Math.abs(q);
    if (m > MIN_NORMAL && m <= MAX) {
      if ((status.flags & FP_INEXACT) !== 0) {
        d.f64[k] = q;
        return;
      }
      if (splittable(q) && splittable(x) && splittable(y)) {
        const p = q * y;
        if (p !== x || productError(q, y, p) !== 0) status.flags |= FP_INEXACT;
        d.f64[k] = q;
        return;
      }
    } else if (q === 0 && x === 0) {
      d.f64[k] = q;
      return;
    }
  }
  slow(status, OP_DIV, d, a, b, k);
}

/** d[k] = square root of b[k]. */
export function sqrt64(status: FloatStatus, d: Lanes, _a: Lanes, b: Lanes, k: number): void {
  const x = b.f64[k];
  if (status.roundingMode === ROUND_NEAREST_EVEN && x > SPLIT_LOW && x < SPLIT_HIGH) {
    const root = Math.sqrt(x);
    if ((status.flags & FP_INEXACT) === 0) {
      const p = root * root;
      if (p !== x || productError(root, root, p) !== 0) status.flags |= FP_INEXACT;
    }
    d.f64[k] = root;
    return;
  }
  const lo = 2 * k;
  rootDouble(status, b.i32[lo + 1], b.i32[lo]);
  d.i32[lo] = result64.lo;
  d.i32[lo + 1] = result64.hi;
}

/** d[k] = a[k] < b[k] ? a[k] : b[k]: the second operand if they are equal or not ordered (SDM Vol. 2, MINPD). */
export function min64(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  choose(d, compare64(status, a, b, k, false) === LESS ? a : b, k);
}

/** d[k] = a[k] > b[k] ? a[k] : b[k] (MAXPD). */
export function max64(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  choose(d, compare64(status, a, b, k, false) === GREATER ? a : b, k);
}

function choose(d: Lanes, from: Lanes, k: number): void {
  const lo = 2 * k;
  const hi = from.i32[lo + 1];
  d.i32[lo] = from.i32[lo];
  d.i32[lo + 1] = hi;
}

/** Results of the comparisons. */
export const LESS = -1;
export const EQUAL = 0;
export const GREATER = 1;
export const UNORDERED = 2;

/** Compares a[k] with b[k]. NaNs raise invalid, but with `quiet` only signalling ones do. */
export function compare64(status: FloatStatus, a: Lanes, b: Lanes, k: number, quiet: boolean): number {
  let x = a.f64[k];
  let y = b.f64[k];
  if (!plain(status, x)) x = 0;
  if (!plain(status, y)) y = 0;
  if (x < y) return LESS;
  if (x > y) return GREATER;
  if (x === y) return EQUAL;
  if (!quiet || isSignaling64(a, k) || isSignaling64(b, k)) status.flags |= FP_INVALID;
  return UNORDERED;
}

function isSignaling64(a: Lanes, k: number): boolean {
  const hi = a.i32[2 * k + 1];
  return (hi & 0x7ff80000) === 0x7ff00000 && ((hi & 0x7ffff) | a.i32[2 * k]) !== 0;
}

/** The number itself, denormals that count as zero being zero. */
export function value64(status: FloatStatus, a: Lanes, k: number): number {
  const x = a.f64[k];
  return plain(status, x) ? x : 0;
}
