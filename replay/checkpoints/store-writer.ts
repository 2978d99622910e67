import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { FileInput } from '../log/input.js';
import { HEADER_BYTES } from '../log/reader.js';
import { type ContentHash, contentHash, type HashName } from './content-hash.js';
import { encodeCheckpoint } from './entry.js';
import { exclusiveOr } from './exclusive-or.js';
import { type DetailedSpan, encodeFootprint, type Footprint, type FootprintDetail } from './footprint.js';
import {
  type CheckpointEntry,
  type CheckpointPosition,
  HASH_BYTES,
  KNOWN_ENTRY_BYTES,
  RECORD_CHECKPOINT,
  RECORD_KNOWN,
  RECORD_VERSIONS,
  type Space,
  type StoreDescription,
  VERSION_ENTRY_BYTES,
} from './format.js';
import type { KnownPage, KnownPages } from './known-pages.js';
import { PageTable } from './page-table.js';
import { CheckpointStore, type StoredCheckpoint } from './store.js';
import { StoreFile } from './store-file.js';

/** Contents are compressed together up to about this many bytes: larger is smaller on disk, and slower to read one page from. */
const BLOCK_BYTES = 16 * 4096;
const PAGE = 4096;
/** Every so many checkpoints one has its whole table, so that damage ends there. */
const WHOLE_TABLE_EVERY = 128;
/** Bytes of a space's units that are kept so that later versions of them are only what differs. */
const ORIGINALS_BYTES = 16 << 20;
/** One that differs in more than a quarter is stored whole, and is the original from then on. */
const VERSION_WORDS_SHARE = 1 / 16;
/** The space of guest memory: a page of zeros is no content. */
const MEMORY = 'memory';
/** A content that is stored whole. */
interface Original {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** A moment of a machine, without what is kept page by page. */
export interface CheckpointMoment {
  readonly icount: number;
  readonly timeNs: number;
  readonly position: CheckpointPosition;
  readonly items: Readonly<Record<string, Uint8Array>>;
}

/** Writes LOG.checkpoints: each checkpoint's new contents, compressed, then its entry. */
export class StoreWriter {
  private readonly file: StoreFile;
  private readonly spaces: Readonly<Record<string, Space>>;
  private readonly hashOf: ContentHash;
  /** Contents by hash. */
  private readonly ids: Map<string, number>;
  /** Hashes by content. */
  private readonly hashes: string[];
  /** Pages of the inputs, by hash. */
  private readonly known = new Map<string, KnownPage>();
  /** Of the checkpoint that the next one's changes are from. */
  private tables: Record<string, PageTable> = {};
  /** Pairs of page and content of the checkpoint that is coming. */
  private changes: Record<string, number[]> = {};
  private base = -1;
  /** Checkpoints in the file. */
  private count = 0;
  /** Checkpoints that the file had, by moment. */
  private readonly there = new Map<string, StoredCheckpoint>();
  /** How much is known of the footprints that the file has, by what they are about. */
  private readonly details = new Map<string, FootprintDetail>();
  /** Up to where the log's bytes are hashed. */
  private logAt = HEADER_BYTES;
  private readonly log: string;
  /** What units of each space were when they were last stored whole, longest unused first. */
  private readonly originals: Record<string, Map<number, Original>> = {};
  private readonly waiting: { readonly hash: string; readonly bytes: Uint8Array; readonly base: number }[] = [];
  private waitingBytes = 0;
  private readonly waitingKnown: { readonly hash: string; readonly page: KnownPage }[] = [];

  private constructor(
    file: StoreFile,
    description: Pick<StoreDescription, 'spaces'>,
    hashOf: ContentHash,
    inputs: KnownPages,
    hashes: string[],
    there: readonly (StoredCheckpoint | null)[],
    footprints: readonly DetailedSpan[],
    log: string,
  ) {
    for (const { from, to, detail } of footprints) this.noteFootprint(momentName(from, to), detail);
    this.log = log;
    this.file = file;
    this.spaces = description.spaces;
    this.hashOf = hashOf;
    inputs.index(hashOf, this.known);
    this.hashes = hashes;
    this.ids = new Map(hashes.map((hash, id) => [hash, id]));
    this.count = there.length;
    for (const c of there) if (c !== null) this.there.set(momentName(c.icount, c.position.events), c);
  }

