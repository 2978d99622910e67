import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { UserError } from '../core/errors.js';

/** A regular file on the host, read and perhaps written at any place. What images of every format are made of. */
export class HostFile {
  readonly path: string;
  private length: number;
  private readonly fd: number;

  /**
   * Opens the file. Throws UserError naming it when that fails or it is no regular file.
   * @param access 'r' to read, 'r+' to write as well
   */
  constructor(path: string, access: 'r' | 'r+' = 'r') {
    this.path = path;
    this.fd = open(path, access);
    const stat = fstatSync(this.fd);
    if (!stat.isFile()) {
      closeSync(this.fd);
      throw new UserError('image-corrupt', `${path} is not a regular file`);
    }
    this.length = stat.size;
  }

  get lengthBytes(): number {
    return this.length;
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

  /** Writes `source` at `position`; the file grows as needed. Throws UserError when the host cannot. */
  write(position: number, source: Uint8Array): void {
    try {
      for (let done = 0; done < source.length; ) done += writeSync(this.fd, source, done, source.length - done, position + done);
    } catch (error) {
      throw new UserError('file-io', `cannot write to ${this.path}: ${(error as NodeJS.ErrnoException).code}`);
    }
    this.length = Math.max(this.length, position + source.length);
  }

  /** Makes what was written last. Throws UserError when the host cannot. */
  sync(): void {
    try {
      fdatasyncSync(this.fd);
    } catch (error) {
      throw new UserError('file-io', `cannot write to ${this.path}: ${(error as NodeJS.ErrnoException).code}`);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

function open(path: string, access: 'r' | 'r+'): number {
  try {
    return openSync(path, access);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UserError(code === 'ENOENT' ? 'file-not-found' : 'file-io', `cannot open the disk image ${path}: ${code}`);
  }
}
