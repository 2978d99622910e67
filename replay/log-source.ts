import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../src/core/errors.js';
import type { AsyncEvent } from '../src/core/machine-view.js';
import type { InputEvent } from '../src/core/nondet.js';
import type { EventSource, ReplayEvent } from './event-source.js';
import { ASYNC_KINDS, FORMATS, type LogFormat, type RecordFormat, SHUTDOWN_CAUSES } from './log-numbers.js';

const CHUNK_BYTES = 1 << 18;
const MAX_ARRAY_BYTES = 64 << 20;

const INTERRUPT: ReplayEvent = { kind: 'interrupt' };
const EXCEPTION: ReplayEvent = { kind: 'exception' };
const END: ReplayEvent = { kind: 'end' };
const CUT: ReplayEvent = { kind: 'cut' };

/** The log stops in the middle of an event. */
const CUT_OFF = Symbol('cut off');

/** Reads a log file for a replaying session, one event ahead, in constant memory. */
export class LogSource implements EventSource {
  current: ReplayEvent = END;
  icount = 0;
  consumed = -1;
  oddInstruction = false;
  private readonly fd: number;
  private readonly path: string;
  private readonly format: RecordFormat;
  /** The recording was not finished (version 0): ending without END is no error. */
  private readonly unfinished: boolean;
  private readonly chunk = new Uint8Array(CHUNK_BYTES);
  private readonly view = new DataView(this.chunk.buffer);
  private at = 0;
  private end = 0;
  /** File offset of chunk[0]. */
  private base = 0;
  private readonly size: number;
  private instructionEvents = 0;

  /** @param unfinishedFormat numbers to use when the header says nothing (a recording that was cut off). */
  constructor(path: string, unfinishedFormat: LogFormat) {
    this.path = path;
    try {
      this.fd = openSync(path, 'r');
      this.size = fstatSync(this.fd).size;
    } catch (e) {
      throw new UserError('file-not-found', `${path}: ${(e as NodeJS.ErrnoException).code ?? 'cannot be opened'}`);
    }
    if (this.size < 12) throw new UserError('log-truncated', `${path} is not a log: ${this.size} bytes, a header has 12`);
    const version = this.u32();
    this.u64();
    this.unfinished = version === 0;
    this.format = this.formatOf(version, unfinishedFormat);
    this.advance();
  }

