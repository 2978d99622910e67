import { UserError } from '../core/errors.js';
import { type BlockDevice, SECTOR_BYTES } from './block-device.js';
import { HostFile } from './host-file.js';

/** A raw disk image on the host, read-only. A last part of a sector is filled up with zeros. */
export class RawImage implements BlockDevice {
  readonly sectorCount: number;
  private readonly file: HostFile;

  /** Opens the file. Throws UserError naming it when that fails or it has no sectors. */
  constructor(path: string) {
    this.file = new HostFile(path);
    if (this.file.lengthBytes === 0) {
      this.file.close();
      throw new UserError('image-corrupt', `${path} is empty; a raw image has at least one sector`);
    }
    this.sectorCount = Math.ceil(this.file.lengthBytes / SECTOR_BYTES);
  }

  read(startSector: number, target: Uint8Array): boolean {
    return this.file.read(startSector * SECTOR_BYTES, target);
  }

  write(): boolean {
    return false;
  }

  flush(): boolean {
    return true;
  }

  close(): void {
    this.file.close();
  }
}
