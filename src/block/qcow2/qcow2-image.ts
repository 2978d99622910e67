import { UserError } from '../../core/errors.js';
import { type BlockDevice, SECTOR_BYTES } from '../block-device.js';
import type { HostFile } from '../host-file.js';
import { LeastRecentlyUsed } from '../least-recently-used.js';
import { decodeHeader, HEADER_READ_BYTES, type Qcow2Header } from './header.js';
import { inflateCluster } from './inflate-cluster.js';
import { ClusterTables } from './tables.js';

/** Expanded clusters kept in memory, in bytes. */
const EXPANDED_CACHE_BYTES = 4 << 20;

/** Reads the header of a qcow2 image. Throws UserError in one sentence for files that are none, and for images that cannot be read. */
export function readHeader(file: HostFile): Qcow2Header {
  const bytes = Buffer.alloc(Math.min(HEADER_READ_BYTES, file.lengthBytes));
  if (!file.read(0, bytes)) throw new UserError('file-io', `${file.path}: the header cannot be read`);
  return decodeHeader(file.path, bytes, file.lengthBytes);
}

/** The disk in a qcow2 image of version 2 or 3 and its backing file, read-only. */
export class Qcow2Image implements BlockDevice {
  readonly sectorCount: number;
  readonly header: Qcow2Header;
  private readonly file: HostFile;
  private readonly tables: ClusterTables;
  /** What clusters hold that this image does not; null: zeros. */
  private readonly backing: BlockDevice | null;
  private readonly expanded: LeastRecentlyUsed<Uint8Array>;

  /** Throws UserError in one sentence for an image that is damaged or cannot be read. The file stays the caller's. */
  constructor(file: HostFile, backing: BlockDevice | null) {
    this.file = file;
    this.header = readHeader(file);
    this.backing = backing;
    this.sectorCount = Math.floor(this.header.sizeBytes / SECTOR_BYTES);
    if (this.sectorCount === 0) throw new UserError('image-corrupt', `${file.path}: a disk without sectors`);
    this.tables = new ClusterTables(file, this.header);
    this.expanded = new LeastRecentlyUsed(Math.max(1, EXPANDED_CACHE_BYTES / this.header.clusterBytes));
  }

  read(startSector: number, target: Uint8Array): boolean {
    const { clusterBytes } = this.header;
    for (let done = 0; done < target.length; ) {
      const at = startSector * SECTOR_BYTES + done;
      const cluster = Math.floor(at / clusterBytes);
      const inside = at - cluster * clusterBytes;
      const length = Math.min(target.length - done, clusterBytes - inside);
      if (!this.readPiece(cluster, inside, target.subarray(done, done + length))) return false;
      done += length;
    }
    return true;
  }

  write(): boolean {
    return false;
  }

  flush(): boolean {
    return true;
  }

  /** Fills `piece` with what a cluster holds from byte `inside` on. */
  private readPiece(cluster: number, inside: number, piece: Uint8Array): boolean {
    const mapping = this.tables.lookUp(cluster);
    if (mapping === null) return false;
    switch (mapping.kind) {
      case 'unallocated':
        return this.readBacking((cluster * this.header.clusterBytes + inside) / SECTOR_BYTES, piece);
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

  /** A backing file that is shorter goes on with zeros. */
  private readBacking(sector: number, piece: Uint8Array): boolean {
    const there = Math.max(0, Math.min(piece.length, ((this.backing?.sectorCount ?? 0) - sector) * SECTOR_BYTES));
    piece.fill(0, there);
    return there === 0 || this.backing!.read(sector, piece.subarray(0, there));
  }

  private expand(cluster: number, offset: number, length: number): Uint8Array | null {
    const known = this.expanded.get(cluster);
    if (known !== undefined) return known;
    const data = new Uint8Array(Math.min(length, this.file.lengthBytes - offset));
    const whole = this.file.read(offset, data) ? inflateCluster(data, this.header.clusterBytes) : null;
    if (whole !== null) this.expanded.set(cluster, whole);
    return whole;
  }
}
