import { createHash } from 'node:crypto';
import { InvariantError, UserError } from './errors.js';
import type { SparseBytes } from './sparse-bytes.js';
import type { FieldKind, StatefulPart } from './state.js';
import { Input, Output, type StateSource } from './state-bytes.js';
import type { Timer } from './timers.js';

/**
 * Saving and restoring parts by their schema. Layout of a part: name (u8 length + ASCII), version u16, then the fields in schema order,
 * little-endian; variable-length fields carry a u32 element count. See StateSchema for the field kinds.
 */

/** "None" for a nullable `int` and an idle timer. */
const NONE = Number.MIN_SAFE_INTEGER;
/** Bytes of a field that a description shows. */
const SHOWN_BYTES = 64;

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
      out.count((value as Uint8Array).length);
      return out.raw(value as Uint8Array);
    case 'ints':
      out.count((value as number[]).length);
      for (const v of value as number[]) out.f64(v);
      return;
    case 'sparse':
      return saveSparse(out, value as SparseBytes);
    case 'timer':
      return saveTimer(out, value as Timer<number> | Timer<bigint>);
    case 'part':
      return savePart(out, value as StatefulPart);
    case 'parts':
      for (const p of value as StatefulPart[]) savePart(out, p);
  }
}

function saveSparse(out: Output, sparse: SparseBytes): void {
  out.u32(sparse.chunkBytes);
  out.u32(sparse.size);
  for (const number of sparse.numbers()) {
    out.u32(number);
    out.raw(sparse.get(number)!);
  }
}

function restoreSparse(input: Input, sparse: SparseBytes): void {
  const chunkBytes = input.u32();
  if (chunkBytes !== sparse.chunkBytes)
    throw new UserError('sidecar-corrupt', `saved state has chunks of ${chunkBytes} bytes where ${sparse.chunkBytes} were expected`);
  sparse.clear();
  let next = 0;
  for (let left = input.count(sparse.chunkCount); left > 0; left--) {
    const number = input.u32();
    if (number < next || number >= sparse.chunkCount)
      throw new UserError(
        'sidecar-corrupt',
        `saved state has chunk ${number} where one from ${next} to ${sparse.chunkCount - 1} was expected`,
      );
    sparse.set(number, input.raw(chunkBytes).slice());
    next = number + 1;
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
  if (tag === 2) (timer as Timer<bigint>).restore(input.i64(), integer(input.f64()));
  else (timer as Timer<number>).restore(integer(input.f64()), integer(input.f64()));
}

/** Saved states come from strangers, too. */
function integer(value: number): number {
  if (!Number.isSafeInteger(value)) throw new UserError('sidecar-corrupt', `saved state has ${value} where an integer was expected`);
  return value;
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
      const v = integer(input.f64());
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
      owner[name] = Array.from({ length: input.count() }, () => integer(input.f64()));
      return;
    case 'sparse':
      return restoreSparse(input, owner[name] as SparseBytes);
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
  const out = new Output(null);
  savePart(out, part);
  return out.finish();
}

/** Hands the bytes of `saveState` on piece by piece: for parts that may have gigabytes of state. */
export function streamState(part: StatefulPart, sink: (piece: Uint8Array) => void): void {
  const out = new Output(sink);
  savePart(out, part);
  out.finish();
}

/** Puts a part into a saved state. Throws UserError 'sidecar-corrupt' when the bytes are not a state of this part. */
export function restoreState(part: StatefulPart, bytes: Uint8Array): void {
  let at = 0;
  restoreStreamed(part, (length) => {
    const piece = bytes.subarray(at, at + length);
    at += piece.length;
    return piece;
  });
}

/** As restoreState, from bytes that come piece by piece. May take more from the source than the part's. */
export function restoreStreamed(part: StatefulPart, source: StateSource): void {
  restorePart(new Input(source), part);
}

/** The top-level fields of a part as short text, equal exactly when the fields are: their first bytes, and a hash of long ones. */
export function describeFields(part: StatefulPart): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [field, kind] of Object.entries(part.schema.fields)) {
    const hash = createHash('sha256');
    let start = new Uint8Array(0);
    let length = 0;
    const out = new Output((piece) => {
      if (length === 0) start = piece.slice(0, SHOWN_BYTES);
      length += piece.length;
      hash.update(piece);
    });
    saveField(out, kind, (part as unknown as Field)[field]);
    out.finish();
    const hex = Array.from(start, (b) => b.toString(16).padStart(2, '0')).join('');
    result[field] = length <= SHOWN_BYTES ? hex : `${hex}... (${length} bytes, SHA-256 ${hash.digest('hex').slice(0, 16)})`;
  }
  return result;
}
