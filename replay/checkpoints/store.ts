import { inflateRawSync } from 'node:zlib';
import { shortHash, totalDigest } from '../../src/core/digest.js';
import { UserError } from '../../src/core/errors.js';
import { type ContentHash, contentHash } from './content-hash.js';
import { checkDescription, decodeCheckpoint } from './entry.js';
import { exclusiveOr } from './exclusive-or.js';
import { type DetailedSpan, decodeFootprint, type Footprint, footprintSpan, isFootprintDetail, SPAN_BYTES } from './footprint.js';
import {
  type CheckpointEntry,
  CONTENT_ENTRY_BYTES,
  HASH_BYTES,
  KNOWN_ENTRY_BYTES,
  MAX_CONTENT_BYTES,
  MAX_PAYLOAD_BYTES,
  RECORD_CHECKPOINT,
  RECORD_KNOWN,
  RECORD_VERSIONS,
  type Space,
  VERSION_ENTRY_BYTES,
} from './format.js';
import type { KnownPages } from './known-pages.js';
import { NO_PARTS } from './no-parts.js';
import { PageTable } from './page-table.js';
import { type PlacedRecord, StoreFile } from './store-file.js';
import { type Packed, UnpackedCache } from './unpacked-cache.js';

/** Unpacked contents that are kept for the next read. */
const CACHE_BYTES = 128 << 20;
const PAGE = 4096;
/** The space of guest memory. */
const MEMORY = 'memory';

/** A checkpoint as a store has it. */
export interface StoredCheckpoint extends CheckpointEntry {
  /** Number in file order. */
  readonly number: number;
  readonly tables: Readonly<Record<string, PageTable>>;
}

/** A CONTENTS, VERSIONS or KNOWN record: contents `first` to `first + count - 1`. */
interface Block extends Packed {
  readonly first: number;
  readonly record: PlacedRecord;
  /** Hashes of its contents; null: not read yet. */
  hashes: string[] | null;
  /** Of each the content that it is a version of, or 0; null: of none, or not read yet. */
  bases: Uint32Array | null;
}

/** LOG.checkpoints, opened for reading. Contents are numbered from 1 in file order; 0 is nothing. */
export class CheckpointStore {
  /** Those that can be used, by instruction count. */
  readonly checkpoints: readonly StoredCheckpoint[];
  /** What is damaged, in words. */
  readonly damages: readonly string[];
  readonly spaces: Readonly<Record<string, Space>>;
  /** In file order; null: damaged. */
  readonly all: readonly (StoredCheckpoint | null)[];
  private readonly file: StoreFile;
  private readonly known: KnownPages;
  private readonly blocks: Block[] = [];
  private readonly footprints: (PlacedRecord & DetailedSpan)[] = [];
  /** The stretches of the recording of which there are footprints. They may overlap. */
  readonly footprintSpans: readonly DetailedSpan[] = this.footprints;
  private contentCount = 0;
  private readonly cache = new UnpackedCache(CACHE_BYTES);
  /** What its contents are known by. */
  readonly hashOf: ContentHash;
  /** By content: what the digest of a machine has for it. */
  private readonly digests = new Map<number, string>();
  /** Check each content against its hash. */
  private readonly strict: boolean;

  /**
   * @param identity of the recording; a store of another one is refused.
   * @param options.strict compare each content that is read with its hash
   * @throws UserError 'store-corrupt', 'file-not-found', 'file-io', 'option-mismatch'
   */
  constructor(path: string, identity: string, known: KnownPages, options: { strict?: boolean; writable?: boolean } = {}) {
    const { file, description } = StoreFile.open(path, options.writable ?? false);
    this.file = file;
    this.known = known;
    this.strict = options.strict ?? false;
    try {
      const checked = checkDescription(description);
      if (checked === null) throw file.corrupt('has a description that says too little');
      if (checked.identity !== identity)
        throw new UserError('option-mismatch', `${path} belongs to another recording; its checkpoints cannot be used with this one`);
      this.spaces = checked.spaces;
      this.hashOf = contentHash(checked.hash ?? 'sha256');
      const damages: string[] = [];
      this.all = this.scan(damages);
      this.damages = damages;
    } catch (e) {
      file.close();
      throw e;
    }
    this.checkpoints = this.all.filter((c) => c !== null).sort((a, b) => a.icount - b.icount || a.position.events - b.position.events);
  }

