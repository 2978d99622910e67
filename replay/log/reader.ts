import { UserError } from '../../src/core/errors.js';
import { ASYNC_GROUP, type DecodeTable, decodeTable, UNKNOWN_ID, VARIABLE } from './decode-table.js';
import { FileInput, type LogInput } from './input.js';
import { EventKind } from './kinds.js';
import { identify, type LogFormat, type Numbering } from './tables.js';

/** Bytes of the header: version and 8 reserved bytes. */
export const HEADER_BYTES = 12;
/** Longer arrays are taken for damage: a network frame has up to 64 KiB. */
export const MAX_ARRAY_BYTES = 64 << 20;
/** Instructions of one INSTRUCTION event: a positive signed 32-bit number. */
export const MAX_INSTRUCTIONS = 0x7fffffff;

const CHUNK_BYTES = 1 << 18;
/** No event is longer without its array. */
/** Frames: no back-end of QEMU's has a smaller ring of recorded frames. */
const SMALLEST_RING = 256;
const WINDOW_BYTES = 64;

export interface ReaderOptions {
  /** The format of an unfinished log (version 0), where its sidecar says it; else its first event does. */
  readonly unfinishedAs?: LogFormat | undefined;
}

/**
 * Steps through a log of any size in constant memory, without allocating. The fields describe the current event until `next` is called again.
 * Errors are UserErrors: 'log-version', 'log-truncated' (the log ends before END), 'log-corrupt', 'file-io'.
 */
export class LogCursor {
  readonly numbering: Numbering;
  /** As in the header; 0 when the recording was not finished. */
  readonly version: number;
  /** File offset of the current event's id. */
  offset = HEADER_BYTES;
  /** Number of the current event, from 0; -1 before the first. */
  index = -1;
  /** Instructions executed up to and with the current event. */
  icount = 0;
  /** An EventKind; NONE before the first event and behind the last. */
  kind: number = EventKind.NONE;
  /** Clock id, checkpoint id (kinds.ts) or shutdown cause (kinds.ts). */
  sub = 0;
  /** INSTRUCTION: how many. */
  count = 0;
  /** ASYNC events of generation A: the checkpoint that they were drained at; else -1. */
  checkpoint = -1;

  private readonly input: LogInput;
  private readonly table: DecodeTable;
  private size: number;
  private readonly chunk: Uint8Array;
  private readonly view: DataView;
  /** File offset of chunk[0]. */
  private base = 0;
  private filled = 0;
  /** Chunk position of the next event; lies behind `filled` when an array longer than the chunk was passed over. */
  private at = HEADER_BYTES;
  /** Chunk position behind id, checkpoint and kind bytes of the current event. */
  private body = 0;
  private arrayAt = 0;
  private arrayLength = 0;

  constructor(input: LogInput, options: ReaderOptions = {}) {
    this.input = input;
    this.size = input.size;
    if (this.size < HEADER_BYTES)
      throw new UserError('log-truncated', `${input.name} is not a log: ${this.size} bytes, a header has ${HEADER_BYTES}`);
    this.chunk = new Uint8Array(Math.max(WINDOW_BYTES, Math.min(CHUNK_BYTES, this.size)));
    this.view = new DataView(this.chunk.buffer);
    this.fill();
    this.version = this.view.getUint32(0);
    const last = new Uint8Array(1);
    const hasEvents = this.size > HEADER_BYTES && input.read(last, 0, 1, this.size - 1) === 1;
    this.numbering = identify(input.name, {
      version: this.version,
      first: hasEvents ? this.chunk[HEADER_BYTES]! : null,
      last: hasEvents ? last[0]! : null,
      unfinishedAs: options.unfinishedAs,
    });
    this.table = decodeTable(this.numbering);
  }

  /** Whether the recording was ended in good order: its header has a version. Then a log without END is an error. */
  get finished(): boolean {
    return this.version !== 0;
  }

  /** Length of the log; for an unfinished one that was read to its end, up to its last whole event. */
  get bytes(): number {
    return this.size;
  }

  /** Steps to the next event; false behind END, or where an unfinished log was cut off. */
  next(): boolean {
    if (this.at + WINDOW_BYTES > this.filled && this.base + this.filled < this.size) this.refill();
    const at = this.at;
    if (at >= this.filled) return this.stop();
    const id = this.chunk[at]!;
    const size = this.table.sizes[id]!;
    if (size === VARIABLE) return this.variable(id);
    if (at + size > this.filled) return this.cutOff();
    const kind = this.table.kinds[id]!;
    if (kind === EventKind.INSTRUCTION) {
      const count = this.view.getInt32(at + 1);
      if (count <= 0) this.corrupt(`INSTRUCTION counts ${count}`);
      this.count = count;
      this.icount += count;
    }
    this.sub = this.table.subs[id]!;
    this.checkpoint = -1;
    this.body = at + 1;
    this.accept(kind, at, at + size);
    if (kind === EventKind.END) this.checkEnd();
    return true;
  }

