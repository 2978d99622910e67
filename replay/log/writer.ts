import type { UserError } from '../../src/core/errors.js';
import type { AsyncEvent, ShutdownCause } from '../../src/core/machine-view.js';
import type { InputEvent } from '../../src/core/nondet.js';
import type { EventSink } from '../event-sink.js';
import type { LogPosition } from '../event-source.js';
import { EventKind, shutdownCauseSub } from './kinds.js';
import { FileOutput, type LogOutput } from './output.js';
import { HEADER_BYTES, MAX_INSTRUCTIONS } from './reader.js';
import { FORMAT_NUMBERING, type LogFormat, type Numbering } from './tables.js';

const BUFFER_BYTES = 1 << 16;
/** No event is longer without its array. */
const WINDOW_BYTES = 64;

const ASYNC_KINDS: Readonly<Record<AsyncEvent['kind'], number>> = {
  bh: EventKind.BH,
  'bh-oneshot': EventKind.BH_ONESHOT,
  input: EventKind.INPUT,
  'input-sync': EventKind.INPUT_SYNC,
  'char-read': EventKind.CHAR_READ,
  block: EventKind.BLOCK,
  net: EventKind.NET,
};

/**
 * Writes a log as a machine runs. Every event comes with the instruction count at which it happens (never going back); what ran since the event before becomes an
 * INSTRUCTION event. The header says version 0 until `finish`, so that a recording that was killed is known as such and is readable up to its last whole event.
 *
 * QEMU before mid-2025 writes SHUTDOWN without the INSTRUCTION that is due, so too early; here it stands where it happened, as in QEMU since.
 */
export class LogWriter implements EventSink {
  /** Events written so far, INSTRUCTION and END included. */
  events = 0;
  private icount = 0;
  private readonly numbering: Numbering;
  private readonly asyncIds: ReadonlyMap<number, number>;
  private readonly output: LogOutput;
  private buffer = new Uint8Array(BUFFER_BYTES);
  private view = new DataView(this.buffer.buffer);
  private used = 0;
  /** File offset of buffer[0]. */
  private filePosition = HEADER_BYTES;
  private failure: UserError | null = null;

  /** Writes the unfinished header. */
  constructor(output: LogOutput, format: LogFormat) {
    this.output = output;
    this.numbering = FORMAT_NUMBERING[format];
    this.asyncIds = new Map(this.numbering.asyncKinds.map((kind, i) => [kind, i]));
    this.put(new Uint8Array(HEADER_BYTES), 0);
  }

  get position(): LogPosition {
    return { offset: this.filePosition + this.used, icount: this.icount, events: this.events };
  }

  interrupt(icount: number): void {
    this.begin(icount, 1);
  }

  exception(icount: number): void {
    this.begin(icount, 2);
  }

  /** @param id as CHECKPOINT_NAMES of kinds.ts */
  checkpoint(icount: number, id: number): void {
    this.begin(icount, this.numbering.checkpoint + id);
  }

  /** @param id 0 host, 1 virtual_rt */
  clock(icount: number, id: number, ns: bigint): void {
    this.begin(icount, this.numbering.clock + id);
    this.u64(ns);
  }

  charWrite(icount: number, result: number, offset: number): void {
    this.begin(icount, this.numbering.charWrite!);
    this.u32(result);
    this.u32(offset);
  }

  charReadAll(icount: number, bytes: Uint8Array): void {
    this.begin(icount, this.numbering.charWrite! + 1);
    this.array(bytes);
  }

  charReadAllError(icount: number, result: number): void {
    this.begin(icount, this.numbering.charWrite! + 2);
    this.u32(result);
  }

  /** @param played frames played in one audio tick */
  audioOut(icount: number, played: number): void {
    this.begin(icount, this.numbering.audioOut!);
    this.u64(BigInt(played));
  }

