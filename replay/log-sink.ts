import { closeSync, openSync, writeSync } from 'node:fs';
import { UserError } from '../src/core/errors.js';
import type { AsyncEvent, ShutdownCause } from '../src/core/machine-view.js';
import type { InputEvent } from '../src/core/nondet.js';
import type { EventSink } from './event-sink.js';
import { ASYNC_KINDS, FORMATS, type LogFormat, type RecordFormat, SHUTDOWN_CAUSES } from './log-numbers.js';

const BUFFER_BYTES = 1 << 16;
const MAX_INSTRUCTIONS = 0x7fffffff;

/** Writes a recording session's events into a log file as they happen. */
export class LogSink implements EventSink {
  events = 0;
  private icount = 0;
  private readonly fd: number;
  private readonly path: string;
  private readonly format: RecordFormat;
  private buffer = new Uint8Array(BUFFER_BYTES);
  private view = new DataView(this.buffer.buffer);
  private used = 0;
  private position = 12;

  /** Creates the file with an unfinished header (version 0). */
  constructor(path: string, format: LogFormat) {
    this.path = path;
    this.format = FORMATS[format];
    try {
      this.fd = openSync(path, 'w');
    } catch (e) {
      throw new UserError('file-io', `${path}: ${(e as NodeJS.ErrnoException).code}`);
    }
    this.write(new Uint8Array(12), 0);
  }

  interrupt(icount: number): void {
    this.begin(icount, 1, 0);
  }

  exception(icount: number): void {
    this.begin(icount, 2, 0);
  }

  checkpoint(icount: number, id: number): void {
    this.begin(icount, this.format.checkpoint + id, 0);
  }

  clock(icount: number, id: number, ns: bigint): void {
    this.begin(icount, this.format.clock + id, 8);
    this.u64(ns);
  }

  charWrite(icount: number, result: number, offset: number): void {
    this.begin(icount, this.format.charWrite, 8);
    this.u32(result);
    this.u32(offset);
  }

  random(icount: number, result: number, bytes: Uint8Array): void {
    this.begin(icount, this.format.random, 8 + bytes.length);
    this.u32(result);
    this.array(bytes);
  }

  shutdown(icount: number, cause: ShutdownCause): void {
    this.begin(icount, this.format.shutdown + SHUTDOWN_CAUSES.indexOf(cause), 0);
  }

  async(icount: number, checkpoint: number, event: AsyncEvent): void {
    const kind = ASYNC_KINDS.indexOf(event.kind);
    if (this.format.asyncGroup) {
      this.begin(icount, 3, 64);
      this.u8(checkpoint);
      this.u8(kind);
    } else this.begin(icount, 3 + kind, 64);
    switch (event.kind) {
      case 'bh':
      case 'bh-oneshot':
      case 'block':
        return this.u64(BigInt(event.id));
      case 'input':
        return this.input(event.event);
      case 'input-sync':
        return;
      case 'char-read':
        this.u8(event.device);
        return this.array(event.bytes);
      case 'net':
        this.u8(event.filter);
        this.u32(event.flags);
        return this.array(event.bytes);
    }
  }

  private input(e: InputEvent): void {
    switch (e.kind) {
      case 'key-number':
        this.u32(0);
        this.u32(0);
        this.u64(e.number);
        return this.u8(e.down ? 1 : 0);
      case 'key':
        this.u32(0);
        this.u32(1);
        this.u32(e.qcode);
        return this.u8(e.down ? 1 : 0);
      case 'button':
        this.u32(1);
        this.u32(e.button);
        return this.u8(e.down ? 1 : 0);
      case 'rel':
      case 'abs':
        this.u32(e.kind === 'rel' ? 2 : 3);
        this.u32(e.axis);
        return this.u64(BigInt(e.value));
      case 'mtt':
        this.u32(4);
        this.u32(e.type);
        this.u64(BigInt(e.slot));
        this.u64(BigInt(e.trackingId));
        this.u32(e.axis);
        return this.u64(BigInt(e.value));
      case 'unknown':
        return this.u32(e.code);
    }
  }

  /** Ends the recording: SHUTDOWN host-signal, END, and the version in the header, which makes the log whole. */
  finish(icount: number): void {
    this.shutdown(icount, 'host-signal');
    this.begin(icount, this.format.end, 0);
    this.flush();
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, this.format.version);
    this.write(header, 0);
  }

  flush(): void {
    if (this.used === 0) return;
    this.write(this.buffer.subarray(0, this.used), this.position);
    this.position += this.used;
    this.used = 0;
  }

  /** Writes what is buffered, as far as the disk allows, and closes the file. */
  close(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.fd);
    }
  }

  private write(bytes: Uint8Array, position: number): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at, bytes.length - at, position + at);
    } catch (e) {
      this.used = 0;
      throw new UserError(
        'file-io',
        `${this.path}: writing the log failed (${(e as NodeJS.ErrnoException).code}); what was written before can be replayed`,
      );
    }
  }

  /** INSTRUCTION for what ran since the last event, then the id; makes room for `payload` bytes and a little more. */
  private begin(icount: number, id: number, payload: number): void {
    this.room(payload + 32);
    for (let diff = icount - this.icount; diff > 0; diff -= MAX_INSTRUCTIONS) {
      this.u8(0);
      this.u32(Math.min(diff, MAX_INSTRUCTIONS));
      this.events++;
    }
    this.icount = icount;
    this.u8(id);
    this.events++;
  }

  private room(bytes: number): void {
    if (this.used + bytes <= this.buffer.length) return;
    this.flush();
    if (bytes <= this.buffer.length) return;
    this.buffer = new Uint8Array(bytes);
    this.view = new DataView(this.buffer.buffer);
  }

  private u8(v: number): void {
    this.buffer[this.used++] = v;
  }

  private u32(v: number): void {
    this.view.setUint32(this.used, v);
    this.used += 4;
  }

  private u64(v: bigint): void {
    this.view.setBigInt64(this.used, v);
    this.used += 8;
  }

  private array(bytes: Uint8Array): void {
    this.room(bytes.length + 4);
    this.u32(bytes.length);
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }
}
