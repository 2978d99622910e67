import { InvariantError, UserError } from './errors.js';

/** Longest list or blob. */
const MAX_VARIABLE_ELEMENTS = 1 << 24;
/** A long save is handed on in pieces of about this length. */
const PIECE_BYTES = 1 << 16;

/** Bytes of a state as they are written. */
export class Output {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  private readonly sink: ((piece: Uint8Array) => void) | null;

  /** @param sink takes the bytes piece by piece; null: `finish` gives them all. */
  constructor(sink: ((piece: Uint8Array) => void) | null) {
    this.sink = sink;
  }

  private room(count: number): number {
    if (this.sink !== null && this.length >= PIECE_BYTES) this.handOn(this.sink);
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }
  private handOn(sink: (piece: Uint8Array) => void): void {
    const { length } = this;
    this.length = 0;
    sink(this.bytes.slice(0, length));
  }
  u8(v: number): void {
    const at = this.room(1);
    this.bytes[at] = v;
  }
  u16(v: number): void {
    const at = this.room(2);
    this.view.setUint16(at, v, true);
  }
  u32(v: number): void {
    const at = this.room(4);
    this.view.setUint32(at, v, true);
  }
  f64(v: number): void {
    const at = this.room(8);
    this.view.setFloat64(at, v, true);
  }
  i64(v: bigint): void {
    const at = this.room(8);
    this.view.setBigInt64(at, v, true);
  }
  raw(data: Uint8Array): void {
    const at = this.room(data.length);
    this.bytes.set(data, at);
  }
  /** The element count of a variable-length field. */
  count(n: number): void {
    if (n > MAX_VARIABLE_ELEMENTS) throw new InvariantError(`a list of ${n} elements, more than can be restored`);
    this.u32(n);
  }
  finish(): Uint8Array {
    const rest = this.bytes.slice(0, this.length);
    this.sink?.(rest);
    return rest;
  }
}

/** Gives the next bytes of a saved state: as many as asked for, or all that are left. */
export type StateSource = (length: number) => Uint8Array;

/** Bytes of a saved state as they are read. */
export class Input {
  private at = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.bytes.buffer);
  /** Bytes before those of `bytes`. */
  private before = 0;
  private readonly source: StateSource;

  constructor(source: StateSource) {
    this.source = source;
  }
  private take(count: number): number {
    if (this.at + count > this.bytes.length) this.refill(count);
    const { at } = this;
    this.at += count;
    return at;
  }
  private refill(count: number): void {
    const rest = this.bytes.subarray(this.at);
    const more = this.source(Math.max(count - rest.length, PIECE_BYTES));
    this.before += this.at;
    this.at = 0;
    this.bytes = more;
    if (rest.length > 0) {
      this.bytes = new Uint8Array(rest.length + more.length);
      this.bytes.set(rest);
      this.bytes.set(more, rest.length);
    }
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    const length = this.before + this.bytes.length;
    if (count > this.bytes.length)
      throw new UserError('sidecar-corrupt', `saved state ends after ${length} bytes, ${this.before + count} expected`);
  }
  u8(): number {
    const at = this.take(1);
    return this.bytes[at]!;
  }
  u16(): number {
    const at = this.take(2);
    return this.view.getUint16(at, true);
  }
  u32(): number {
    const at = this.take(4);
    return this.view.getUint32(at, true);
  }
  f64(): number {
    const at = this.take(8);
    return this.view.getFloat64(at, true);
  }
  i64(): bigint {
    const at = this.take(8);
    return this.view.getBigInt64(at, true);
  }
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
  count(most = MAX_VARIABLE_ELEMENTS): number {
    const n = this.u32();
    if (n > most) throw new UserError('sidecar-corrupt', `saved state claims a list of ${n} elements`);
    return n;
  }
}
