import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { HASH_NAMES, type HashName } from './content-hash.js';
import { type CheckpointEntry, MAX_PAYLOAD_BYTES, type Space, type StoreDescription } from './format.js';

const MAX_SPACES = 16;
const MAX_ITEMS = 256;
const MAX_UNITS = 1 << 24;

type Pairs = Readonly<Record<string, Uint32Array>>;

/** Payload of a CHECKPOINT record: length of the entry's JSON, the JSON, then the pairs of each space that it names, all deflated. */
export function encodeCheckpoint(entry: CheckpointEntry, pairs: Pairs): Uint8Array {
  const text = Buffer.from(JSON.stringify(entry));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const lists = Object.keys(entry.changes).map((name) => {
    const words = pairs[name]!;
    const bytes = Buffer.alloc(words.length * 4);
    words.forEach((w, k) => {
      bytes.writeUInt32LE(w, 4 * k);
    });
    return bytes;
  });
  return deflateRawSync(Buffer.concat([length, text, ...lists]), { level: 1 });
}

/**
 * The checkpoint in a payload; null when it is none.
 * @param contents how many there are before it: what it refers to.
 */
export function decodeCheckpoint(
  payload: Uint8Array,
  spaces: Readonly<Record<string, Space>>,
  contents: number,
): { entry: CheckpointEntry; pairs: Pairs } | null {
  try {
    const bytes = inflateRawSync(payload, { maxOutputLength: MAX_PAYLOAD_BYTES });
    let at = 4 + bytes.readUInt32LE(0);
    const entry: unknown = JSON.parse(bytes.toString('utf8', 4, at));
    if (!isEntry(entry, spaces, contents)) return null;
    const pairs: Record<string, Uint32Array> = {};
    for (const [name, count] of Object.entries(entry.changes)) {
      const words = new Uint32Array(2 * count);
      for (let k = 0; k < words.length; k++, at += 4) words[k] = bytes.readUInt32LE(at);
      for (let k = 0; k < words.length; k += 2) if (words[k]! >= spaces[name]!.count || words[k + 1]! > contents) return null;
      pairs[name] = words;
    }
    return { entry, pairs };
  } catch {
    // Not deflated, not JSON, or too short.
    return null;
  }
}

const isCount = (v: unknown, most = Number.MAX_SAFE_INTEGER): v is number =>
  Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) <= most;
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

function isEntry(v: unknown, spaces: Readonly<Record<string, Space>>, contents: number): v is CheckpointEntry {
  if (!isObject(v) || !isObject(v.position) || !isObject(v.items) || !isObject(v.changes)) return false;
  const { offset, icount, events } = v.position;
  const numbers = [v.icount, offset, icount, events].every((n) => isCount(n)) && Number.isSafeInteger(v.timeNs);
  const log = isCount(v.logFrom, v.position.offset as number) && typeof v.logHash === 'string';
  const base = v.base === -1 || isCount(v.base);
  const items = Object.values(v.items);
  const places = items.length <= MAX_ITEMS && items.every((id) => isCount(id, contents) && id > 0);
  const changes = Object.entries(v.changes).every(([name, n]) => Object.hasOwn(spaces, name) && isCount(n, spaces[name]!.count));
  return numbers && log && base && places && changes;
}

/** The description of a store, if it is one; else null. */
export function checkDescription(v: unknown): StoreDescription | null {
  if (!isObject(v) || typeof v.identity !== 'string' || !isObject(v.spaces)) return null;
  const spaces = Object.values(v.spaces);
  if (spaces.length > MAX_SPACES) return null;
  for (const space of spaces)
    if (!isObject(space) || !isCount(space.unitBytes, 1 << 22) || space.unitBytes === 0 || !isCount(space.count, MAX_UNITS)) return null;
  if (v.hash !== undefined && !HASH_NAMES.includes(v.hash as HashName)) return null;
  return v as unknown as StoreDescription;
}
