import type { Lanes } from '../sse-state.js';
import { EQUAL, GREATER, LESS, UNORDERED } from './float64.js';
import { OP_ADD, OP_DIV, OP_MUL, OP_SUB, operateSingle, rootSingle } from './narrow.js';
import { type FloatStatus, FP_INEXACT, FP_INVALID, ROUND_NEAREST_EVEN } from './status.js';

/**
 * Single precision arithmetic on packed operands: d[k] = a[k] op b[k]. A double has more than 2 * 24 + 2 bits, so rounding its result once more to
 * single precision gives the right one. Used when rounding to nearest and the result is normal or an exact zero; all else goes to narrow.ts.
 */
const MIN_NORMAL = 2 ** -126;
const MAX = 3.4028234663852886e38;

/** Whether a JavaScript number can stand for the operand: always, but for denormals that count as zero. */
function plain(status: FloatStatus, x: number): boolean {
  return !status.denormalsAreZero || x === 0 || !(Math.abs(x) < MIN_NORMAL);
}

function isNormal(x: number): boolean {
  const m = Math.abs(x);
  return m > MIN_NORMAL && m <= MAX;
}

export function add32(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f32[k];
  const y = b.f32[k];
  if (!addFast(status, d, x, y, k)) d.i32[k] = operateSingle(status, OP_ADD, a.i32[k], b.i32[k]);
}

export function sub32(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f32[k];
  const y = b.f32[k];
  if (!addFast(status, d, x, -y, k)) d.i32[k] = operateSingle(status, OP_SUB, a.i32[k], b.i32[k]);
}

function addFast(status: FloatStatus, d: Lanes, x: number, y: number, k: number): boolean {
  if (status.roundingMode !== ROUND_NEAREST_EVEN || !plain(status, x) || !plain(status, y)) return false;
  const sum = x + y;
  const r = Math.fround(sum);
  if (!isNormal(r) && sum !== 0) return false;
  if ((status.flags & FP_INEXACT) === 0) {
    const part = sum - x;
    if (r !== sum || x - (sum - part) + (y - part) !== 0) status.flags |= FP_INEXACT;
  }
  d.f32[k] = r;
  return true;
}

export function mul32(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f32[k];
  const y = b.f32[k];
  if (status.roundingMode === ROUND_NEAREST_EVEN && plain(status, x) && plain(status, y)) {
    const p = x * y;
    const r = Math.fround(p);
    if (isNormal(r) || p === 0) {
      if (r !== p) status.flags |= FP_INEXACT;
      d.f32[k] = r;
      return;
    }
  }
  d.i32[k] = operateSingle(status, OP_MUL, a.i32[k], b.i32[k]);
}

export function div32(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  const x = a.f32[k];
  const y = b.f32[k];
  if (status.roundingMode === ROUND_NEAREST_EVEN && plain(status, x) && plain(status, y)) {
    const q = x / y;
    const r = Math.fround(q);
    if (isNormal(r)) {
      if (r * y !== x) status.flags |= FP_INEXACT;
      d.f32[k] = r;
      return;
    }
    if (x === 0 && q === 0) {
      d.f32[k] = r;
      return;
    }
  }
  d.i32[k] = operateSingle(status, OP_DIV, a.i32[k], b.i32[k]);
}

/** d[k] = square root of b[k]. */
export function sqrt32(status: FloatStatus, d: Lanes, _a: Lanes, b: Lanes, k: number): void {
  const x = b.f32[k];
  if (status.roundingMode === ROUND_NEAREST_EVEN && x >= MIN_NORMAL && x <= MAX) {
    const r = Math.fround(Math.sqrt(x));
    if (r * r !== x) status.flags |= FP_INEXACT;
    d.f32[k] = r;
    return;
  }
  d.i32[k] = rootSingle(status, b.i32[k]);
}

const ONE = 0x3f800000;

/** d[k] = 1 / b[k], raising nothing: QEMU's RCPPS is exact to the last bit, where the processors approximate. */
export function rcp32(status: FloatStatus, d: Lanes, _a: Lanes, b: Lanes, k: number): void {
  const flags = status.flags;
  d.i32[k] = operateSingle(status, OP_DIV, ONE, b.i32[k]);
  status.flags = flags;
}

/** d[k] = 1 / square root of b[k], rounded twice, raising nothing: QEMU's RSQRTPS. */
export function rsqrt32(status: FloatStatus, d: Lanes, _a: Lanes, b: Lanes, k: number): void {
  const flags = status.flags;
  d.i32[k] = operateSingle(status, OP_DIV, ONE, rootSingle(status, b.i32[k]));
  status.flags = flags;
}

/** d[k] = a[k] < b[k] ? a[k] : b[k]: the second operand if they are equal or not ordered (SDM Vol. 2, MINPS). */
export function min32(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  d.i32[k] = compare32(status, a, b, k, false) === LESS ? a.i32[k] : b.i32[k];
}

/** d[k] = a[k] > b[k] ? a[k] : b[k] (MAXPS). */
export function max32(status: FloatStatus, d: Lanes, a: Lanes, b: Lanes, k: number): void {
  d.i32[k] = compare32(status, a, b, k, false) === GREATER ? a.i32[k] : b.i32[k];
}

/** Compares a[k] with b[k]. NaNs raise invalid, but with `quiet` only signalling ones do. */
export function compare32(status: FloatStatus, a: Lanes, b: Lanes, k: number, quiet: boolean): number {
  const x = value32(status, a, k);
  const y = value32(status, b, k);
  if (x < y) return LESS;
  if (x > y) return GREATER;
  if (x === y) return EQUAL;
  if (!quiet || isSignaling32(a.i32[k]) || isSignaling32(b.i32[k])) status.flags |= FP_INVALID;
  return UNORDERED;
}

function isSignaling32(bits: number): boolean {
  return (bits & 0x7fc00000) === 0x7f800000 && (bits & 0x3fffff) !== 0;
}

/** The number itself, denormals that count as zero being zero. */
export function value32(status: FloatStatus, a: Lanes, k: number): number {
  const x = a.f32[k];
  return plain(status, x) ? x : 0;
}
