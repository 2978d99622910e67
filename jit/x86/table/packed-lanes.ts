import type { Lanes } from '../sse-state.js';
import { saturateSignedByte, saturateSignedWord } from './saturate.js';

/**
 * What MMX and SSE2 do to each lane of d with the same lane of s (SDM Vol. 2, by mnemonic). `n`: 8 or 16 bytes. d and s may be the same.
 * Loops are written out, one for each instruction, so that each gets its own type feedback.
 */

/** PADDB. */
export function paddb(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = a[k] + b[k];
}

/** PADDW. */
export function paddw(d: Lanes, s: Lanes, n: number): void {
  const a = d.u16;
  const b = s.u16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = a[k] + b[k];
}

/** PADDD. */
export function paddd(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = a[k] + b[k];
}

/** PSUBB. */
export function psubb(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = a[k] - b[k];
}

/** PSUBW. */
export function psubw(d: Lanes, s: Lanes, n: number): void {
  const a = d.u16;
  const b = s.u16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = a[k] - b[k];
}

/** PSUBD. */
export function psubd(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = a[k] - b[k];
}

/** PADDSB. */
export function paddsb(d: Lanes, s: Lanes, n: number): void {
  const a = d.i8;
  const b = s.i8;
  for (let k = 0, end = n; k < end; k++) a[k] = saturateSignedByte(a[k] + b[k]);
}

/** PADDSW. */
export function paddsw(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = saturateSignedWord(a[k] + b[k]);
}

/** PSUBSB. */
export function psubsb(d: Lanes, s: Lanes, n: number): void {
  const a = d.i8;
  const b = s.i8;
  for (let k = 0, end = n; k < end; k++) a[k] = saturateSignedByte(a[k] - b[k]);
}

/** PSUBSW. */
export function psubsw(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = saturateSignedWord(a[k] - b[k]);
}

/** PADDUSB. */
export function paddusb(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = Math.min(a[k] + b[k], 0xff);
}

/** PADDUSW. */
export function paddusw(d: Lanes, s: Lanes, n: number): void {
  const a = d.u16;
  const b = s.u16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = Math.min(a[k] + b[k], 0xffff);
}

/** PSUBUSB. */
export function psubusb(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = Math.max(a[k] - b[k], 0);
}

/** PSUBUSW. */
export function psubusw(d: Lanes, s: Lanes, n: number): void {
  const a = d.u16;
  const b = s.u16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = Math.max(a[k] - b[k], 0);
}

/** PAND, ANDPS, ANDPD. */
export function pand(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = a[k] & b[k];
}

/** PANDN, ANDNPS, ANDNPD. */
export function pandn(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = ~a[k] & b[k];
}

/** POR, ORPS, ORPD. */
export function por(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = a[k] | b[k];
}

/** PXOR, XORPS, XORPD. */
export function pxor(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = a[k] ^ b[k];
}

/** PCMPEQB. */
export function pcmpeqb(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = a[k] === b[k] ? 0xff : 0;
}

/** PCMPEQW. */
export function pcmpeqw(d: Lanes, s: Lanes, n: number): void {
  const a = d.u16;
  const b = s.u16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = a[k] === b[k] ? 0xffff : 0;
}

/** PCMPEQD. */
export function pcmpeqd(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = a[k] === b[k] ? -1 : 0;
}

/** PCMPGTB. */
export function pcmpgtb(d: Lanes, s: Lanes, n: number): void {
  const a = d.i8;
  const b = s.i8;
  for (let k = 0, end = n; k < end; k++) a[k] = a[k] > b[k] ? -1 : 0;
}

/** PCMPGTW. */
export function pcmpgtw(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = a[k] > b[k] ? -1 : 0;
}

/** PCMPGTD. */
export function pcmpgtd(d: Lanes, s: Lanes, n: number): void {
  const a = d.i32;
  const b = s.i32;
  for (let k = 0, end = n >> 2; k < end; k++) a[k] = a[k] > b[k] ? -1 : 0;
}

/** PMINUB. */
export function pminub(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = Math.min(a[k], b[k]);
}

/** PMAXUB. */
export function pmaxub(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = Math.max(a[k], b[k]);
}

/** PMINSW. */
export function pminsw(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = Math.min(a[k], b[k]);
}

/** PMAXSW. */
export function pmaxsw(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = Math.max(a[k], b[k]);
}

/** PAVGB. */
export function pavgb(d: Lanes, s: Lanes, n: number): void {
  const a = d.u8;
  const b = s.u8;
  for (let k = 0, end = n; k < end; k++) a[k] = (a[k] + b[k] + 1) >> 1;
}

/** PAVGW. */
export function pavgw(d: Lanes, s: Lanes, n: number): void {
  const a = d.u16;
  const b = s.u16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = (a[k] + b[k] + 1) >> 1;
}

/** PMULLW. */
export function pmullw(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = a[k] * b[k];
}

/** PMULHW. */
export function pmulhw(d: Lanes, s: Lanes, n: number): void {
  const a = d.i16;
  const b = s.i16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = (a[k] * b[k]) >> 16;
}

/** PMULHUW. */
export function pmulhuw(d: Lanes, s: Lanes, n: number): void {
  const a = d.u16;
  const b = s.u16;
  for (let k = 0, end = n >> 1; k < end; k++) a[k] = (a[k] * b[k]) >>> 16;
}