  private scan(damages: string[]): (StoredCheckpoint | null)[] {
    const all: (StoredCheckpoint | null)[] = [];
    for (const record of this.file.records()) {
      if (record.type === RECORD_CHECKPOINT) {
        const checkpoint = this.checkpoint(record, all);
        if (checkpoint === null) damages.push(`checkpoint ${all.length} at byte ${record.at} is damaged`);
        all.push(checkpoint);
        continue;
      }
      if (isFootprintDetail(record.type)) {
        const detail = record.type;
        const beginning = record.payloadBytes < SPAN_BYTES ? null : this.file.read(record.at, SPAN_BYTES);
        const span = beginning === null ? null : footprintSpan(beginning);
        if (span === null) damages.push(`what was executed, at byte ${record.at}, is damaged`);
        else this.footprints.push({ ...record, ...span, detail });
        continue;
      }
      this.blocks.push({ first: this.contentCount + 1, record, hashes: null, bases: null, contents: null, usedAt: 0 });
      this.contentCount += record.count;
    }
    const { looseBytes } = this.file;
    if (looseBytes > 0) damages.push(`the last ${looseBytes} bytes, from byte ${this.file.bytes} on, are no whole record`);
    return all;
  }

  private checkpoint(record: PlacedRecord, all: readonly (StoredCheckpoint | null)[]): StoredCheckpoint | null {
    const payload = this.file.payload(record);
    const decoded = payload === null ? null : decodeCheckpoint(payload, this.spaces, this.contentCount);
    if (decoded === null) return null;
    const { entry, pairs } = decoded;
    const base = entry.base < 0 ? null : all[entry.base];
    if (base === undefined || (entry.base >= 0 && base === null)) return null;
    const tables: Record<string, PageTable> = {};
    for (const name of Object.keys(this.spaces)) {
      const before = base?.tables[name] ?? PageTable.EMPTY;
      const changed = pairs[name];
      tables[name] = changed === undefined ? before : before.with(changed);
    }
    return { ...entry, number: all.length, tables };
  }