  /** Begins a new store, in the place of one that was there. */
  static create(path: string, description: StoreDescription, known: KnownPages, log: string): StoreWriter {
    const hash: HashName = description.hash ?? 'blake2b512';
    const hashOf = contentHash(hash);
    const file = StoreFile.create(path, { ...description, hash: hash === 'sha256' ? undefined : hash });
    return new StoreWriter(file, description, hashOf, known, [''], [], [], log);
  }

  /** Goes on with a store that is there; see CheckpointStore for the errors. */
  static extend(path: string, identity: string, known: KnownPages, log: string): StoreWriter {
    const store = new CheckpointStore(path, identity, known, { writable: true });
    const file = store.release();
    file.goOn();
    return new StoreWriter(file, store, store.hashOf, known, store.hashes(), store.all, store.footprintSpans, log);
  }

  /** Learns the pages that the inputs unpack to, meanwhile or later: until it has, those are stored like others. */
  async learnUnpacked(inputs: KnownPages): Promise<void> {
    await inputs.indexUnpacked(this.hashOf, this.known);
  }

  /** Some of what changed in a space since the checkpoint before: numbers of pages, and their bytes one behind the other. Each page once. */
  addUnits(space: string, numbers: Uint32Array, bytes: Uint8Array): void {
    const { unitBytes } = this.spaces[space]!;
    const table = this.tables[space] ?? PageTable.EMPTY;
    this.changes[space] ??= [];
    const pairs = this.changes[space];
    numbers.forEach((number, k) => {
      const id = this.content(bytes.subarray(k * unitBytes, (k + 1) * unitBytes), space, number);
      if (table.get(number) !== id) pairs.push(number, id);
    });
  }

  /** Adds the checkpoint whose units were added, unless the store has it (then false). Throws UserError 'file-io'; the store stays usable up to the checkpoint before. */
  add({ icount, timeNs, position, items: states }: CheckpointMoment): boolean {
    const items: Record<string, number> = {};
    for (const [name, bytes] of Object.entries(states)) items[name] = this.content(bytes, null);
    this.flush();
    const pairs: Record<string, Uint32Array> = {};
    for (const name of Object.keys(this.spaces)) {
      pairs[name] = Uint32Array.from(this.changes[name] ?? []);
      this.tables[name] = (this.tables[name] ?? PageTable.EMPTY).with(pairs[name]);
    }
    this.changes = {};
    const same = this.there.get(momentName(icount, position.events));
    if (same !== undefined && this.isSame(same, items)) {
      this.base = same.number;
      this.logAt = position.offset;
      return false;
    }
    const whole = this.base < 0 || this.count % WHOLE_TABLE_EVERY === 0;
    if (whole) for (const name of Object.keys(this.spaces)) pairs[name] = this.tables[name]!.pairs();
    const changes = Object.fromEntries(Object.entries(pairs).map(([name, words]) => [name, words.length / 2]));
    const entry: CheckpointEntry = {
      icount,
      timeNs,
      position,
      base: whole ? -1 : this.base,
      items,
      changes,
      logFrom: this.logAt,
      logHash: hashLog(this.log, this.logAt, position.offset),
    };
    this.logAt = position.offset;
    this.file.append(RECORD_CHECKPOINT, 0, encodeCheckpoint(entry, pairs));
    this.base = this.count++;
    return true;
  }

  /** Adds what a stretch of the recording touched, unless the store has it as closely. */
  addFootprint(footprint: Footprint): void {
    const { from, to, detail } = footprint;
    if (this.noteFootprint(momentName(from, to), detail)) this.file.append(detail, 0, encodeFootprint(footprint));
  }

  /** False: as much was known. */
  private noteFootprint(name: string, detail: FootprintDetail): boolean {
    if ((this.details.get(name) ?? 0) >= detail) return false;
    this.details.set(name, detail);
    return true;
  }

  private isSame(other: StoredCheckpoint, items: Readonly<Record<string, number>>): boolean {
    if (Object.keys(items).some((name) => other.items[name] !== items[name])) return false;
    let same = true;
    for (const name of Object.keys(this.spaces))
      this.tables[name]!.differences(other.tables[name] ?? PageTable.EMPTY, () => {
        same = false;
      });
    return same;
  }

