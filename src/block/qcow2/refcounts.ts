import { UserError } from '../../core/errors.js';
import type { HostFile } from '../host-file.js';
import { bigEndian64 } from './big-endian.js';
import type { Qcow2Header } from './header.js';
import { ReferenceCounts } from './reference-counts.js';

/** How many clusters behind the end of a file may have counts. */
const MAX_CLUSTERS_BEHIND = 2 ** 20;

/** The refcount table of an image and its blocks: how often each cluster is referred to. What is set goes to the file at once. */
export class Refcounts {
  private readonly file: HostFile;
  private readonly clusterBytes: number;
  private readonly bits: number;
  private readonly counts: ReferenceCounts;
  /** Offsets of refcount blocks; 0: all its counts are 0. */
  readonly table: Float64Array;
  readonly tableOffset: number;

  constructor(file: HostFile, header: Qcow2Header, counts: ReferenceCounts, tableOffset: number, table: Float64Array) {
    this.file = file;
    this.clusterBytes = header.clusterBytes;
    this.bits = 2 ** header.refcountOrder;
    this.counts = counts;
    this.tableOffset = tableOffset;
    this.table = table;
  }

  /** Reads all counts. Throws UserError for a table that cannot be. */
  static read(file: HostFile, header: Qcow2Header): Refcounts {
    const { clusterBytes, refcountTableOffset, refcountTableClusters } = header;
    const bytes = Buffer.alloc(refcountTableClusters * clusterBytes);
    readAll(file, refcountTableOffset, bytes);
    const table = Float64Array.from({ length: bytes.length / 8 }, (_, i) => bigEndian64(bytes, i * 8));
    const refcounts = new Refcounts(file, header, new ReferenceCounts(), refcountTableOffset, table);
    const block = Buffer.alloc(clusterBytes);
    table.forEach((offset, i) => {
      if (offset === 0) return;
      const first = i * refcounts.perBlock;
      if (offset % clusterBytes !== 0 || offset + clusterBytes > file.lengthBytes)
        throw new UserError('image-corrupt', `${file.path}: entry ${i} of the refcount table places a block at ${offset}`);
      readAll(file, offset, block);
      for (let n = 0; n < refcounts.perBlock; n++) {
        const count = refcounts.decode(block, n);
        if (count === 0) continue;
        if ((first + n) * clusterBytes > file.lengthBytes + MAX_CLUSTERS_BEHIND * clusterBytes)
          throw new UserError(
            'image-corrupt',
            `${file.path}: the cluster at ${(first + n) * clusterBytes}, far behind the end of the file, is in use`,
          );
        refcounts.counts.set(first + n, count);
      }
    });
    return refcounts;
  }

  /** Counts that a block holds. */
  get perBlock(): number {
    return (this.clusterBytes * 8) / this.bits;
  }

  /** The largest count that can be kept. */
  get most(): number {
    return this.bits >= 32 ? 2 ** 32 - 1 : 2 ** this.bits - 1;
  }

  /** One more than the last cluster that is or was in use. */
  get clusters(): number {
    return this.counts.length;
  }

  get(cluster: number): number {
    return this.counts.get(cluster);
  }

  /** Whether there is a block for a cluster's count. */
  covers(cluster: number): boolean {
    return (this.table[Math.floor(cluster / this.perBlock)] ?? 0) !== 0;
  }

  /** Sets the count of a cluster that is covered. */
  set(cluster: number, count: number): void {
    this.counts.set(cluster, count);
    const inBlock = cluster % this.perBlock;
    const offset = this.table[Math.floor(cluster / this.perBlock)]!;
    const from = Math.floor((inBlock * this.bits) / 8);
    const bytes = this.encode(cluster - (this.bits < 8 ? inBlock % (8 / this.bits) : 0), Math.max(1, 8 / this.bits));
    this.file.write(offset + from, bytes);
  }

  /** Puts a new block, which begins with `first` and counts itself, at the place of a cluster of its own. */
  addBlock(cluster: number): void {
    const index = Math.floor(cluster / this.perBlock);
    this.counts.set(cluster, 1);
    const offset = cluster * this.clusterBytes;
    this.file.write(offset, this.encode(index * this.perBlock, this.perBlock));
    this.table[index] = offset;
    const entry = Buffer.alloc(8);
    entry.writeBigUInt64BE(BigInt(offset));
    this.file.write(this.tableOffset + index * 8, entry);
  }

  /** The counts from `first` on as they are in a block. */
  encode(first: number, number: number): Buffer {
    const { bits } = this;
    const bytes = Buffer.alloc((number * bits) / 8);
    for (let n = 0; n < number; n++) {
      const count = this.get(first + n);
      if (count === 0) continue;
      // Several counts share a byte, the first in its lowest bits.
      if (bits < 8) bytes[(n * bits) >> 3] = bytes[(n * bits) >> 3]! | (count << ((n * bits) & 7));
      else if (bits === 64) bytes.writeUInt32BE(count, n * 8 + 4);
      else bytes.writeUIntBE(count, (n * bits) / 8, bits / 8);
    }
    return bytes;
  }

  private decode(block: Buffer, n: number): number {
    const { bits } = this;
    if (bits < 8) return (block[(n * bits) >> 3]! >> ((n * bits) & 7)) & (2 ** bits - 1);
    if (bits < 64) return block.readUIntBE((n * bits) / 8, bits / 8);
    return Math.min(bigEndian64(block, n * 8), 2 ** 32 - 1);
  }
}

/** Reads a table. Throws UserError when the host cannot. */
export function readAll(file: HostFile, offset: number, target: Uint8Array): void {
  if (!file.read(offset, target)) throw new UserError('file-io', `${file.path}: the table at ${offset} cannot be read`);
}
