/** An unsigned 64-bit number, most significant byte first. Above 2^53 it is not exact, and beyond any file. */
export function bigEndian64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