  /** Number of a content; a new one is put down for writing. @param unit of the space that it is in */
  private content(bytes: Uint8Array, space: string | null, unit = 0): number {
    if (space === MEMORY && isZero(bytes)) return 0;
    const hash = this.hashOf(bytes);
    const before = this.ids.get(hash);
    if (before !== undefined) return before;
    const page = space === MEMORY ? this.known.get(hash) : undefined;
    // The numbers of one record are in a row.
    if (page === undefined && this.waitingKnown.length > 0) this.flushKnown();
    if (page !== undefined && this.waiting.length > 0) this.flushContents();
    const id = this.hashes.length;
    this.hashes.push(hash);
    this.ids.set(hash, id);
    if (page === undefined) this.put(id, hash, bytes.slice(), space, unit);
    else if (this.waitingKnown.push({ hash, page }) === 0x1000) this.flushKnown();
    return id;
  }

  private put(id: number, hash: string, bytes: Uint8Array, space: string | null, unit: number): void {
    this.waiting.push({ hash, ...this.version(id, bytes, space, unit) });
    this.waitingBytes += bytes.length;
    if (this.waitingBytes >= BLOCK_BYTES) this.flushContents();
  }

  /** A unit as what differs from what it was, when that is little; `base` is 0 when it is whole. */
  private version(id: number, bytes: Uint8Array, space: string | null, unit: number): { bytes: Uint8Array; base: number } {
    if (space === null || bytes.length % PAGE !== 0) return { bytes, base: 0 };
    this.originals[space] ??= new Map();
    const originals = this.originals[space];
    const original = originals.get(unit);
    originals.delete(unit);
    if (original !== undefined) {
      const difference = exclusiveOr(bytes, original.bytes);
      if (difference.words <= bytes.length * VERSION_WORDS_SHARE) {
        originals.set(unit, original);
        return { bytes: difference.bytes, base: original.id };
      }
    }
    originals.set(unit, { id, bytes });
    if (originals.size * bytes.length > ORIGINALS_BYTES) originals.delete(originals.keys().next().value!);
    return { bytes, base: 0 };
  }

  private flush(): void {
    this.flushContents();
    this.flushKnown();
  }

  private flushContents(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    const list = Buffer.alloc(waiting.length * VERSION_ENTRY_BYTES);
    waiting.forEach(({ hash, bytes, base }, k) => {
      const at = k * VERSION_ENTRY_BYTES;
      list.write(hash, at, 'hex');
      list.writeUInt32LE(bytes.length, at + HASH_BYTES);
      list.writeUInt32LE(base, at + HASH_BYTES + 4);
    });
    const packed = deflateRawSync(Buffer.concat(waiting.map(({ bytes }) => bytes)), { level: 1 });
    this.file.append(RECORD_VERSIONS, waiting.length, Buffer.concat([list, packed]));
    waiting.length = this.waitingBytes = 0;
  }

  private flushKnown(): void {
    const waiting = this.waitingKnown;
    if (waiting.length === 0) return;
    const list = Buffer.alloc(waiting.length * KNOWN_ENTRY_BYTES);
    waiting.forEach(({ hash, page }, k) => {
      const at = k * KNOWN_ENTRY_BYTES;
      list.write(hash, at, 'hex');
      list.writeUInt8(page.source, at + HASH_BYTES);
      list.writeUInt16LE(page.length, at + HASH_BYTES + 2);
      list.writeUInt32LE(page.offset, at + HASH_BYTES + 4);
    });
    this.file.append(RECORD_KNOWN, waiting.length, list);
    waiting.length = 0;
  }

  /** Length of the store so far. */
  get bytes(): number {
    return this.file.bytes;
  }

  /** Writing failed: leaves the checkpoints that the store has. */
  trim(): void {
    this.file.trim();
  }

  /** Removes the store. */
  remove(): void {
    this.file.remove();
  }

  close(): void {
    this.file.close();
  }
}

function momentName(a: number, b: number): string {
  return `${a} ${b}`;
}

/** SHA-256 (hex) of a stretch of a log. */
export function hashLog(path: string, from: number, to: number): string {
  const hash = createHash('sha256');
  const input = new FileInput(path);
  const piece = new Uint8Array(1 << 16);
  try {
    for (let at = from; at < to; ) {
      const n = input.read(piece, 0, Math.min(piece.length, to - at), at);
      if (n === 0) break;
      hash.update(piece.subarray(0, n));
      at += n;
    }
  } finally {
    input.close();
  }
  return hash.digest('hex');
}

const ZEROS = Buffer.alloc(PAGE);

function isZero(bytes: Uint8Array): boolean {
  return bytes.length === ZEROS.length && ZEROS.compare(bytes) === 0;
}
