import { mulHigh } from '../softfloat/wide.js';
import { Lanes } from '../sse-state.js';
import { saturateSignedByte, saturateSignedWord, saturateUnsignedByte } from './saturate.js';

/**
 * Packed integer operations that look at more than one lane: sums, packs, interleaves, 64-bit lanes (SDM Vol. 2, by mnemonic).
 * `n`: 8 or 16 bytes. d and s may be the same.
 */
export type PackedKernel = (d: Lanes, s: Lanes, n: number) => void;
/** Shift of every lane by the same count; counts above the lane's width shift everything out. */
export type ShiftKernel = (d: Lanes, count: number, n: number) => void;

const T = /* @__PURE__ */ new Lanes();

/** s, or a copy of it if writing d would change it. */
function apart(d: Lanes, s: Lanes): Lanes {
  if (d !== s) return s;
  T.copy(s);
  return T;
}

export function paddq(d: Lanes, s: Lanes, n: number): void {
  const a = d.u32;
  const b = s.u32;
  for (let k = 0, end = n >> 2; k < end; k += 2) {
    const low = a[k] + b[k];
    a[k + 1] = a[k + 1] + b[k + 1] + (low > 0xffffffff ? 1 : 0);
    a[k] = low;
  }
}

export function psubq(d: Lanes, s: Lanes, n: number): void {
  const a = d.u32;
  const b = s.u32;
  for (let k = 0, end = n >> 2; k < end; k += 2) {
    const low = a[k] - b[k];
    a[k + 1] = a[k + 1] - b[k + 1] - (low < 0 ? 1 : 0);
    a[k] = low;
  }
}

export function pmuludq(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k += 2) {
    const x = a[k];
    const y = b[k];
    a[k] = Math.imul(x, y);
    a[k + 1] = mulHigh(x, y);
  }
}

export function pmaddwd(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k += 2) d.i32[k >> 1] = a[k] * b[k] + a[k + 1] * b[k + 1];
}

export function psadbw(d: Lanes, s: Lanes, n: number): void {
  for (let q = 0; q < n; q += 8) {
    let sum = 0;
    for (let k = q; k < q + 8; k++) sum += Math.abs(d.u8[k] - s.u8[k]);
    d.i32[q >> 2] = sum;
    d.i32[(q >> 2) + 1] = 0;
  }
}

export function packsswb(d: Lanes, s: Lanes, n: number): void {
  const from = apart(d, s).i16;
  const half = n >> 1;
  for (let k = 0; k < half; k++) d.i8[k] = saturateSignedByte(d.i16[k]);
  for (let k = 0; k < half; k++) d.i8[half + k] = saturateSignedByte(from[k]);
}

export function packuswb(d: Lanes, s: Lanes, n: number): void {
  const from = apart(d, s).i16;
  const half = n >> 1;
  for (let k = 0; k < half; k++) d.u8[k] = saturateUnsignedByte(d.i16[k]);
  for (let k = 0; k < half; k++) d.u8[half + k] = saturateUnsignedByte(from[k]);
}

export function packssdw(d: Lanes, s: Lanes, n: number): void {
  const from = apart(d, s).i32;
  const half = n >> 2;
  for (let k = 0; k < half; k++) d.i16[k] = saturateSignedWord(d.i32[k]);
  for (let k = 0; k < half; k++) d.i16[half + k] = saturateSignedWord(from[k]);
}

/** Interleaves the low halves, from the top down so that nothing is overwritten before it is read. */
function interleaveLow(a: Uint8Array | Uint16Array | Int32Array, b: Uint8Array | Uint16Array | Int32Array, lanes: number): void {
  for (let k = (lanes >> 1) - 1; k >= 0; k--) {
    const x = a[k];
    const y = b[k];
    a[2 * k] = x;
    a[2 * k + 1] = y;
  }
}

/** Interleaves the high halves, from the bottom up. */
function interleaveHigh(a: Uint8Array | Uint16Array | Int32Array, b: Uint8Array | Uint16Array | Int32Array, lanes: number): void {
  const half = lanes >> 1;
  for (let k = 0; k < half; k++) {
    const x = a[half + k];
    const y = b[half + k];
    a[2 * k] = x;
    a[2 * k + 1] = y;
  }
}

export function punpcklbw(d: Lanes, s: Lanes, n: number): void {
  interleaveLow(d.u8, s.u8, n);
}

export function punpcklwd(d: Lanes, s: Lanes, n: number): void {
  interleaveLow(d.u16, s.u16, n >> 1);
}

/** PUNPCKLDQ, UNPCKLPS. */
export function punpckldq(d: Lanes, s: Lanes, n: number): void {
  interleaveLow(d.i32, s.i32, n >> 2);
}

export function punpckhbw(d: Lanes, s: Lanes, n: number): void {
  interleaveHigh(d.u8, s.u8, n);
}

