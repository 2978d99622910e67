import { InvariantError, UserError } from '../../core/errors.js';
import type { HostFile } from '../host-file.js';
import { decodeL2, ENTRY_BYTES, encodeEntry, referredClusters, setCopied } from './entries.js';
import type { Qcow2Header } from './header.js';
import { Refcounts, readAll } from './refcounts.js';
import { ReferenceCounts } from './reference-counts.js';
import { encodeSnapshots, type SnapshotEntry } from './snapshot-table.js';

/** A snapshot, and the offsets of the L2 tables that its L1 table names. */
export interface Snapshot {
  readonly entry: SnapshotEntry;
  readonly l1: Float64Array;
  /** Its L1 table has to be written still. */
  readonly fresh?: boolean;
}

/** All that an image's header leads to. */
export interface Metadata {
  /** Offsets of the L2 tables of the disk as it is now. */
  readonly l1: Float64Array;
  readonly l1Offset: number;
  readonly snapshots: readonly Snapshot[];
  readonly refcounts: Refcounts;
}

/** What an L1 table and the L2 tables behind it refer to, once for each path to it. */
export function addReferences(file: HostFile, header: Qcow2Header, l1: Float64Array, counts: ReferenceCounts): void {
  const table = Buffer.alloc(header.clusterBytes);
  for (const offset of l1) {
    if (offset === 0) continue;
    counts.add(offset / header.clusterBytes);
    readAll(file, offset, table);
    for (let i = 0; i < table.length / ENTRY_BYTES; i++) {
      const range = referredClusters(decodeL2(table, i, header.clusterBits), header.clusterBytes);
      if (range !== null) counts.add(range[0], range[1]);
    }
  }
}

const clustersOf = (bytes: number, header: Qcow2Header): number => Math.ceil(bytes / header.clusterBytes);

/** References to all clusters of an image that was just opened. */
export function allReferences(
  file: HostFile,
  header: Qcow2Header,
  { l1, snapshots, refcounts }: Metadata,
  snapshotTableBytes: number,
): ReferenceCounts {
  const counts = new ReferenceCounts();
  const range = (offset: number, bytes: number): void => {
    if (bytes > 0) counts.add(offset / header.clusterBytes, offset / header.clusterBytes + clustersOf(bytes, header) - 1);
  };
  counts.add(0);
  range(header.l1Offset, header.l1Entries * ENTRY_BYTES);
  range(header.refcountTableOffset, header.refcountTableClusters * header.clusterBytes);
  for (const block of refcounts.table) if (block !== 0) counts.add(block / header.clusterBytes);
  range(header.snapshotsOffset, snapshotTableBytes);
  addReferences(file, header, l1, counts);
  for (const snapshot of snapshots) {
    range(snapshot.entry.l1Offset, snapshot.entry.l1Entries * ENTRY_BYTES);
    addReferences(file, header, snapshot.l1, counts);
  }
  return counts;
}

/** Bytes 36 to 71 of the header lead to everything else; written at once, they change the whole image at once. */
const ROOTS_AT = 36;
const ROOTS_BYTES = 36;

/**
 * Writes L1 table, snapshot table and reference counts anew, into clusters that nothing in the image refers to, and then has the header lead to them: whoever is
 * stopped before that leaves the image as it was. Clusters that nothing refers to any more become free.
 * @param old what is in use now
 */
export function writeMetadata(
  file: HostFile,
  header: Qcow2Header,
  old: { readonly refcounts: Refcounts },
  l1: Float64Array,
  snapshots: readonly Snapshot[],
): Metadata {
  const { clusterBytes } = header;
  const counts = new ReferenceCounts();
  const place = new Placer(old.refcounts, counts);
  const put = (bytes: Buffer): number => {
    const offset = place.take(clustersOf(bytes.length, header)) * clusterBytes;
    file.write(offset, bytes);
    return offset;
  };
  counts.add(0);
  addReferences(file, header, l1, counts);
  for (const snapshot of snapshots) addReferences(file, header, snapshot.l1, counts);
  const now = l1.slice();
  setFlags(file, header, now, counts, put);
  const kept = snapshots.map(({ entry, l1: tables, fresh }): Snapshot => {
    if (!fresh)
      counts.add(entry.l1Offset / clusterBytes, entry.l1Offset / clusterBytes + clustersOf(entry.l1Entries * ENTRY_BYTES, header) - 1);
    return { l1: tables, entry: fresh ? { ...entry, l1Offset: put(encodeL1(tables, () => false)), l1Entries: tables.length } : entry };
  });
  const l1Offset = put(encodeL1(now, (offset) => counts.get(offset / clusterBytes) === 1));
  const snapshotsOffset = kept.length === 0 ? 0 : put(encodeSnapshots(kept.map(({ entry }) => entry)));
  const refcounts = writeRefcounts(file, header, counts, place);
  const roots = Buffer.alloc(ROOTS_BYTES);
  roots.writeUInt32BE(now.length, 0);
  roots.writeBigUInt64BE(BigInt(l1Offset), 4);
  roots.writeBigUInt64BE(BigInt(refcounts.tableOffset), 12);
  roots.writeUInt32BE(refcounts.table.length / (clusterBytes / 8), 20);
  roots.writeUInt32BE(kept.length, 24);
  roots.writeBigUInt64BE(BigInt(snapshotsOffset), 28);
  file.sync();
  file.write(ROOTS_AT, roots);
  file.sync();
  return { l1: now, l1Offset, snapshots: kept, refcounts };
}

