/** Saturation of packed integers (SDM Vol. 1, 9.3.1). */
export function saturateSignedByte(x: number): number {
  return Math.min(Math.max(x, -0x80), 0x7f);
}

export function saturateUnsignedByte(x: number): number {
  return Math.min(Math.max(x, 0), 0xff);
}

export function saturateSignedWord(x: number): number {
  return Math.min(Math.max(x, -0x8000), 0x7fff);
}
