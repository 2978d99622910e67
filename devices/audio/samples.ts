/** Arithmetic on samples as QEMU's mixing engine has it: 16-bit samples stand in the upper half of 32 bits, rounding is always downwards. */

const TWO_16 = 0x10000;
const TWO_32 = 0x100000000;
/** Loudest value of a level. */
export const FULL_LEVEL = 255;

/** 16-bit sample, little-endian, at a byte of `bytes`: -32768 to 32767. */
export function sampleAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
}

/** A sum of samples as 16 bits, clipped. */
export function clip(value: number): number {
  if (value >= 0x7fffffff) return 0x7fff;
  if (value < -0x80000000) return -0x8000;
  return Math.floor(value / TWO_16);
}

/** floor(value * level / 255), in steps of 2^-32 of the level. @param value 32 bits, signed */
export function scale(value: number, level: number): number {
  if (level === FULL_LEVEL) return value;
  return mulShift32(value, Math.floor((TWO_32 * level) / FULL_LEVEL));
}

/** The value at `fraction` (of 2^32) of the way between two samples. @param from 32 bits, signed; @param to likewise */
export function between(from: number, to: number, fraction: number): number {
  // (from * (2^32 - 1 - fraction) + to * fraction) / 2^32: the weights add up to one too few.
  return from + mulShift32(to - from, fraction, -from);
}

/** floor((a * b + c) / 2^32) for |a| <= 2^32, 0 <= b < 2^32, |c| <= 2^32, without a product beyond 2^53. */
function mulShift32(a: number, b: number, c = 0): number {
  const high = Math.floor(b / TWO_16);
  const low = b - high * TWO_16;
  return Math.floor((a * high + Math.floor((a * low + c) / TWO_16)) / TWO_16);
}
