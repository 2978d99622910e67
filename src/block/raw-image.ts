import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import { type BlockDevice, SECTOR_BYTES } from './block-device.js';

/** A raw disk image on the host, read-only. A last part of a sector is filled up with zeros. */
export class RawImage implements BlockDevice {
  readonly sectorCount: number;
  private readonly fd: number;
  private readonly lengthBytes: number;

  /** Opens the file. Throws UserError naming it when that fails or it has no sectors. */
  constructor(path: string) {
    this.fd = open(path);
    const stat = fstatSync(this.fd);
    if (!stat.isFile() || stat.size === 0) {
      closeSync(this.fd);
      throw new UserError(
        'image-corrupt',
        `${path} is ${stat.isFile() ? 'empty' : 'not a regular file'}; a raw image has at least one sector`,
      );
    }
    this.lengthBytes = stat.size;
    this.sectorCount = Math.ceil(stat.size / SECTOR_BYTES);
  }

  read(startSector: number, target: Uint8Array): boolean {
    let done = 0;
    try {
      while (done < target.length) {
        const at = startSector * SECTOR_BYTES + done;
        if (at >= this.lengthBytes) break;
        const count = readSync(this.fd, target, done, target.length - done, at);
        if (count === 0) break;
        done += count;
      }
    } catch {
      return false;
    }
    target.fill(0, done);
    return true;
  }

  write(): boolean {
    return false;
  }

  flush(): boolean {
    return true;
  }

  close(): void {
    closeSync(this.fd);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UserError(code === 'ENOENT' ? 'file-not-found' : 'file-io', `cannot open the disk image ${path}: ${code}`);
  }
}