  /** @param samples 16 bytes for each recorded frame (none when the whole ring was recorded) */
  audioIn(icount: number, recorded: number, writePosition: number, samples: Uint8Array): void {
    this.begin(icount, this.numbering.audioOut! + 1);
    this.u64(BigInt(recorded));
    this.u64(BigInt(writePosition));
    this.raw(samples);
  }

  random(icount: number, result: number, bytes: Uint8Array): void {
    this.begin(icount, this.numbering.random!);
    this.u32(result);
    this.array(bytes);
  }

  /** @param cause 'snapshot-load' exists only in format 7.2 */
  shutdown(icount: number, cause: ShutdownCause): void {
    this.begin(icount, this.numbering.shutdown + shutdownCauseSub(cause));
  }

  /** @param checkpoint the checkpoint at which the event is drained; only format 5.2 writes it */
  async(icount: number, checkpoint: number, event: AsyncEvent): void {
    const number = this.asyncIds.get(ASYNC_KINDS[event.kind])!;
    if (this.numbering.generation === 'A') {
      this.begin(icount, 3);
      this.u8(checkpoint);
      this.u8(number);
    } else this.begin(icount, 3 + number);
    this.asyncPayload(event);
  }

  /**
   * Ends the recording in good order: SHUTDOWN host-signal (which QEMU always adds), END, everything to disk, and only then the version in the header.
   * @param options.shutdown false leaves that SHUTDOWN out (it was written already)
   */
  finish(icount: number, options: { readonly shutdown?: boolean } = {}): void {
    if (options.shutdown !== false) this.shutdown(icount, 'host-signal');
    this.begin(icount, this.numbering.end);
    this.flush();
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, this.numbering.version);
    this.put(header, 0);
  }

  /** Hands everything so far to the operating system, readable by others. */
  flush(): void {
    if (this.failure !== null) throw this.failure;
    const { used, filePosition } = this;
    this.used = 0;
    this.filePosition += used;
    if (used > 0) this.put(this.buffer.subarray(0, used), filePosition);
  }

  /** Flushes (unless writing failed before) and closes the file. */
  close(): void {
    try {
      if (this.failure === null) this.flush();
    } finally {
      this.output.close();
    }
  }

  private put(bytes: Uint8Array, position: number): void {
    try {
      this.output.write(bytes, position);
    } catch (e) {
      this.failure = e as UserError;
      throw e;
    }
  }

  /** What ran since the last event, then the id of this one. */
  private begin(icount: number, id: number): void {
    this.instructions(icount);
    this.u8(id);
    this.events++;
  }

  /** INSTRUCTION for what ran since the last event, if anything: how an unfinished log ends. Leaves room for an event. */
  instructions(icount: number): void {
    this.room(WINDOW_BYTES);
    for (let rest = icount - this.icount; rest > 0; rest -= MAX_INSTRUCTIONS) {
      this.room(WINDOW_BYTES);
      this.u8(0);
      this.u32(Math.min(rest, MAX_INSTRUCTIONS));
      this.events++;
    }
    if (icount > this.icount) this.icount = icount;
  }

  private asyncPayload(event: AsyncEvent): void {
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

  /** Makes room for that many bytes behind what is buffered. */
  private room(bytes: number): void {
    if (this.used + bytes > this.buffer.length) this.flush();
    else if (this.failure !== null) throw this.failure;
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
    this.u32(bytes.length);
    this.raw(bytes);
  }

  private raw(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      this.room(1);
      const n = Math.min(bytes.length - at, this.buffer.length - this.used);
      this.buffer.set(bytes.subarray(at, at + n), this.used);
      this.used += n;
      at += n;
    }
  }
}

/** Creates (or empties) a log file and writes into it. */
export function createLog(path: string, format: LogFormat): LogWriter {
  const output = new FileOutput(path);
  try {
    output.empty();
    return new LogWriter(output, format);
  } catch (e) {
    output.close();
    throw e;
  }
}