/** COPIED has to be right in every table that the disk as it is now uses. Tables where it would change are written anew, for this disk alone. */
function setFlags(file: HostFile, header: Qcow2Header, l1: Float64Array, counts: ReferenceCounts, put: (bytes: Buffer) => number): void {
  const { clusterBytes, clusterBits } = header;
  l1.forEach((offset, at) => {
    if (offset === 0) return;
    const table = Buffer.alloc(clusterBytes);
    readAll(file, offset, table);
    let changed = false;
    for (let i = 0; i < clusterBytes / ENTRY_BYTES; i++) {
      const mapping = decodeL2(table, i, clusterBits);
      const range = referredClusters(mapping, clusterBytes);
      const alone = range !== null && mapping.kind !== 'compressed' && counts.get(range[0]) === 1;
      changed = setCopied(table, i, alone) || changed;
    }
    if (!changed) return;
    counts.add(offset / clusterBytes, offset / clusterBytes, -1);
    l1[at] = put(table);
  });
}

function encodeL1(l1: Float64Array, copied: (offset: number) => boolean): Buffer {
  const bytes = Buffer.alloc(l1.length * ENTRY_BYTES);
  l1.forEach((offset, i) => {
    if (offset !== 0) encodeEntry(bytes, i, offset, copied(offset));
  });
  return bytes;
}

/** Blocks and table count themselves, so their number is found by trying. */
function writeRefcounts(file: HostFile, header: Qcow2Header, counts: ReferenceCounts, place: Placer): Refcounts {
  const { clusterBytes } = header;
  const perTableCluster = clusterBytes / ENTRY_BYTES;
  const perBlock = (clusterBytes * 8) / 2 ** header.refcountOrder;
  const blocks = new Map<number, number>();
  // The file may grow by half before the table has to.
  const tableClusters = Math.ceil((((place.end + 1) / perBlock + 2) * 1.5) / perTableCluster);
  const tableOffset = place.take(tableClusters) * clusterBytes;
  // A block may lie where an earlier one has to count it.
  for (let before = -1; before < blocks.size; ) {
    before = blocks.size;
    for (let cluster = 0; cluster < counts.length; cluster++) {
      const index = Math.floor(cluster / perBlock);
      if (counts.get(cluster) === 0 || blocks.has(index)) continue;
      blocks.set(index, place.take(1) * clusterBytes);
    }
  }
  const table = new Float64Array(tableClusters * perTableCluster);
  for (const [index, offset] of blocks) {
    if (index >= table.length) throw new InvariantError(`refcount block ${index} in a table of ${table.length}`);
    table[index] = offset;
  }
  const refcounts = new Refcounts(file, header, counts, tableOffset, table);
  for (let cluster = 0; cluster < counts.length; cluster++)
    if (counts.get(cluster) > refcounts.most)
      throw new UserError(
        'not-supported',
        `${file.path}: a cluster in use ${counts.get(cluster)} times is more than refcount_bits allows; ${refcounts.most} is possible`,
      );
  for (const [index, offset] of blocks) file.write(offset, refcounts.encode(index * perBlock, perBlock));
  const bytes = Buffer.alloc(table.length * ENTRY_BYTES);
  table.forEach((offset, i) => {
    bytes.writeBigUInt64BE(BigInt(offset), i * ENTRY_BYTES);
  });
  file.write(tableOffset, bytes);
  return refcounts;
}

/** Finds clusters that are free both by the old counts and by the new ones, and counts them in the new ones. */
class Placer {
  private readonly old: Refcounts;
  private readonly counts: ReferenceCounts;
  private from = 1;

  constructor(old: Refcounts, counts: ReferenceCounts) {
    this.old = old;
    this.counts = counts;
  }

  /** One more than the last cluster in use. */
  get end(): number {
    return Math.max(this.old.clusters, this.counts.length);
  }

  /** First of `number` free clusters in a row, which are in use from now on. */
  take(number: number): number {
    let run = 0;
    for (let cluster = this.from; ; cluster++) {
      run = this.old.get(cluster) === 0 && this.counts.get(cluster) === 0 ? run + 1 : 0;
      if (run < number) continue;
      const first = cluster - number + 1;
      this.counts.add(first, cluster);
      if (number === 1) this.from = cluster + 1;
      return first;
    }
  }
}
