import { SparseBytes } from '../core/sparse-bytes.js';
import type { StatefulPart, StateSchema } from '../core/state.js';
import { type BlockDevice, SECTOR_BYTES } from './block-device.js';

/** Sectors kept together. */
const CLUSTER_SECTORS = 128;
const CLUSTER_BYTES = CLUSTER_SECTORS * SECTOR_BYTES;

/** Keeps what is written in memory, above a device that is never changed (QEMU's snapshot=on). Grows with what the guest writes, up to the disk's size. */
export class MemoryOverlay implements BlockDevice, StatefulPart {
  readonly schema: StateSchema = { name: 'memory-overlay', version: 2, fields: { clusters: 'sparse' } };
  readonly sectorCount: number;
  private readonly base: BlockDevice;
  /** Written clusters. */
  readonly clusters: SparseBytes;

  constructor(base: BlockDevice) {
    this.base = base;
    this.sectorCount = base.sectorCount;
    this.clusters = new SparseBytes(CLUSTER_BYTES, Math.ceil(base.sectorCount / CLUSTER_SECTORS));
  }

  read(startSector: number, target: Uint8Array): boolean {
    return this.pieces(startSector, target.length, (number, at, from, to) => {
      const cluster = this.clusters.get(number);
      const piece = target.subarray(from, to);
      if (cluster === undefined) return this.base.read(startSector + from / SECTOR_BYTES, piece);
      piece.set(cluster.subarray(at, at + piece.length));
      return true;
    });
  }

  write(startSector: number, source: Uint8Array): boolean {
    return this.pieces(startSector, source.length, (number, at, from, to) => {
      const cluster = this.clusters.get(number) ?? this.copyUp(number);
      if (cluster === null) return false;
      this.clusters.markWritten(number);
      cluster.set(source.subarray(from, to), at);
      return true;
    });
  }

  flush(): boolean {
    return true;
  }

  private copyUp(number: number): Uint8Array | null {
    const cluster = new Uint8Array(CLUSTER_BYTES);
    const first = number * CLUSTER_SECTORS;
    const length = Math.min(CLUSTER_SECTORS, this.sectorCount - first) * SECTOR_BYTES;
    if (!this.base.read(first, cluster.subarray(0, length))) return null;
    this.clusters.set(number, cluster);
    return cluster;
  }

  /** Calls `visit` with cluster number, byte inside it, and the byte range of the request; stops when it says false. */
  private pieces(startSector: number, length: number, visit: (number: number, at: number, from: number, to: number) => boolean): boolean {
    for (let from = 0; from < length; ) {
      const byte = startSector * SECTOR_BYTES + from;
      const number = Math.floor(byte / CLUSTER_BYTES);
      const at = byte - number * CLUSTER_BYTES;
      const to = Math.min(length, from + CLUSTER_BYTES - at);
      if (!visit(number, at, from, to)) return false;
      from = to;
    }
    return true;
  }
}