  /** File offset behind the current event. */
  get nextOffset(): number {
    return this.base + this.at;
  }

  /**
   * Stands behind an event of this log, as if everything up to it had been read; the fields describe no event until `next`.
   * @param offset file offset of the next event
   * @param icount instructions up to there
   * @param index number of the event before
   * @throws UserError 'log-corrupt' when the log does not reach as far
   */
  seek(offset: number, icount: number, index: number): void {
    if (offset < HEADER_BYTES || offset > this.size)
      throw new UserError('log-corrupt', `${this.input.name}: there is no byte ${offset} to go on from (it has ${this.size})`);
    this.base = offset;
    this.at = this.filled = 0;
    this.icount = icount;
    this.index = index;
    this.kind = EventKind.NONE;
    this.fill();
  }

  /** Closes the input. */
  close(): void {
    this.input.close();
  }

  /** A byte of the event's payload, `at` bytes behind its id (generation A: behind the kind byte). */
  byteAt(at: number): number {
    return this.chunk[this.body + at]!;
  }

  /** A signed 32-bit number of the payload. */
  int32At(at: number): number {
    return this.view.getInt32(this.body + at);
  }

  /** A signed 64-bit number of the payload. */
  int64At(at: number): bigint {
    return this.view.getBigInt64(this.body + at);
  }

  /** The upper and lower half of the payload's first 64 bits (CLOCK, BLOCK, BH, AUDIO_OUT). */
  get hi(): number {
    return this.view.getInt32(this.body);
  }
  get lo(): number {
    return this.view.getInt32(this.body + 4);
  }

  /** The bytes of an event that ends with an array (CHAR_READ, NET, RANDOM, CHAR_READ_ALL; AUDIO_IN: its samples); valid until `next`. */
  payload(): Uint8Array {
    if (this.arrayAt + this.arrayLength <= this.filled) return this.chunk.subarray(this.arrayAt, this.arrayAt + this.arrayLength);
    const bytes = new Uint8Array(this.arrayLength);
    const got = this.input.read(bytes, 0, bytes.length, this.base + this.arrayAt);
    if (got < bytes.length) throw this.truncated('within an array');
    return bytes;
  }

  /** Throws UserError 'log-corrupt' about the current event. */
  corrupt(what: string): never {
    throw new UserError('log-corrupt', `${this.input.name}: ${what}, at byte ${this.base + this.at} (event ${this.index + 1})`);
  }

  private accept(kind: number, at: number, end: number): void {
    this.kind = kind;
    this.offset = this.base + at;
    this.index++;
    this.at = end;
  }

  /** Events whose length is found inside them, and ids that are no event. */
  private variable(id: number): boolean {
    const start = this.at;
    let kind = this.table.kinds[id]!;
    if (kind === UNKNOWN_ID) this.corrupt(`unknown event id ${id}`);
    let body = start + 1;
    let checkpoint = -1;
    if (kind === ASYNC_GROUP) {
      if (start + 3 > this.filled) return this.cutOff();
      checkpoint = this.checkpointByte(this.chunk[start + 1]!);
      kind = this.asyncKind(this.chunk[start + 2]!);
      body = start + 3;
    }
    const end = this.endOf(kind, body);
    if (end < 0 || this.base + end > this.size) return this.cutOff();
    this.sub = 0;
    this.checkpoint = checkpoint;
    this.body = body;
    this.accept(kind, start, end);
    return true;
  }

  private checkpointByte(number: number): number {
    return this.numbering.checkpoints[number] ?? this.corrupt(`ASYNC at unknown checkpoint ${number}`);
  }

  private asyncKind(number: number): number {
    return this.numbering.asyncKinds[number] ?? this.corrupt(`ASYNC of unknown kind ${number}`);
  }

  /** Chunk position behind an event of varying length, which may lie behind the chunk; -1 when the log ends before that is known. */
  private endOf(kind: number, body: number): number {
    switch (kind) {
      case EventKind.INPUT_SYNC:
        return body;
      case EventKind.BH:
      case EventKind.BH_ONESHOT:
      case EventKind.BLOCK:
        return body + 8;
      case EventKind.INPUT:
        return this.inputEnd(body);
      case EventKind.CHAR_READ:
        return this.arrayEnd(body + 1);
      case EventKind.NET:
        return this.arrayEnd(body + 5);
      case EventKind.RANDOM:
        return this.arrayEnd(body + 4);
      case EventKind.AUDIO_IN:
        return this.samplesEnd(body);
      default:
        return this.arrayEnd(body);
    }
  }