  private formatOf(version: number, unfinishedFormat: LogFormat): RecordFormat {
    if (version === 0) return FORMATS[unfinishedFormat];
    const found = Object.values(FORMATS).find((f) => f.version === version);
    if (found === undefined) {
      const known = Object.values(FORMATS).map((f) => `0x${f.version.toString(16)}`);
      throw new UserError(
        'log-version',
        `${this.path}: log version 0x${version.toString(16)} cannot be replayed; known are ${known.join(' and ')}`,
      );
    }
    return found;
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Steps to the next event that is not INSTRUCTION. */
  advance(): void {
    if (this.current === CUT) return;
    this.consumed += 1 + this.instructionEvents;
    if (this.current === END && this.consumed > 0) return this.afterEnd();
    this.instructionEvents = 0;
    this.oddInstruction = false;
    let pending = 0;
    try {
      for (;;) {
        if (this.atEnd()) throw CUT_OFF;
        const id = this.u8();
        if (id !== 0) {
          this.current = this.decode(id);
          break;
        }
        const count = this.u32();
        if (count === 0 || count > 0x7fffffff) this.corrupt(`INSTRUCTION counts ${count}`);
        pending += count;
        this.instructionEvents++;
      }
    } catch (e) {
      if (e !== CUT_OFF) throw e;
      if (!this.unfinished) throw new UserError('log-truncated', `${this.path} ends at byte ${this.size} without END`);
      this.current = CUT;
    }
    this.icount += pending;
    this.oddInstruction = this.instructionEvents > 1;
  }

  private afterEnd(): void {
    if (!this.atEnd()) this.corrupt('bytes behind END');
    this.current = CUT;
  }

  private decode(id: number): ReplayEvent {
    const f = this.format;
    if (id === 1) return INTERRUPT;
    if (id === 2) return EXCEPTION;
    if (id === f.end) return END;
    if (id > f.end) this.corrupt(`unknown event id ${id}`);
    if (id >= f.checkpoint) return { kind: 'checkpoint', id: id - f.checkpoint };
    if (id >= f.clock) return { kind: 'clock', id: id - f.clock, ns: this.u64() };
    if (id === f.random) return { kind: 'random', result: this.u32() | 0, bytes: this.array() };
    if (id === f.charWrite) return { kind: 'char-write', result: this.u32() | 0, offset: this.u32() | 0 };
    if (id > f.charWrite) return this.unused(id - f.charWrite);
    if (id >= f.shutdown) {
      const cause = SHUTDOWN_CAUSES[id - f.shutdown];
      return cause === undefined ? this.corrupt(`unknown shutdown cause in event id ${id}`) : { kind: 'shutdown', cause };
    }
    if (!f.asyncGroup) return { kind: 'async', checkpoint: null, event: this.asyncEvent(id - 3) };
    const checkpoint = this.u8();
    return { kind: 'async', checkpoint, event: this.asyncEvent(this.u8()) };
  }

  /** Events of devices that this machine does not have. */
  private unused(distance: number): ReplayEvent {
    switch (distance) {
      case 1:
        this.array();
        return { kind: 'other', name: 'CHAR_READ_ALL' };
      case 2:
        this.u32();
        return { kind: 'other', name: 'CHAR_READ_ALL_ERROR' };
      case 3:
        this.u64();
        return { kind: 'other', name: 'AUDIO_OUT' };
      default:
        return this.corrupt('AUDIO_IN events cannot be replayed yet');
    }
  }

  private asyncEvent(kind: number): AsyncEvent {
    const name = ASYNC_KINDS[kind];
    switch (name) {
      case 'bh':
      case 'bh-oneshot':
      case 'block':
        return { kind: name, id: Number(this.u64()) };
      case 'input':
        return { kind: name, event: this.input() };
      case 'input-sync':
        return { kind: name };
      case 'char-read':
        return { kind: name, device: this.u8(), bytes: this.array() };
      case 'net':
        return { kind: name, filter: this.u8(), flags: this.u32(), bytes: this.array() };
      default:
        return this.corrupt(`unknown asynchronous event kind ${kind}`);
    }
  }

  private input(): InputEvent {
    const code = this.u32();
    switch (code) {
      case 0:
        if (this.u32() === 0) return { kind: 'key-number', number: this.u64(), down: this.u8() !== 0 };
        return { kind: 'key', qcode: this.u32(), down: this.u8() !== 0 };
      case 1:
        return { kind: 'button', button: this.u32(), down: this.u8() !== 0 };
      case 2:
      case 3:
        return { kind: code === 2 ? 'rel' : 'abs', axis: this.u32(), value: Number(this.u64()) };
      case 4:
        return {
          kind: 'mtt',
          type: this.u32(),
          slot: Number(this.u64()),
          trackingId: Number(this.u64()),
          axis: this.u32(),
          value: Number(this.u64()),
        };
      default:
        return { kind: 'unknown', code };
    }
  }

  private corrupt(what: string): never {
    throw new UserError('log-corrupt', `${this.path}: ${what} near byte ${this.base + this.at}`);
  }

  private atEnd(): boolean {
    return this.base + this.at >= this.size;
  }

  /** Makes `count` contiguous bytes available at `at`. */
  private need(count: number): void {
    if (this.end - this.at >= count) return;
    this.chunk.copyWithin(0, this.at, this.end);
    this.base += this.at;
    this.end -= this.at;
    this.at = 0;
    while (this.end < this.chunk.length) {
      const n = readSync(this.fd, this.chunk, this.end, this.chunk.length - this.end, this.base + this.end);
      if (n === 0) break;
      this.end += n;
    }
    if (this.end < count) throw CUT_OFF;
  }

  private u8(): number {
    this.need(1);
    return this.chunk[this.at++]!;
  }

  private u32(): number {
    this.need(4);
    this.at += 4;
    return this.view.getUint32(this.at - 4);
  }

  private u64(): bigint {
    this.need(8);
    this.at += 8;
    return this.view.getBigInt64(this.at - 8);
  }

  private array(): Uint8Array {
    const length = this.u32();
    if (length > MAX_ARRAY_BYTES) this.corrupt(`an array of ${length} bytes`);
    if (length > this.size - this.base - this.at) throw CUT_OFF;
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      this.need(1);
      const n = Math.min(length - done, this.end - this.at);
      bytes.set(this.chunk.subarray(this.at, this.at + n), done);
      this.at += n;
      done += n;
    }
    return bytes;
  }
}
