import { InvariantError, UserError } from './errors.js';
import type { FieldKind, StatefulPart } from './state.js';
import type { Timer } from './timers.js';

/**
 * Saving and restoring parts by their schema. Layout of a part: name (u8 length + ASCII), version u16, then the fields in schema order,
 * little-endian; variable-length fields carry a u32 element count. See StateSchema for the field kinds.
 */

const MAX_VARIABLE_ELEMENTS = 1 << 24;
/** "None" for a nullable `int` and an idle timer. */
const NONE = Number.MIN_SAFE_INTEGER;

class Output {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  private room(count: number): number {
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
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

class Input {
  private at = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  private take(count: number): number {
    const at = this.at;
    if (at + count > this.bytes.length)
      throw new UserError('sidecar-corrupt', `saved state ends after ${this.bytes.length} bytes, ${at + count} expected`);
    this.at = at + count;
    return at;
  }
  u8(): number {
    return this.bytes[this.take(1)]!;
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }
  i64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }
  count(): number {
    const n = this.u32();
    if (n > MAX_VARIABLE_ELEMENTS) throw new UserError('sidecar-corrupt', `saved state claims a list of ${n} elements`);
    return n;
  }
}

type Field = Record<string, unknown>;
type AnyArray = Int32Array | Uint32Array | Float64Array | Uint8Array;

function saveField(out: Output, kind: FieldKind, value: unknown): void {
  switch (kind) {
    case 'bool':
      return out.u8(value === true ? 1 : 0);
    case 'u8':
      return out.u8(value as number);
    case 'u16':
      return out.u16(value as number);
    case 'u32':
    case 'i32':
      return out.u32((value as number) >>> 0);
    case 'int':
      return out.f64(value === null ? NONE : (value as number));
    case 'i64':
      return out.i64(value as bigint);
    case 'bytes':
    case 'i32s':
    case 'u32s':
    case 'f64s': {
      const a = value as AnyArray;
      return out.raw(new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
    }
    case 'blob':
      out.u32((value as Uint8Array).length);
      return out.raw(value as Uint8Array);
    case 'ints':
      out.u32((value as number[]).length);
      for (const v of value as number[]) out.f64(v);
      return;
    case 'timer':
      return saveTimer(out, value as Timer<number> | Timer<bigint>);
    case 'part':
      return savePart(out, value as StatefulPart);
    case 'parts':
      for (const p of value as StatefulPart[]) savePart(out, p);
  }
}

function saveTimer(out: Output, timer: Timer<number> | Timer<bigint>): void {
  out.u8(timer.deadline === null ? 0 : typeof timer.deadline === 'bigint' ? 2 : 1);
  if (timer.deadline === null) return;
  if (typeof timer.deadline === 'bigint') out.i64(timer.deadline);
  else out.f64(timer.deadline);
  out.f64(timer.order);
}

function restoreTimer(input: Input, timer: Timer<number> | Timer<bigint>): void {
  const tag = input.u8();
  if (tag === 0) return timer.restore(null, 0);
  if (tag === 2) (timer as Timer<bigint>).restore(input.i64(), input.f64());
  else (timer as Timer<number>).restore(input.f64(), input.f64());
}

function restoreField(input: Input, kind: FieldKind, owner: Field, name: string): void {
  switch (kind) {
    case 'bool':
      owner[name] = input.u8() !== 0;
      return;
    case 'u8':
      owner[name] = input.u8();
      return;
    case 'u16':
      owner[name] = input.u16();
      return;
    case 'u32':
      owner[name] = input.u32();
      return;
    case 'i32':
      owner[name] = input.u32() | 0;
      return;
    case 'int': {
      const v = input.f64();
      owner[name] = v === NONE ? null : v;
      return;
    }
    case 'i64':
      owner[name] = input.i64();
      return;
    case 'bytes':
    case 'i32s':
    case 'u32s':
    case 'f64s': {
      const a = owner[name] as AnyArray;
      new Uint8Array(a.buffer, a.byteOffset, a.byteLength).set(input.raw(a.byteLength));
      return;
    }
    case 'blob':
      owner[name] = input.raw(input.count()).slice();
      return;
    case 'ints':
      owner[name] = Array.from({ length: input.count() }, () => input.f64());
      return;
    case 'timer':
      return restoreTimer(input, owner[name] as Timer<number>);
    case 'part':
      return restorePart(input, owner[name] as StatefulPart);
    case 'parts':
      for (const p of owner[name] as StatefulPart[]) restorePart(input, p);
  }
}

function savePart(out: Output, part: StatefulPart): void {
  const { name, version, fields } = part.schema;
  out.u8(name.length);
  for (let i = 0; i < name.length; i++) out.u8(name.charCodeAt(i));
  out.u16(version);
  const values = part as unknown as Field;
  for (const [field, kind] of Object.entries(fields)) {
    if (!(field in values)) throw new InvariantError(`schema ${name} names a field ${field} that the part does not have`);
    saveField(out, kind, values[field]);
  }
}

function restorePart(input: Input, part: StatefulPart): void {
  const { name, version, fields } = part.schema;
  const found = String.fromCharCode(...input.raw(input.u8()));
  const foundVersion = input.u16();
  if (found !== name || foundVersion !== version)
    throw new UserError('sidecar-corrupt', `saved state of ${found} version ${foundVersion} where ${name} version ${version} was expected`);
  for (const [field, kind] of Object.entries(fields)) restoreField(input, kind, part as unknown as Field, field);
  part.afterRestore?.();
}

/** The whole state of a part as bytes; equal states give equal bytes on every Node version. */
export function saveState(part: StatefulPart): Uint8Array {
  const out = new Output();
  savePart(out, part);
  return out.finish();
}

/** Puts a part into a saved state. Throws UserError 'sidecar-corrupt' when the bytes are not a state of this part. */
export function restoreState(part: StatefulPart, bytes: Uint8Array): void {
  restorePart(new Input(bytes), part);
}

/** Names of the top-level fields in which two parts' states differ, with both values as short text. */
export function describeFields(part: StatefulPart): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [field, kind] of Object.entries(part.schema.fields)) {
    const out = new Output();
    saveField(out, kind, (part as unknown as Field)[field]);
    const bytes = out.finish();
    result[field] = Array.from(bytes.subarray(0, 64), (b) => b.toString(16).padStart(2, '0')).join('');
  }
  return result;
}