  private arrayEnd(at: number): number {
    if (at + 4 > this.filled) return -1;
    return this.array(at + 4, this.view.getUint32(at));
  }

  private array(at: number, length: number): number {
    if (this.base + at + length > this.size) return -1;
    if (length > MAX_ARRAY_BYTES) this.corrupt(`an array of ${length} bytes`);
    this.arrayAt = at;
    this.arrayLength = length;
    return at + length;
  }

  /**
   * Two counters, then 16 bytes for each recorded frame. A ring recorded in full has none, and its size is not in the log: then what follows does not look like samples,
   * which have 32 bits in 64.
   */
  private samplesEnd(body: number): number {
    const width = this.numbering.audioCounterBytes;
    if (body + 2 * width > this.filled) return -1;
    const recorded = width === 8 ? this.view.getBigUint64(body) : BigInt(this.view.getUint32(body));
    if (recorded > BigInt(MAX_ARRAY_BYTES / 16)) this.corrupt(`AUDIO_IN of ${recorded} samples`);
    const at = body + 2 * width;
    const length = Number(recorded) * 16;
    return this.array(at, recorded >= SMALLEST_RING && !this.areSamples(at, length) ? 0 : length);
  }

  /** Whether the bytes can be samples, as far as a log that was cut off has them. */
  private areSamples(at: number, length: number): boolean {
    const rest = this.size - this.base - at;
    if (rest < length && this.finished) return false;
    const bytes = new Uint8Array(Math.min(length, rest) & ~7);
    this.input.read(bytes, 0, bytes.length, this.base + at);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < bytes.length; i += 8) if (view.getInt32(i) !== view.getInt32(i + 4) >> 31) return false;
    return true;
  }

  private inputEnd(body: number): number {
    if (body + 4 > this.filled) return -1;
    switch (this.view.getUint32(body)) {
      case 0:
        if (body + 8 > this.filled) return -1;
        return body + this.keyBytes(this.view.getUint32(body + 4));
      case 1:
        return body + 9;
      case 2:
      case 3:
        return body + 16;
      case 4:
        return body + 36;
      default:
        return body + 4;
    }
  }

  private keyBytes(form: number): number {
    if (form > 1) this.corrupt(`a key of form ${form} (0 number, 1 qcode)`);
    return form === 0 ? 17 : 13;
  }

  private checkEnd(): void {
    const rest = this.size - this.base - this.at;
    if (rest !== 0) throw new UserError('log-corrupt', `${this.input.name}: ${rest} bytes behind END at byte ${this.offset}`);
  }

  /** No byte is left. */
  private stop(): false {
    const ended = this.kind === EventKind.END || (this.kind === EventKind.NONE && this.index >= 0);
    if (!ended && this.finished) throw this.truncated('without END');
    this.kind = EventKind.NONE;
    return false;
  }

  /** The log ends within an event. */
  private cutOff(): false {
    if (this.finished) throw this.truncated(`within the event that begins at byte ${this.base + this.at}`);
    this.kind = EventKind.NONE;
    this.size = this.base + this.at;
    this.filled = Math.min(this.filled, this.at);
    return false;
  }

  private truncated(where: string): UserError {
    return new UserError(
      'log-truncated',
      `${this.input.name}: ends at byte ${this.size}, ${where} (whole up to event ${this.index}, instruction ${this.icount})`,
    );
  }

  /** Moves what is left to the front and reads on. */
  private refill(): void {
    const left = Math.max(0, this.filled - this.at);
    if (left > 0) this.chunk.copyWithin(0, this.at, this.filled);
    this.base += this.at;
    this.at = 0;
    this.filled = left;
    this.fill();
  }

  private fill(): void {
    const want = Math.min(this.chunk.length - this.filled, this.size - this.base - this.filled);
    const got = this.input.read(this.chunk, this.filled, want, this.base + this.filled);
    this.filled += got;
    if (got < want) this.size = this.base + this.filled;
  }
}

/** Opens a log file. */
export function openLog(path: string, options?: ReaderOptions): LogCursor {
  const input = new FileInput(path);
  try {
    return new LogCursor(input, options);
  } catch (e) {
    input.close();
    throw e;
  }
}
