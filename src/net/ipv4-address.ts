/** IPv4 addresses as unsigned 32-bit numbers, first byte on top. */

/** Four decimal numbers with dots between; null for anything else. */
export function parseIpv4(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const bytes = match.slice(1).map(Number);
  return bytes.some((b) => b > 255) ? null : bytes.reduce((address, b) => address * 256 + b, 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** The mask of a prefix of 1 to 32 bits. */
export function prefixMask(bits: number): number {
  return (0xffffffff << (32 - bits)) >>> 0;
}
