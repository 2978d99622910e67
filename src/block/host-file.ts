import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../core/errors.js';

/** A regular file on the host, read at any place. What images of every format are made of. */
export class HostFile {
  readonly path: string;
  readonly lengthBytes: number;
  private readonly fd: number;

  /** Opens the file for reading. Throws UserError naming it when that fails or it is no regular file. */
  constructor(path: string) {
    this.path = path;
    this.fd = open(path);
    const stat = fstatSync(this.fd);
    if (!stat.isFile()) {
      closeSync(this.fd);
      throw new UserError('image-corrupt', `${path} is not a regular file`);
    }
    this.lengthBytes = stat.size;
  }

  /** Fills `target` from `position` on, with zeros behind the end of the file. False: the host cannot read there. */
  read(position: number, target: Uint8Array): boolean {
    let done = 0;
    try {
      while (done < target.length && position + done < this.lengthBytes) {
        const count = readSync(this.fd, target, done, target.length - done, position + done);
        if (count === 0) break;
        done += count;
      }
    } catch {
      return false;
    }
    target.fill(0, done);
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
