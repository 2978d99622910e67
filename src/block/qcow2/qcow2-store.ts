import { UserError } from '../../core/errors.js';
import { type BlockDevice, SECTOR_BYTES } from '../block-device.js';
import type { HostFile } from '../host-file.js';
import { ClusterReader } from './cluster-reader.js';
import { decodeL2, ENTRY_BYTES, encodeEntry, referredClusters } from './entries.js';
import type { Qcow2Header } from './header.js';
import { allReferences, type Metadata, type Snapshot, writeMetadata } from './metadata.js';
import { readHeader } from './qcow2-image.js';
import { Refcounts } from './refcounts.js';
import type { ReferenceCounts } from './reference-counts.js';
import { readSnapshots, type SnapshotEntry } from './snapshot-table.js';
import { ClusterTables } from './tables.js';

const INCOMPATIBLE_LOW_AT = 76;
const AUTOCLEAR_AT = 88;
/** More than the clusters that one write to one cluster may take: data, an L2 table, refcount blocks. */
const ROOM_CLUSTERS = 8;

/** What is told of a new snapshot. */
export type NewSnapshot = Pick<SnapshotEntry, 'name' | 'dateSeconds' | 'dateNanoseconds' | 'vmClockNs' | 'icount'>;

/**
 * The disk in a qcow2 image, read and written, with its internal snapshots. The order of writes is such that a process killed at any of them leaves an image that is
 * whole; at worst, some clusters are lost until `qemu-img check -r leaks`. Reference counts are never left for later, whatever the image allows (lazy refcounts).
 */
export class Qcow2Store implements BlockDevice {
  readonly sectorCount: number;
  private readonly file: HostFile;
  private readonly backing: BlockDevice | null;
  private readonly header: Qcow2Header;
  private metadata: Metadata;
  private tables: ClusterTables;
  private reader: ClusterReader;
  /** Clusters below are in use. */
  private firstFree = 1;

  /**
   * Opens an image to be written to. Throws UserError in one sentence for an image that is damaged, or whose reference counts are too small.
   * @param file opened for reading and writing; stays the caller's
   * @param backing what the image stands on
   */
  constructor(file: HostFile, backing: BlockDevice | null) {
    this.file = file;
    this.backing = backing;
    this.header = readHeader(file);
    const { l1Offset } = this.header;
    if (this.header.corrupt) throw new UserError('image-corrupt', `${file.path} is marked as corrupt; qemu-img check -r all may repair it`);
    this.sectorCount = Math.floor(this.header.sizeBytes / SECTOR_BYTES);
    this.tables = new ClusterTables(file, this.header);
    this.reader = this.makeReader();
    const { entries, tableBytes } = readSnapshots(file, this.header);
    const snapshots = entries.map((entry): Snapshot => ({ entry, l1: new ClusterTables(file, this.header, entry).l1 }));
    this.metadata = { l1: this.tables.l1, l1Offset, snapshots, refcounts: Refcounts.read(file, this.header) };
    this.begin(allReferences(file, this.header, this.metadata, tableBytes));
  }

  get snapshots(): readonly SnapshotEntry[] {
    return this.metadata.snapshots.map(({ entry }) => entry);
  }

  read(startSector: number, target: Uint8Array): boolean {
    return this.reader.read(startSector * SECTOR_BYTES, target);
  }

  write(startSector: number, source: Uint8Array): boolean {
    try {
      this.writeBytes(startSector * SECTOR_BYTES, source);
      return true;
    } catch (e) {
      if (e instanceof UserError) return false;
      throw e;
    }
  }

  flush(): boolean {
    try {
      this.file.sync();
      return true;
    } catch (e) {
      if (e instanceof UserError) return false;
      throw e;
    }
  }

  /**
   * Takes a snapshot of the disk, with a machine state. Throws UserError when there is one of that name, or the host cannot write.
   * @param vmState null: the disk alone
   * @param replace one of that name goes at the moment the new one is there
   */
  createSnapshot(what: NewSnapshot, vmState: Uint8Array | null, replace = false): SnapshotEntry {
    const { file, header } = this;
    if (!replace && this.snapshots.some(({ name }) => name === what.name))
      throw new UserError('bad-option', `${file.path} has a snapshot ${what.name} already`);
    if (vmState !== null) this.writeVmState(vmState);
    const { l1 } = this.metadata;
    const snapshots = this.metadata.snapshots.filter(({ entry }) => entry.name !== what.name);
    const id = String(1 + snapshots.reduce((most, { entry }) => Math.max(most, Number.parseInt(entry.id, 10) || 0), 0));
    const described = { id, l1Offset: 0, l1Entries: l1.length, vmStateBytes: vmState?.length ?? 0, diskBytes: header.sizeBytes };
    const disk = l1.map((offset, i) => (i < this.vmStateIndex ? offset : 0));
    this.change(disk, [...snapshots, { entry: { ...what, ...described }, l1: l1.slice(), fresh: true }]);
    return this.snapshots.at(-1)!;
  }

