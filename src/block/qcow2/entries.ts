/** Bytes of an entry of an L1 or L2 table. */
export const ENTRY_BYTES = 8;
/** Unit in which the length of compressed data is given. */
const COMPRESSED_UNIT = 512;

/** Bits 56-62 and 0-8 of an L1 entry, 56-61 and 1-8 of an L2 entry are reserved; the halves of the masks. */
const L1_RESERVED = { high: 0x7f000000, low: 0x1ff };
const L2_RESERVED = { high: 0x3f000000, low: 0x1fe };
const COMPRESSED_HIGH = 0x40000000;
const OFFSET_HIGH = 0x00ffffff;

/** Where an L2 entry says that a cluster of the disk is. Places and lengths in bytes of the image file. */
export type Mapping =
  /** In the backing file, or zeros. */
  | { readonly kind: 'unallocated' }
  /** Zeros; `kept` is where the cluster keeps space of its own all the same, 0: it does not. */
  | { readonly kind: 'zero'; readonly kept: number }
  | { readonly kind: 'normal'; readonly offset: number }
  /** `length` bytes hold it; some at the end may be of no use. */
  | { readonly kind: 'compressed'; readonly offset: number; readonly length: number };

const UNALLOCATED: Mapping = { kind: 'unallocated' };

/** Decodes an entry of an L2 table (QEMU, docs/interop/qcow2.txt, "Cluster mapping"). */
export function decodeL2(table: Buffer, index: number, clusterBits: number): Mapping {
  const at = index * ENTRY_BYTES;
  const high = table.readUInt32BE(at);
  const low = table.readUInt32BE(at + 4);
  if (high & COMPRESSED_HIGH) return compressed(high, low, clusterBits);
  const offset = (high & OFFSET_HIGH) * 2 ** 32 + ((low & ~0x1ff) >>> 0);
  if (low & 1) return { kind: 'zero', kept: offset };
  return offset === 0 ? UNALLOCATED : { kind: 'normal', offset };
}

/** The offset takes the lower 62 - (clusterBits - 8) bits; above it, the number of 512-byte units after the one with the first byte. */
function compressed(high: number, low: number, clusterBits: number): Mapping {
  const offsetBits = 62 - (clusterBits - 8);
  const unitsShift = offsetBits - 32;
  const units = ((high & 0x3fffffff) >>> unitsShift) + 1;
  const offset = (high & (2 ** unitsShift - 1)) * 2 ** 32 + low;
  return { kind: 'compressed', offset, length: units * COMPRESSED_UNIT - (offset % COMPRESSED_UNIT) };
}

/** Bit 63, COPIED: nothing else refers to the cluster, which may be written to in place. */
const COPIED_HIGH = 0x80000000;

/** Writes an entry of an L1 table, or one of an L2 table for a plain cluster. */
export function encodeEntry(table: Buffer, index: number, offset: number, copied: boolean): void {
  table.writeUInt32BE((Math.floor(offset / 2 ** 32) | (copied ? COPIED_HIGH : 0)) >>> 0, index * ENTRY_BYTES);
  table.writeUInt32BE(offset % 2 ** 32, index * ENTRY_BYTES + 4);
}

/** Sets or clears COPIED in an entry; says whether that changed it. */
export function setCopied(table: Buffer, index: number, copied: boolean): boolean {
  const high = table.readUInt32BE(index * ENTRY_BYTES);
  const now = ((high & ~COPIED_HIGH) | (copied ? COPIED_HIGH : 0)) >>> 0;
  table.writeUInt32BE(now, index * ENTRY_BYTES);
  return now !== high;
}

/** Clusters of the file that a mapping refers to, first and last; null: none. */
export function referredClusters(mapping: Mapping, clusterBytes: number): readonly [number, number] | null {
  if (mapping.kind === 'unallocated' || (mapping.kind === 'zero' && mapping.kept === 0)) return null;
  const offset = mapping.kind === 'zero' ? mapping.kept : mapping.offset;
  const length = mapping.kind === 'compressed' ? mapping.length : 1;
  return [Math.floor(offset / clusterBytes), Math.floor((offset + length - 1) / clusterBytes)];
}

/** Whether reserved bits of an L2 entry are set. */
export function l2Reserved(table: Buffer, index: number): boolean {
  const at = index * ENTRY_BYTES;
  const high = table.readUInt32BE(at);
  return (high & COMPRESSED_HIGH) === 0 && ((high & L2_RESERVED.high) !== 0 || (table.readUInt32BE(at + 4) & L2_RESERVED.low) !== 0);
}

/** Offset of the L2 table that an L1 entry names (0: none), or null when reserved bits are set. */
export function decodeL1(table: Buffer, index: number): number | null {
  const at = index * ENTRY_BYTES;
  const high = table.readUInt32BE(at);
  const low = table.readUInt32BE(at + 4);
  if ((high & L1_RESERVED.high) !== 0 || (low & L1_RESERVED.low) !== 0) return null;
  return (high & OFFSET_HIGH) * 2 ** 32 + low;
}
