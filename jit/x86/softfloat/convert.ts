import type { Lanes } from '../sse-state.js';
import { value32 } from './float32.js';
import { value64 } from './float64.js';
import { result64 } from './floatx80-convert.js';
import { doubleToSingle, singleToDouble } from './narrow.js';
import { type FloatStatus, FP_INEXACT, FP_INVALID, ROUND_DOWN, ROUND_NEAREST_EVEN, ROUND_TO_ZERO, ROUND_UP } from './status.js';

/** Conversions between single and double precision and 32-bit integers. */
const MIN_NORMAL = 2 ** -126;
const MAX = 3.4028234663852886e38;
/** The integer indefinite (SDM Vol. 1, 4.8.2.1 and table E-1). */
const INDEFINITE = -0x80000000;
/** A number added and taken away again leaves a double of small magnitude rounded to an integer, ties to even. */
const ROUNDER = 2 ** 52 + 2 ** 51;

function roundToIntegral(x: number, roundingMode: number): number {
  switch (roundingMode) {
    case ROUND_NEAREST_EVEN:
      return x + ROUNDER - ROUNDER;
    case ROUND_DOWN:
      return Math.floor(x);
    case ROUND_UP:
      return Math.ceil(x);
    default:
      return Math.trunc(x);
  }
}

/** A number to int32. NaNs and what does not fit give the integer indefinite and invalid, without inexact. */
function toInt32(status: FloatStatus, x: number, roundingMode: number): number {
  if (x > -0x80000002 && x < 0x80000001) {
    const r = roundToIntegral(x, roundingMode);
    if (r >= -0x80000000 && r <= 0x7fffffff) {
      if (r !== x) status.flags |= FP_INEXACT;
      return r | 0;
    }
  }
  status.flags |= FP_INVALID;
  return INDEFINITE;
}

/** Single lane k to int32, rounded as MXCSR says or towards zero. */
export function singleToInt(status: FloatStatus, a: Lanes, k: number, truncate: boolean): number {
  return toInt32(status, value32(status, a, k), truncate ? ROUND_TO_ZERO : status.roundingMode);
}

/** Double lane k to int32. */
export function doubleToInt(status: FloatStatus, a: Lanes, k: number, truncate: boolean): number {
  return toInt32(status, value64(status, a, k), truncate ? ROUND_TO_ZERO : status.roundingMode);
}

const scratchDouble = /* @__PURE__ */ new Float64Array(1);
const scratchWords = /* @__PURE__ */ new Int32Array(scratchDouble.buffer);

/** An int32 to single lane k of `d`. */
export function intToSingle(status: FloatStatus, d: Lanes, k: number, value: number): void {
  const r = Math.fround(value);
  if (r === value) d.f32[k] = r;
  else if (status.roundingMode === ROUND_NEAREST_EVEN) {
    status.flags |= FP_INEXACT;
    d.f32[k] = r;
  } else {
    scratchDouble[0] = value;
    d.i32[k] = doubleToSingle(status, scratchWords[1], scratchWords[0]);
  }
}

/** Double lane j of `s` to single lane k of `d`. */
export function convertToSingle(status: FloatStatus, d: Lanes, k: number, s: Lanes, j: number): void {
  const x = s.f64[j];
  const r = Math.fround(x);
  const m = Math.abs(r);
  if (x === 0 || (status.roundingMode === ROUND_NEAREST_EVEN && m > MIN_NORMAL && m <= MAX)) {
    if (r !== x) status.flags |= FP_INEXACT;
    d.f32[k] = r;
  } else d.i32[k] = doubleToSingle(status, s.i32[2 * j + 1], s.i32[2 * j]);
}

/** Single lane j of `s` to double lane k of `d`: exact, but for denormals that count as zero. */
export function convertToDouble(status: FloatStatus, d: Lanes, k: number, s: Lanes, j: number): void {
  const x = value32(status, s, j);
  if (x - x === 0) {
    d.f64[k] = x === 0 && s.i32[j] < 0 ? -0 : x;
    return;
  }
  singleToDouble(status, s.i32[j]);
  d.i32[2 * k] = result64.lo;
  d.i32[2 * k + 1] = result64.hi;
}