  /** The last checkpoint at or before an instruction count; null: there is none. */
  nearest(icount: number): StoredCheckpoint | null {
    let low = 0;
    let high = this.checkpoints.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.checkpoints[middle]!.icount <= icount) low = middle + 1;
      else high = middle;
    }
    return this.checkpoints[low - 1] ?? null;
  }

  /** What was touched in a stretch of `footprintSpans`; null: that is damaged. */
  footprint(index: number): Footprint | null {
    const record = this.footprints[index]!;
    const payload = this.file.payload(record);
    return payload === null ? null : decodeFootprint(payload, record.detail);
  }

  /** Bytes of a content. Throws UserError 'store-corrupt' when it is damaged. */
  content(id: number): Uint8Array {
    const block = this.blockOf(id);
    const bytes = this.contentsOf(block)[id - block.first]!;
    const base = block.bases?.[id - block.first] ?? 0;
    return base === 0 ? bytes : this.version(block, id, bytes, base);
  }

  private contentsOf(block: Block): readonly Uint8Array[] {
    return this.cache.get(block) ?? this.load(block);
  }

  /** A content of which only the difference to an earlier one is stored; that one is stored whole. */
  private version(block: Block, id: number, difference: Uint8Array, base: number): Uint8Array {
    const original = this.blockOf(base);
    const whole = this.contentsOf(original)[base - original.first]!;
    const isWhole = base < block.first && (original.bases?.[base - original.first] ?? 0) === 0;
    if (!isWhole || whole.length !== difference.length || whole.length % PAGE !== 0) throw this.damaged(block);
    const { bytes } = exclusiveOr(difference, whole);
    if (this.strict && this.hashOf(bytes) !== this.hash(id)) throw this.damaged(block);
    return bytes;
  }

  /** Hash of a content, by `hashOf`. */
  hash(id: number): string {
    const block = this.blockOf(id);
    block.hashes ??= this.readHashes(block);
    return block.hashes[id - block.first]!;
  }

  /** Hashes of all contents, by number; of damaged ones ''. */
  hashes(): string[] {
    const found = [''];
    for (const block of this.blocks) {
      let hashes: string[];
      try {
        hashes = block.hashes ?? this.readHashes(block);
      } catch {
        hashes = new Array<string>(block.record.count).fill('');
      }
      found.push(...hashes);
    }
    return found;
  }

  private blockOf(id: number): Block {
    let low = 0;
    let high = this.blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.blocks[middle]!.first <= id) low = middle;
      else high = middle;
    }
    const block = this.blocks[low];
    if (block === undefined || id < block.first || id >= block.first + block.record.count)
      throw this.file.corrupt(`has no content ${id} of which a checkpoint speaks`);
    return block;
  }

  private damaged({ record }: Block): UserError {
    return this.file.corrupt(`is damaged at byte ${record.at} (a record of ${record.payloadBytes} bytes)`);
  }

  private readHashes(block: Block): string[] {
    const { record } = block;
    const entry = entryBytes(record);
    const list = record.count * entry > record.payloadBytes ? null : this.file.payload(record);
    if (list === null) throw this.damaged(block);
    block.bases = baseList(list, record);
    return hashList(list, record.count, entry);
  }

  private load(block: Block): Uint8Array[] {
    const payload = this.file.payload(block.record);
    const contents = payload === null ? null : block.record.type === RECORD_KNOWN ? this.loadKnown(block, payload) : unpack(block, payload);
    if (contents === null) throw this.damaged(block);
    if (this.strict)
      contents.forEach((bytes, k) => {
        if ((block.bases?.[k] ?? 0) === 0 && this.hashOf(bytes) !== this.hash(block.first + k)) throw this.damaged(block);
      });
    this.cache.keep(block, contents, block.record.type === RECORD_KNOWN ? 0 : sizeOf(contents));
    return contents;
  }

  /** The sources of the recording's inputs (`KnownPage.source`) that contents are part of. */
  knownSources(): number[] {
    const sources = new Set<number>();
    for (const { record } of this.blocks) {
      const payload = record.type === RECORD_KNOWN ? this.file.payload(record) : null;
      for (let at = HASH_BYTES; at < (payload?.length ?? 0); at += KNOWN_ENTRY_BYTES) sources.add(payload![at]!);
    }
    return [...sources].sort((a, b) => a - b);
  }

  private loadKnown(block: Block, payload: Uint8Array): Uint8Array[] | null {
    if (payload.length !== block.record.count * KNOWN_ENTRY_BYTES) return null;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const contents: Uint8Array[] = [];
    for (let at = HASH_BYTES; at < payload.length; at += KNOWN_ENTRY_BYTES) {
      const page = this.known.page({
        source: view.getUint8(at),
        length: view.getUint16(at + 2, true),
        offset: view.getUint32(at + 4, true),
      });
      if (page === null || page.length !== PAGE) return null;
      contents.push(page);
    }
    return contents;
  }

  /** Checks every record: what is not as it was written, and the checkpoints that do not need it. */
  scrub(): { readonly damages: readonly string[]; readonly usable: readonly StoredCheckpoint[] } {
    const bad = this.blocks.filter((block) => this.file.payload(block.record) === null);
    const words = bad.map(({ first, record }) => `contents ${first} to ${first + record.count - 1} at byte ${record.at} are damaged`);
    const isLost = (id: number): boolean => bad.some(({ first, record }) => id >= first && id < first + record.count);
    const isBad = (id: number): boolean => isLost(id) || isLost(this.baseOf(id));
    const isWhole = (checkpoint: StoredCheckpoint): boolean => {
      if (Object.values(checkpoint.items).some(isBad)) return false;
      return Object.values(checkpoint.tables).every((table) => {
        let whole = true;
        table.differences(PageTable.EMPTY, (_, id) => {
          if (whole && isBad(id)) whole = false;
        });
        return whole;
      });
    };
    for (const record of this.footprints)
      if (this.file.payload(record) === null) words.push(`what was executed, at byte ${record.at}, is damaged`);
    return { damages: [...this.damages, ...words], usable: bad.length === 0 ? this.checkpoints : this.checkpoints.filter(isWhole) };
  }

  private baseOf(id: number): number {
    const block = this.blockOf(id);
    if (block.record.type === RECORD_VERSIONS) block.hashes ??= this.readHashes(block);
    return block.bases?.[id - block.first] ?? 0;
  }

  /** Digest of the whole machine at a checkpoint, as `replay --json` prints it; null: not known (a machine with disks, a damaged content). Reads what it did not read before. */
  digest({ items, tables }: StoredCheckpoint): string | null {
    if (Object.keys(this.spaces).some((name) => name !== MEMORY)) return null;
    const parts = Object.entries(items).filter(([name]) => !NO_PARTS.includes(name));
    const pages: [number, number][] = [];
    (tables[MEMORY] ?? PageTable.EMPTY).differences(PageTable.EMPTY, (page, id) => pages.push([page, id]));
    try {
      const found = pages.map(([page, id]) => [page, this.digestOf(id)] as const);
      return totalDigest(Object.fromEntries(parts.map(([name, id]) => [name, this.digestOf(id)])), found);
    } catch (e) {
      if (e instanceof UserError && e.code === 'store-corrupt') return null;
      throw e;
    }
  }

  private digestOf(id: number): string {
    const digest = this.digests.get(id) ?? shortHash(this.content(id));
    this.digests.set(id, digest);
    return digest;
  }

  /** Length of the file, without what is no whole record. */
  get bytes(): number {
    return this.file.bytes;
  }

  /** Hands the file on for writing; this store is not to be used any more. */
  release(): StoreFile {
    return this.file;
  }

  close(): void {
    this.file.close();
  }
}

