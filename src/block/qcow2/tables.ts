import { UserError } from '../../core/errors.js';
import type { HostFile } from '../host-file.js';
import { LeastRecentlyUsed } from '../least-recently-used.js';
import { decodeL1, decodeL2, ENTRY_BYTES, l2Reserved, type Mapping } from './entries.js';
import type { Qcow2Header } from './header.js';

/** L2 tables kept in memory, in bytes. */
const L2_CACHE_BYTES = 8 << 20;
/** All L2 tables of an image: enough for 8 TiB in clusters of 64 KiB. */
const MAX_L2_BYTES = 2 ** 30;

/** An L1 table of an image and the L2 tables it names: where each cluster of the disk is. All of them are checked when the image is opened. */
export class ClusterTables {
  private readonly file: HostFile;
  private readonly header: Qcow2Header;
  /** Entries of an L2 table. */
  readonly l2Entries: number;
  /** Offsets of L2 tables; 0: none. */
  readonly l1: Float64Array;
  private readonly cache: LeastRecentlyUsed<Buffer>;

  /**
   * Throws UserError 'image-corrupt' in one sentence for tables that cannot be those of a disk.
   * @param l1 where the L1 table is; or what it holds, which is taken as it is
   */
  constructor(file: HostFile, header: Qcow2Header, l1: Float64Array | { readonly l1Offset: number; readonly l1Entries: number } = header) {
    this.file = file;
    this.header = header;
    this.l2Entries = header.clusterBytes / ENTRY_BYTES;
    this.cache = new LeastRecentlyUsed(Math.max(1, L2_CACHE_BYTES / header.clusterBytes));
    if (l1 instanceof Float64Array) this.l1 = l1;
    else {
      this.l1 = this.readL1(l1.l1Offset, l1.l1Entries);
      this.check(l1.l1Offset);
    }
  }

  /** Where a cluster of the disk is; null: the host cannot read the table. */
  lookUp(cluster: number): Mapping | null {
    const offset = this.l1[Math.floor(cluster / this.l2Entries)] ?? 0;
    if (offset === 0) return { kind: 'unallocated' };
    const table = this.table(offset);
    return table === null ? null : decodeL2(table, cluster % this.l2Entries, this.header.clusterBits);
  }

  /** The L2 table at an offset, kept in memory: who writes to it writes it to the file too. Null: the host cannot read it. */
  table(offset: number): Buffer | null {
    const known = this.cache.get(offset);
    if (known !== undefined) return known;
    const table = Buffer.alloc(this.header.clusterBytes);
    if (!this.file.read(offset, table)) return null;
    this.cache.set(offset, table);
    return table;
  }

  /** An L2 table has been written to the file. */
  putTable(offset: number, table: Buffer): void {
    this.cache.set(offset, table);
  }

  private readL1(l1Offset: number, l1Entries: number): Float64Array {
    const bytes = Buffer.alloc(l1Entries * ENTRY_BYTES);
    if (!this.file.read(l1Offset, bytes)) throw this.unreadable(l1Offset);
    return Float64Array.from({ length: l1Entries }, (_, i) => {
      const offset = decodeL1(bytes, i);
      if (offset === null) throw this.bad(`L1 entry ${i} has reserved bits set`);
      return offset;
    });
  }

  private check(l1Offset: number): void {
    const { clusterBytes } = this.header;
    const taken = this.takenByHeader(l1Offset);
    let count = 0;
    this.l1.forEach((offset, i) => {
      if (offset === 0) return;
      if (offset % clusterBytes !== 0) throw this.bad(`L1 entry ${i} places an L2 table at ${offset}, which is not the start of a cluster`);
      if (offset + clusterBytes > this.file.lengthBytes) throw this.bad(`L1 entry ${i} places an L2 table at ${offset}, ${this.behind()}`);
      const other = taken.get(offset / clusterBytes);
      if (other !== undefined) throw this.bad(`L1 entry ${i} places an L2 table at ${offset}, where ${other} is`);
      taken.set(offset / clusterBytes, 'an L2 table');
      if (++count * clusterBytes > MAX_L2_BYTES) throw this.bad(`more than ${MAX_L2_BYTES} bytes of L2 tables`);
    });
    const table = Buffer.alloc(clusterBytes);
    for (const offset of this.l1)
      if (offset !== 0) {
        if (!this.file.read(offset, table)) throw this.unreadable(offset);
        for (let i = 0; i < this.l2Entries; i++) this.checkEntry(table, i, offset, taken);
      }
  }

  /** Clusters of the file that the header names, with what is there. */
  private takenByHeader(l1Offset: number): Map<number, string> {
    const { clusterBytes, refcountTableOffset, refcountTableClusters, snapshotCount, snapshotsOffset } = this.header;
    const taken = new Map<number, string>([[0, 'the header']]);
    const take = (what: string, offset: number, length: number): void => {
      for (let at = offset; at < offset + length; at += clusterBytes) {
        const other = taken.get(at / clusterBytes);
        if (other !== undefined) throw this.bad(`${what} at ${offset} overlaps ${other}`);
        taken.set(at / clusterBytes, what);
      }
    };
    take('the L1 table', l1Offset, this.l1.length * ENTRY_BYTES);
    take('the refcount table', refcountTableOffset, refcountTableClusters * clusterBytes);
    take('the snapshot table', snapshotsOffset, Math.min(snapshotCount, 1));
    return taken;
  }

  private checkEntry(table: Buffer, index: number, tableOffset: number, taken: ReadonlyMap<number, string>): void {
    const { clusterBits, clusterBytes, version } = this.header;
    const mapping = decodeL2(table, index, clusterBits);
    if (mapping.kind === 'unallocated') return;
    const entry = `entry ${index} of the L2 table at ${tableOffset}`;
    if (l2Reserved(table, index)) throw this.bad(`${entry} has reserved bits set`);
    if (mapping.kind === 'zero') {
      if (version === 2) throw this.bad(`${entry} is a zero cluster, which images of version 2 do not have`);
      return;
    }
    const { kind, offset } = mapping;
    if (offset >= this.file.lengthBytes) throw this.bad(`${entry} places data at ${offset}, ${this.behind()}`);
    if (kind === 'normal' && offset % clusterBytes !== 0)
      throw this.bad(`${entry} places data at ${offset}, which is not the start of a cluster`);
    const other = taken.get(Math.floor(offset / clusterBytes));
    if (other !== undefined) throw this.bad(`${entry} places data at ${offset}, where ${other} is`);
  }

  private behind(): string {
    return `behind the end of the file at ${this.file.lengthBytes}`;
  }

  private bad(what: string): UserError {
    return new UserError('image-corrupt', `${this.file.path}: ${what}`);
  }

  private unreadable(offset: number): UserError {
    return new UserError('file-io', `${this.file.path}: the table at ${offset} cannot be read`);
  }
}