  /** Forgets a snapshot. Throws UserError when there is none of that name. */
  deleteSnapshot(name: string): void {
    const gone = this.snapshot(name);
    this.change(
      this.metadata.l1,
      this.metadata.snapshots.filter((snapshot) => snapshot !== gone),
    );
  }

  /** Makes the disk what it was when a snapshot was taken. Throws UserError when there is none of that name, or it is of another size. */
  applySnapshot(name: string): void {
    const { entry, l1 } = this.snapshot(name);
    if (entry.diskBytes !== this.header.sizeBytes)
      throw new UserError(
        'not-supported',
        `snapshot ${name} of ${this.file.path} is of a disk of ${entry.diskBytes} bytes, not ${this.header.sizeBytes}`,
      );
    const disk = this.metadata.l1.map((_, i) => (i < this.vmStateIndex ? (l1[i] ?? 0) : 0));
    this.change(disk, this.metadata.snapshots);
  }

  /** The machine state in a snapshot. Throws UserError when there is none of that name or it cannot be read. */
  readVmState(name: string): Uint8Array {
    const { entry, l1 } = this.snapshot(name);
    const unreadable = new UserError('image-corrupt', `${this.file.path}: the machine state of snapshot ${name} cannot be read`);
    if (entry.vmStateBytes > this.file.lengthBytes) throw unreadable;
    const state = new Uint8Array(Math.ceil(entry.vmStateBytes / SECTOR_BYTES) * SECTOR_BYTES);
    const reader = new ClusterReader(this.file, this.header, new ClusterTables(this.file, this.header, l1), null);
    if (!reader.read(this.vmStatePosition, state)) throw unreadable;
    return state.subarray(0, entry.vmStateBytes);
  }

  private snapshot(name: string): Snapshot {
    const found =
      this.metadata.snapshots.find(({ entry }) => entry.name === name) ?? this.metadata.snapshots.find(({ entry }) => entry.id === name);
    if (found === undefined) throw new UserError('bad-option', `${this.file.path} has no snapshot ${name}`);
    return found;
  }

  /** First entry of an L1 table behind the disk: there is the machine state. */
  private get vmStateIndex(): number {
    return Math.ceil(this.header.sizeBytes / (this.header.clusterBytes * this.tables.l2Entries));
  }

  private get vmStatePosition(): number {
    return this.vmStateIndex * this.tables.l2Entries * this.header.clusterBytes;
  }

  private writeVmState(state: Uint8Array): void {
    const entries = Math.ceil((this.vmStatePosition + state.length) / (this.header.clusterBytes * this.tables.l2Entries));
    const { l1, snapshots } = this.metadata;
    if (entries > l1.length) {
      const longer = new Float64Array(entries);
      longer.set(l1);
      this.change(longer, snapshots);
    }
    this.writeBytes(this.vmStatePosition, state);
  }

  /** Who will write has to be able to trust the counts. */
  private begin(references: ReferenceCounts): void {
    const { file, header, metadata } = this;
    if (header.dirty) {
      const { tableOffset, table } = metadata.refcounts;
      this.metadata = { ...metadata, refcounts: new Refcounts(file, header, references, tableOffset, table) };
      this.change(metadata.l1, metadata.snapshots);
      this.writeHeaderWord(INCOMPATIBLE_LOW_AT, 0);
    } else
      for (let cluster = 0; cluster < references.length; cluster++)
        if (metadata.refcounts.get(cluster) < references.get(cluster))
          throw new UserError(
            'image-corrupt',
            `${file.path}: the cluster at ${cluster * header.clusterBytes} is in use ${references.get(cluster)} times, but counted ${metadata.refcounts.get(cluster)} times; qemu-img check -r all repairs that`,
          );
    // Features (dirty bitmaps) that are only right while everybody who writes knows them.
    if (header.version === 3 && header.autoclear) for (const at of [AUTOCLEAR_AT, AUTOCLEAR_AT + 4]) this.writeHeaderWord(at, 0);
  }

  private writeHeaderWord(at: number, value: number): void {
    const word = Buffer.alloc(4);
    word.writeUInt32BE(value);
    this.file.write(at, word);
  }

  /** Has the header lead to another disk, other snapshots, and right counts. */
  private change(l1: Float64Array, snapshots: readonly Snapshot[]): void {
    this.metadata = writeMetadata(this.file, this.header, this.metadata, l1, snapshots);
    this.tables = new ClusterTables(this.file, this.header, this.metadata.l1);
    this.reader = this.makeReader();
    this.firstFree = 1;
  }