function sizeOf(contents: readonly Uint8Array[]): number {
  return contents.reduce((sum, c) => sum + c.length, 0);
}

function hashList(list: Uint8Array, count: number, entry: number): string[] {
  const text = Buffer.from(list.buffer, list.byteOffset, count * entry).toString('hex');
  return Array.from({ length: count }, (_, k) => text.slice(2 * k * entry, 2 * k * entry + 2 * HASH_BYTES));
}

/** Of one content in a record's list. */
function entryBytes({ type }: PlacedRecord): number {
  return type === RECORD_KNOWN ? KNOWN_ENTRY_BYTES : type === RECORD_VERSIONS ? VERSION_ENTRY_BYTES : CONTENT_ENTRY_BYTES;
}

/** The contents that those of a record are versions of; null: they are none. */
function baseList(list: Uint8Array, { type, count }: PlacedRecord): Uint32Array | null {
  if (type !== RECORD_VERSIONS) return null;
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength);
  return Uint32Array.from({ length: count }, (_, k) => view.getUint32(k * VERSION_ENTRY_BYTES + HASH_BYTES + 4, true));
}

/** The contents of a CONTENTS or VERSIONS record; null when they are not what its list says. */
function unpack(block: Block, payload: Uint8Array): Uint8Array[] | null {
  const { count } = block.record;
  const entry = entryBytes(block.record);
  const listBytes = count * entry;
  if (payload.length < listBytes) return null;
  block.hashes ??= hashList(payload, count, entry);
  block.bases = baseList(payload, block.record);
  const view = new DataView(payload.buffer, payload.byteOffset, listBytes);
  const lengths = Array.from({ length: count }, (_, k) => view.getUint32(k * entry + HASH_BYTES, true));
  const total = lengths.reduce((sum, n) => sum + n, 0);
  if (total > MAX_PAYLOAD_BYTES || lengths.some((n) => n > MAX_CONTENT_BYTES)) return null;
  let raw: Uint8Array;
  try {
    raw = inflateRawSync(payload.subarray(listBytes), { maxOutputLength: Math.max(total, 1) });
  } catch {
    return null;
  }
  if (raw.length !== total) return null;
  let end = 0;
  return lengths.map((n) => {
    end += n;
    return raw.subarray(end - n, end);
  });
}
