import { type BlockDevice, SECTOR_BYTES } from '../block-device.js';
import type { HostFile } from '../host-file.js';
import { LeastRecentlyUsed } from '../least-recently-used.js';
import type { Qcow2Header } from './header.js';
import { inflateCluster } from './inflate-cluster.js';
import type { ClusterTables } from './tables.js';

/** Expanded clusters kept in memory, in bytes. */
const EXPANDED_CACHE_BYTES = 4 << 20;

/** Reads what tables say to be on a disk, from the image and what it stands on. */
export class ClusterReader {
  private readonly file: HostFile;
  private readonly clusterBytes: number;
  private readonly diskBytes: number;
  private readonly tables: ClusterTables;
  /** What clusters hold that the image does not; null: zeros. */
  private readonly backing: BlockDevice | null;
  private readonly expanded: LeastRecentlyUsed<Uint8Array>;

  constructor(file: HostFile, { clusterBytes, sizeBytes }: Qcow2Header, tables: ClusterTables, backing: BlockDevice | null) {
    this.file = file;
    this.clusterBytes = clusterBytes;
    this.diskBytes = sizeBytes;
    this.tables = tables;
    this.backing = backing;
    this.expanded = new LeastRecentlyUsed(Math.max(1, EXPANDED_CACHE_BYTES / clusterBytes));
  }

  /** Fills `target`, a multiple of 512 bytes, from byte `position` of the disk on. False: the host cannot read there, or compressed data is damaged. */
  read(position: number, target: Uint8Array): boolean {
    const { clusterBytes } = this;
    for (let done = 0; done < target.length; ) {
      const at = position + done;
      const cluster = Math.floor(at / clusterBytes);
      const inside = at - cluster * clusterBytes;
      const length = Math.min(target.length - done, clusterBytes - inside);
      if (!this.readPiece(cluster, inside, target.subarray(done, done + length))) return false;
      done += length;
    }
    return true;
  }

  /** A cluster has been written. */
  forget(cluster: number): void {
    this.expanded.delete(cluster);
  }

  /** Fills `piece` with what a cluster holds from byte `inside` on. */
  private readPiece(cluster: number, inside: number, piece: Uint8Array): boolean {
    const mapping = this.tables.lookUp(cluster);
    if (mapping === null) return false;
    switch (mapping.kind) {
      case 'unallocated':
        return this.readBacking((cluster * this.clusterBytes + inside) / SECTOR_BYTES, piece);
      case 'zero':
        piece.fill(0);
        return true;
      case 'normal':
        return this.file.read(mapping.offset + inside, piece);
      case 'compressed': {
        const whole = this.expand(cluster, mapping.offset, mapping.length);
        if (whole === null) return false;
        piece.set(whole.subarray(inside, inside + piece.length));
        return true;
      }
    }
  }

  /** A backing file that is shorter goes on with zeros; so does what is behind the disk. */
  private readBacking(sector: number, piece: Uint8Array): boolean {
    const sectors = Math.min(this.backing?.sectorCount ?? 0, Math.floor(this.diskBytes / SECTOR_BYTES));
    const there = Math.max(0, Math.min(piece.length, (sectors - sector) * SECTOR_BYTES));
    piece.fill(0, there);
    return there === 0 || this.backing!.read(sector, piece.subarray(0, there));
  }

  private expand(cluster: number, offset: number, length: number): Uint8Array | null {
    const known = this.expanded.get(cluster);
    if (known !== undefined) return known;
    const data = new Uint8Array(Math.min(length, this.file.lengthBytes - offset));
    const whole = this.file.read(offset, data) ? inflateCluster(data, this.clusterBytes) : null;
    if (whole !== null) this.expanded.set(cluster, whole);
    return whole;
  }
}
