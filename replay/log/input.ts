import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../../src/core/errors.js';

/** Bytes of a log, wherever they are. */
export interface LogInput {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  /** Copies up to `length` bytes from file offset `position` to `target[at]`; returns how many there were. */
  read(target: Uint8Array, at: number, length: number, position: number): number;
  close(): void;
}

/** A log file. */
export class FileInput implements LogInput {
  readonly name: string;
  readonly size: number;
  private readonly fd: number;

  constructor(path: string) {
    this.name = path;
    try {
      // A named pipe must not hold the open up: it is refused below.
      this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (e) {
      throw new UserError('file-not-found', `${path}: ${reason(e)}`);
    }
    const stat = fstatSync(this.fd);
    if (!stat.isFile()) {
      closeSync(this.fd);
      throw new UserError('file-io', `${path}: not a regular file`);
    }
    this.size = stat.size;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    try {
      let done = 0;
      while (done < length) {
        const n = readSync(this.fd, target, at + done, length - done, position + done);
        if (n === 0) break;
        done += n;
      }
      return done;
    } catch (e) {
      throw new UserError('file-io', `${this.name}: ${reason(e)} at byte ${position}`);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** A log in memory. */
export class BytesInput implements LogInput {
  readonly name: string;
  readonly size: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = 'log') {
    this.name = name;
    this.bytes = bytes;
    this.size = bytes.length;
  }

  read(target: Uint8Array, at: number, length: number, position: number): number {
    const part = this.bytes.subarray(position, position + length);
    target.set(part, at);
    return part.length;
  }

  close(): void {}
}

/** Why a file operation failed, in a few words. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'no such file or directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'is a directory';
    case 'ENOSPC':
      return 'no space left on the device';
    case 'EDQUOT':
      return 'no more space is allowed';
    case 'EFBIG':
      return 'a file may not become larger';
    case 'EROFS':
      return 'read-only file system';
    case 'ENOTDIR':
      return 'a part of the path is no folder';
    case 'ESPIPE':
      return 'not a regular file';
    default:
      return code ?? message;
  }
}

/** The error code of a write that failed. */
export function writeErrorCode(error: unknown): 'disk-full' | 'file-io' {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'file-io';
}
