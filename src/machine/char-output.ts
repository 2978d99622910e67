import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { reason } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';
import type { CharTarget } from './config.js';

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Writes all bytes to a descriptor; waits where a pipe or terminal is full. False when the reader has gone. */
function writeAll(option: string, fd: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw new UserError('file-io', `${option}: writing what the guest sent failed (${reason(e)})`);
      Atomics.wait(pause, 0, 0, 1);
    }
  }
  return true;
}

/**
 * The host end of a serial port or debug console: gathers bytes and writes them when a line ends, on demand and when full.
 * A file that was there is emptied with the first of them or when all is over, not before: the machine may not come to be.
 */
export class CharOutput {
  private readonly option: string;
  private readonly fd: number | null;
  private readonly channel: MessagePort | null;
  private readonly ownsFd: boolean;
  private readonly buffer = new Uint8Array(4096);
  private used = 0;
  private closed = false;
  private emptied: boolean;

  /** @param channel takes the bytes of a target in another thread */
  constructor(option: string, target: CharTarget, channel: MessagePort | null = null) {
    this.channel = channel;
    this.option = target.kind === 'file' ? `${option} file:${target.path}` : option;
    this.ownsFd = target.kind === 'file';
    this.emptied = target.kind === 'file' && target.append === true;
    if (target.kind === 'file') {
      try {
        this.fd = openSync(target.path, constants.O_WRONLY | constants.O_CREAT | (this.emptied ? constants.O_APPEND : 0), 0o666);
      } catch (e) {
        throw new UserError('file-io', `${option} file:${target.path}: ${reason(e)}`);
      }
    } else this.fd = { stdio: 1, stderr: 2, null: null, channel: null }[target.kind];
  }

  send(bytes: Uint8Array): void {
    if ((this.fd === null && this.channel === null) || this.closed) return;
    for (const b of bytes) {
      this.buffer[this.used++] = b;
      if (b === 0x0a || this.used === this.buffer.length) this.flush();
    }
  }

  flush(): void {
    if (this.used === 0) return;
    this.empty();
    const bytes = this.buffer.subarray(0, this.used);
    this.used = 0;
    if (this.channel !== null) this.channel.postMessage(bytes.slice());
    else if (this.fd === null) return;
    else if (!writeAll(this.option, this.fd, bytes)) this.closed = true;
  }

  private empty(): void {
    if (this.emptied || !this.ownsFd || this.fd === null) return;
    this.emptied = true;
    if (fstatSync(this.fd).isFile()) ftruncateSync(this.fd, 0);
  }

  close(): void {
    this.flush();
    this.empty();
    if (this.ownsFd && this.fd !== null) closeSync(this.fd);
  }
}
