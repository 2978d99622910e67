export const NS_PER_SECOND = 1_000_000_000;

/**
 * floor(a * b / c) exactly, for non-negative integers a < 2^53 and b, c with (c - 1) * b < 2^53.
 * Device frequencies against nanoseconds (1193182 Hz, 3579545 Hz, 1e9) all satisfy that.
 */
export function mulDiv(a: number, b: number, c: number): number {
  const q = Math.floor(a / c);
  const r = a - q * c;
  return q * b + Math.floor((r * b) / c);
}