  private makeReader(): ClusterReader {
    return new ClusterReader(this.file, this.header, this.tables, this.backing);
  }

  private writeBytes(position: number, source: Uint8Array): void {
    const { clusterBytes } = this.header;
    for (let done = 0; done < source.length; ) {
      const at = position + done;
      const cluster = Math.floor(at / clusterBytes);
      const inside = at - cluster * clusterBytes;
      const length = Math.min(source.length - done, clusterBytes - inside);
      this.writePiece(cluster, inside, source.subarray(done, done + length));
      done += length;
    }
  }

  private writePiece(cluster: number, inside: number, piece: Uint8Array): void {
    this.makeRoom();
    const { file, header, tables } = this;
    const { clusterBytes, clusterBits } = header;
    const { refcounts } = this.metadata;
    const before = tables.lookUp(cluster);
    if (before === null) throw new UserError('file-io', `${file.path}: a table cannot be read`);
    const tableIsOurs = this.refcountAt(tables.l1[Math.floor(cluster / tables.l2Entries)]!) === 1;
    if (before.kind === 'normal' && tableIsOurs && refcounts.get(before.offset / clusterBytes) === 1) {
      file.write(before.offset + inside, piece);
      return;
    }
    const whole = piece.length === clusterBytes ? piece : this.wholeCluster(cluster);
    if (whole !== piece) whole.set(piece, inside);
    const offset = this.allocate() * clusterBytes;
    file.write(offset, whole);
    const table = this.ownTable(Math.floor(cluster / tables.l2Entries));
    const index = cluster % tables.l2Entries;
    const old = referredClusters(decodeL2(table.bytes, index, clusterBits), clusterBytes);
    encodeEntry(table.bytes, index, offset, true);
    file.write(table.offset + index * ENTRY_BYTES, table.bytes.subarray(index * ENTRY_BYTES, (index + 1) * ENTRY_BYTES));
    this.reader.forget(cluster);
    if (old !== null) for (let c = old[0]; c <= old[1]; c++) this.release(c);
  }

  private wholeCluster(cluster: number): Uint8Array {
    const whole = new Uint8Array(this.header.clusterBytes);
    if (!this.reader.read(cluster * this.header.clusterBytes, whole))
      throw new UserError('file-io', `${this.file.path}: what is written over cannot be read`);
    return whole;
  }

  /** The L2 table of an L1 entry, made or copied if need be, so that it may be written to. */
  private ownTable(index: number): { offset: number; bytes: Buffer } {
    const before = this.tables.l1[index]!;
    if (this.refcountAt(before) === 1) return { offset: before, bytes: this.table(before) };
    const offset = this.allocate() * this.header.clusterBytes;
    const bytes = before === 0 ? Buffer.alloc(this.header.clusterBytes) : Buffer.from(this.table(before));
    this.file.write(offset, bytes);
    const entry = Buffer.alloc(ENTRY_BYTES);
    encodeEntry(entry, 0, offset, true);
    this.file.write(this.metadata.l1Offset + index * ENTRY_BYTES, entry);
    this.tables.l1[index] = offset;
    this.tables.putTable(offset, bytes);
    if (before !== 0) this.release(before / this.header.clusterBytes);
    return { offset, bytes };
  }

  private table(offset: number): Buffer {
    const table = this.tables.table(offset);
    if (table === null) throw new UserError('file-io', `${this.file.path}: the table at ${offset} cannot be read`);
    return table;
  }

  private refcountAt(offset: number): number {
    return offset === 0 ? 0 : this.metadata.refcounts.get(offset / this.header.clusterBytes);
  }

  /** Sees to it that the refcount table will not have to grow while clusters are in use that nothing refers to yet. */
  private makeRoom(): void {
    const { refcounts, l1, snapshots } = this.metadata;
    if (refcounts.clusters + ROOM_CLUSTERS > refcounts.table.length * refcounts.perBlock) this.change(l1, snapshots);
  }

  /** Takes a free cluster; from now on it is counted once. */
  private allocate(): number {
    const { refcounts } = this.metadata;
    for (;;) {
      let cluster = this.firstFree;
      while (refcounts.get(cluster) !== 0) cluster++;
      this.firstFree = cluster + 1;
      if (refcounts.covers(cluster)) {
        refcounts.set(cluster, 1);
        return cluster;
      }
      refcounts.addBlock(cluster);
    }
  }

  private release(cluster: number): void {
    const { refcounts } = this.metadata;
    refcounts.set(cluster, refcounts.get(cluster) - 1);
    if (refcounts.get(cluster) === 0) this.firstFree = Math.min(this.firstFree, cluster);
  }
}
