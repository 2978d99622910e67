import type { StatefulPart, StateSchema } from '../core/state.js';
import { type BlockDevice, SECTOR_BYTES } from './block-device.js';

/** Sectors kept together. */
const CLUSTER_SECTORS = 128;
const CLUSTER_BYTES = CLUSTER_SECTORS * SECTOR_BYTES;

/** Keeps what is written in memory, above a device that is never changed (QEMU's snapshot=on). Grows with what the guest writes, up to the disk's size. */
export class MemoryOverlay implements BlockDevice, StatefulPart {
  readonly schema: StateSchema = { name: 'memory-overlay', version: 1, fields: { clusterNumbers: 'ints', contents: 'blob' } };
  readonly sectorCount: number;
  private readonly base: BlockDevice;
  private clusters = new Map<number, Uint8Array>();

  constructor(base: BlockDevice) {
    this.base = base;
    this.sectorCount = base.sectorCount;
  }

  /** Written clusters, ascending; with `contents` the saved form. */
  get clusterNumbers(): number[] {
    return [...this.clusters.keys()].sort((a, b) => a - b);
  }

  set clusterNumbers(numbers: number[]) {
    this.clusters = new Map(numbers.map((n) => [n, new Uint8Array(CLUSTER_BYTES)]));
  }

  /** Bytes of the written clusters, in the order of their numbers. */
  get contents(): Uint8Array {
    const numbers = this.clusterNumbers;
    const all = new Uint8Array(numbers.length * CLUSTER_BYTES);
    numbers.forEach((n, i) => {
      all.set(this.clusters.get(n)!, i * CLUSTER_BYTES);
    });
    return all;
  }

  set contents(all: Uint8Array) {
    this.clusterNumbers.forEach((n, i) => {
      this.clusters.get(n)!.set(all.subarray(i * CLUSTER_BYTES, (i + 1) * CLUSTER_BYTES));
    });
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
      cluster?.set(source.subarray(from, to), at);
      return cluster !== null;
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
