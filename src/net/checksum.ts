/** Sum of 16-bit words, most significant byte first, as ones' complement arithmetic has it (RFC 1071), on top of `sum`; not inverted. An odd last byte is a word's first. */
export function onesSum(bytes: Uint8Array, sum = 0): number {
  let total = sum;
  for (let i = 0; i < bytes.length; i++) total += i & 1 ? bytes[i]! : bytes[i]! << 8;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

/** The Internet checksum. */
export function checksum(bytes: Uint8Array, sum = 0): number {
  return ~onesSum(bytes, sum) & 0xffff;
}

/** Sum of the pseudo header of TCP and UDP (RFC 9293, section 3.1). */
export function pseudoSum(source: number, destination: number, protocol: number, lengthBytes: number): number {
  return [source, destination].reduce((sum, a) => sum + (a >>> 16) + (a & 0xffff), protocol + lengthBytes);
}