export function punpckhwd(d: Lanes, s: Lanes, n: number): void {
  interleaveHigh(d.u16, s.u16, n >> 1);
}

/** PUNPCKHDQ, UNPCKHPS. */
export function punpckhdq(d: Lanes, s: Lanes, n: number): void {
  interleaveHigh(d.i32, s.i32, n >> 2);
}

/** PUNPCKLQDQ, UNPCKLPD. */
export function punpcklqdq(d: Lanes, s: Lanes): void {
  const lo = s.i32[0];
  d.i32[3] = s.i32[1];
  d.i32[2] = lo;
}

/** PUNPCKHQDQ, UNPCKHPD. */
export function punpckhqdq(d: Lanes, s: Lanes): void {
  d.i32[0] = d.i32[2];
  d.i32[1] = d.i32[3];
  d.i32[2] = s.i32[2];
  d.i32[3] = s.i32[3];
}

/** The count of a shift by register or memory: all 64 bits count. */
export function shiftCount(s: Lanes): number {
  return s.u32[1] !== 0 ? 255 : Math.min(s.u32[0], 255);
}

function clear(d: Lanes, n: number): void {
  for (let k = 0, end = n >> 2; k < end; k++) d.i32[k] = 0;
}

export function psrlw(d: Lanes, count: number, n: number): void {
  if (count > 15) clear(d, n);
  else for (let k = 0, end = n >> 1; k < end; k++) d.u16[k] >>= count;
}

export function psraw(d: Lanes, count: number, n: number): void {
  const by = Math.min(count, 15);
  for (let k = 0, end = n >> 1; k < end; k++) d.i16[k] >>= by;
}

export function psllw(d: Lanes, count: number, n: number): void {
  if (count > 15) clear(d, n);
  else for (let k = 0, end = n >> 1; k < end; k++) d.u16[k] <<= count;
}

export function psrld(d: Lanes, count: number, n: number): void {
  if (count > 31) clear(d, n);
  else for (let k = 0, end = n >> 2; k < end; k++) d.i32[k] >>>= count;
}

export function psrad(d: Lanes, count: number, n: number): void {
  const by = Math.min(count, 31);
  for (let k = 0, end = n >> 2; k < end; k++) d.i32[k] >>= by;
}

export function pslld(d: Lanes, count: number, n: number): void {
  if (count > 31) clear(d, n);
  else for (let k = 0, end = n >> 2; k < end; k++) d.i32[k] <<= count;
}

export function psrlq(d: Lanes, count: number, n: number): void {
  if (count > 63) {
    clear(d, n);
    return;
  }
  const a = d.i32;
  for (let k = 0, end = n >> 2; k < end; k += 2) {
    const lo = a[k];
    const hi = a[k + 1];
    if (count >= 32) {
      a[k] = hi >>> (count - 32);
      a[k + 1] = 0;
    } else if (count !== 0) {
      a[k] = (lo >>> count) | (hi << (32 - count));
      a[k + 1] = hi >>> count;
    }
  }
}

export function psllq(d: Lanes, count: number, n: number): void {
  if (count > 63) {
    clear(d, n);
    return;
  }
  const a = d.i32;
  for (let k = 0, end = n >> 2; k < end; k += 2) {
    const lo = a[k];
    const hi = a[k + 1];
    if (count >= 32) {
      a[k + 1] = lo << (count - 32);
      a[k] = 0;
    } else if (count !== 0) {
      a[k + 1] = (hi << count) | (lo >>> (32 - count));
      a[k] = lo << count;
    }
  }
}

/** PSRLDQ: shifts by bytes. */
export function psrldq(d: Lanes, count: number): void {
  const by = Math.min(count, 16);
  d.u8.copyWithin(0, by);
  d.u8.fill(0, 16 - by);
}

/** PSLLDQ. */
export function pslldq(d: Lanes, count: number): void {
  const by = Math.min(count, 16);
  d.u8.copyWithin(by, 0);
  d.u8.fill(0, 0, by);
}

/** One bit of each byte's sign, lowest byte first (PMOVMSKB). */
export function byteSigns(s: Lanes, n: number): number {
  let mask = 0;
  for (let k = 0; k < n; k++) mask |= (s.u8[k] >> 7) << k;
  return mask;
}

/** Words (`first` .. `first` + 3) picked by the four two-bit fields of `order` (PSHUFW, PSHUFLW, PSHUFHW). d and s may be the same. */
export function shuffleWords(d: Lanes, s: Lanes, first: number, order: number): void {
  const w = s.u16;
  const w0 = w[first + (order & 3)];
  const w1 = w[first + ((order >> 2) & 3)];
  const w2 = w[first + ((order >> 4) & 3)];
  const w3 = w[first + ((order >> 6) & 3)];
  d.u16[first] = w0;
  d.u16[first + 1] = w1;
  d.u16[first + 2] = w2;
  d.u16[first + 3] = w3;
}
