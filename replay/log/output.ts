import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { UserError } from '../../src/core/errors.js';
import { reason, writeErrorCode } from './input.js';

/** Where the bytes of a log go. */
export interface LogOutput {
  /** Writes all of `bytes` at file offset `position`, or throws UserError 'disk-full' or 'file-io'; then some may have been written. */
  write(bytes: Uint8Array, position: number): void;
  close(): void;
}

/** A log file; what it held stays until it is emptied. */
export class FileOutput implements LogOutput {
  private readonly fd: number;
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o666);
    } catch (e) {
      throw new UserError('file-io', `${path}: ${reason(e)}`);
    }
  }

  empty(): void {
    try {
      if (fstatSync(this.fd).isFile()) ftruncateSync(this.fd, 0);
    } catch (e) {
      throw new UserError('file-io', `${this.path}: ${reason(e)}`);
    }
  }

  write(bytes: Uint8Array, position: number): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at, bytes.length - at, position + at);
    } catch (e) {
      const what = `writing the log failed (${reason(e)}); what was written before stays readable`;
      throw new UserError(writeErrorCode(e), `${this.path}: ${what}`);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
