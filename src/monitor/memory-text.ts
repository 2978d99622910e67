/** How `x` and `xp` show memory: `/count format size`. */
export interface DumpFormat {
  readonly count: number;
  readonly format: 'x' | 'd' | 'u' | 'o' | 'c' | 'i';
  /** Bytes of an item. */
  readonly size: 1 | 2 | 4 | 8;
}

/** A character constant as C writes it; `value` is taken as a 32-bit number. */
export function character(value: number): string {
  const escapes: Readonly<Record<number, string>> = { 39: "\\'", 92: '\\\\', 10: '\\n', 13: '\\r' };
  const shown =
    escapes[value] ?? (value >= 0x20 && value <= 0x7e ? String.fromCharCode(value) : `\\x${value.toString(16).padStart(2, '0')}`);
  return `'${shown}'`;
}

function item(value: bigint, { format, size }: DumpFormat): string {
  const bits = size * 8;
  switch (format) {
    case 'd':
      return String(size === 8 ? BigInt.asIntN(64, value) : value).padStart(Math.ceil((bits * 10) / 33));
    case 'u':
      return String(value).padStart(Math.ceil((bits * 10) / 33));
    case 'o':
      return (value === 0n ? '0' : `0${value.toString(8)}`).padStart(Math.ceil(bits / 3));
    case 'c':
      return character(Number(value & 0xffn));
    default:
      return `0x${value.toString(16).padStart(bits / 4, '0')}`;
  }
}

/**
 * Lines of a dump, as QEMU prints them.
 * @param bytes what was read; null: nothing could be
 * @param digits of the addresses: 8 for linear ones, 16 for physical ones
 */
export function dumpLine(address: bigint, bytes: Uint8Array | null, format: DumpFormat, digits: number): string {
  const head = `${address.toString(16).padStart(digits, '0')}:`;
  if (bytes === null) return `${head} Cannot access memory`;
  const size = format.format === 'c' ? 1 : format.size;
  const items: string[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    let value = 0n;
    for (let k = size - 1; k >= 0; k--) value = (value << 8n) | BigInt(bytes[at + k]!);
    items.push(item(value, format));
  }
  return `${head} ${items.join(' ')}`;
}

/** Bytes of one line. */
export function lineBytes(format: DumpFormat): number {
  return format.size === 1 ? 8 : 16;
}
