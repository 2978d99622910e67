/** Words of the last 64 by 64 bit product, w3 the highest; int32. */
export const product = { w3: 0, w2: 0, w1: 0, w0: 0 };

/** High word of the unsigned product of two 32-bit words. */
export function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow);
  const mid = Math.imul(aHigh, bLow) + (low >>> 16);
  const mid2 = Math.imul(aLow, bHigh) + (mid & 0xffff);
  return (Math.imul(aHigh, bHigh) + (mid >>> 16) + (mid2 >>> 16)) | 0;
}

/** Unsigned 64 by 64 bit multiplication into `product`. */
export function multiply64(aHi: number, aLo: number, bHi: number, bLo: number): void {
  const low = Math.imul(aLo, bLo);
  const cross1 = Math.imul(aHi, bLo);
  const cross2 = Math.imul(aLo, bHi);
  const w1 = (mulHigh(aLo, bLo) >>> 0) + (cross1 >>> 0) + (cross2 >>> 0);
  const carry1 = w1 > 0x1ffffffff ? 2 : w1 > 0xffffffff ? 1 : 0;
  const w2 = (mulHigh(aHi, bLo) >>> 0) + (mulHigh(aLo, bHi) >>> 0) + (Math.imul(aHi, bHi) >>> 0) + carry1;
  const carry2 = w2 > 0x1ffffffff ? 2 : w2 > 0xffffffff ? 1 : 0;
  product.w0 = low;
  product.w1 = w1 | 0;
  product.w2 = w2 | 0;
  product.w3 = (mulHigh(aHi, bHi) + carry2) | 0;
}

/** Fraction bits of the last quotient: 64 in hi:lo, then `rest`, whose lowest bit is sticky. */
export const quotient = { hi: 0, lo: 0, rest: 0 };

const digits = /* @__PURE__ */ new Int32Array(5);

/**
 * a / b for two significands with their top bits set: returns the integer part (0 or 1) and leaves the fraction in `quotient`.
 * Long division in base 2^16; a digit estimated in doubles is off by one at most, and everything else stays below 2^53.
 */
export function divide64(aHi: number, aLo: number, bHi: number, bLo: number): number {
  const divHi = bHi >>> 0;
  const divLo = bLo >>> 0;
  const divisor = divHi * 0x100000000 + divLo;
  let remHi = aHi >>> 0;
  let remLo = aLo >>> 0;
  let whole = 0;
  if (remHi > divHi || (remHi === divHi && remLo >= divLo)) {
    whole = 1;
    remLo -= divLo;
    remHi -= divHi;
    if (remLo < 0) {
      remLo += 0x100000000;
      remHi -= 1;
    }
  }
  for (let n = 0; n < 5; n++) {
    let digit = Math.floor(((remHi * 0x100000000 + remLo) * 0x10000) / divisor);
    const low = remLo * 0x10000 - digit * divLo;
    const carry = Math.floor(low / 0x100000000);
    remLo = low - carry * 0x100000000;
    remHi = remHi * 0x10000 - digit * divHi + carry;
    if (remHi < 0) {
      digit--;
      remLo += divLo;
      remHi += divHi;
      if (remLo >= 0x100000000) {
        remLo -= 0x100000000;
        remHi += 1;
      }
    } else if (remHi > divHi || (remHi === divHi && remLo >= divLo)) {
      digit++;
      remLo -= divLo;
      remHi -= divHi;
      if (remLo < 0) {
        remLo += 0x100000000;
        remHi -= 1;
      }
    }
    digits[n] = digit;
  }
  quotient.hi = (digits[0] << 16) | digits[1];
  quotient.lo = (digits[2] << 16) | digits[3];
  quotient.rest = (digits[4] << 16) | (remHi !== 0 || remLo !== 0 ? 1 : 0);
  return whole;
}
