import { UserError } from '../../core/errors.js';
import { type BlockDevice, SECTOR_BYTES } from '../block-device.js';
import type { HostFile } from '../host-file.js';
import { ClusterReader } from './cluster-reader.js';
import { decodeHeader, HEADER_READ_BYTES, type Qcow2Header } from './header.js';
import { ClusterTables } from './tables.js';

/** Reads the header of a qcow2 image. Throws UserError in one sentence for files that are none, and for images that cannot be read. */
export function readHeader(file: HostFile): Qcow2Header {
  const bytes = Buffer.alloc(Math.min(HEADER_READ_BYTES, file.lengthBytes));
  if (!file.read(0, bytes)) throw new UserError('file-io', `${file.path}: the header cannot be read`);
  return decodeHeader(file.path, bytes, file.lengthBytes);
}

/** The disk in a qcow2 image of version 2 or 3 and its backing file, read-only. */
export class Qcow2Image implements BlockDevice {
  readonly sectorCount: number;
  private readonly reader: ClusterReader;

  /** Throws UserError in one sentence for an image that is damaged or cannot be read. The file stays the caller's. */
  constructor(file: HostFile, backing: BlockDevice | null) {
    const header = readHeader(file);
    this.sectorCount = Math.floor(header.sizeBytes / SECTOR_BYTES);
    if (this.sectorCount === 0) throw new UserError('image-corrupt', `${file.path}: a disk without sectors`);
    this.reader = new ClusterReader(file, header, new ClusterTables(file, header), backing);
  }

  read(startSector: number, target: Uint8Array): boolean {
    return this.reader.read(startSector * SECTOR_BYTES, target);
  }

  write(): boolean {
    return false;
  }

  flush(): boolean {
    return true;
  }
}
