import { createReadStream, readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import type { ContentHash } from './content-hash.js';

const PAGE = 4096;
/** What a compressed RAM disk may unpack to; a larger one is not looked into. */
const MAX_UNPACKED_BYTES = 512 << 20;
/** Files are looked into up to this length. */
const MAX_FILE_BYTES = 512 << 20;
/** Files are read and unpacked in pieces of so many bytes. */
const PIECE_BYTES = 1 << 20;
/** newc header: magic, then 13 fields of 8 hex digits. */
const CPIO_HEADER_BYTES = 110;
const CPIO_MAGIC = '070701';
const CPIO_SIZE = 6;
const CPIO_NAME_SIZE = 11;

/** A page that need not be stored: it is part of a file that the machine was made from. */
export interface KnownPage {
  /** Number of the input, doubled; plus 1: of what it unpacks to. */
  readonly source: number;
  readonly offset: number;
  /** Bytes of the page there; zeros follow. */
  readonly length: number;
}

/** What files hold and unpack to, by `KnownPage.source`. */
export type KnownSources = ReadonlyMap<number, Uint8Array>;

/**
 * The pages that a guest's memory holds because a kernel or RAM disk was put there, or unpacked by the guest: they are in the inputs, which a replay needs
 * anyway, and half of what a booting Linux leaves in memory.
 */
export class KnownPages {
  private readonly files: readonly string[];
  private readonly sources = new Map<number, Uint8Array | null>();

  /**
   * @param files the inputs of the recording, in LOG.json's order, where they are now. They are read when they are needed
   */
  constructor(files: readonly string[]) {
    this.files = files;
  }

  /** Takes what somebody has read of them. */
  add(sources: KnownSources): void {
    for (const [number, bytes] of sources) this.sources.set(number, bytes);
  }

  /** Reads some sources into memory that threads can share; what cannot be read, or not before the signal, is left out. */
  async share(sources: Iterable<number>, signal?: AbortSignal): Promise<KnownSources> {
    const shared = new Map<number, Uint8Array>();
    for (const source of sources) {
      const path = this.files[source >>> 1];
      const bytes = path === undefined ? null : await sharedBytes(path, (source & 1) === 1, signal);
      if (bytes !== null) shared.set(source, bytes);
    }
    return shared;
  }

  /** Adds the pages of the files, as they are, by their hash to those that were found before. */
  index(hashOf: ContentHash, found: Map<string, KnownPage>): void {
    for (let source = 0; source < this.files.length * 2; source += 2) {
      const bytes = this.source(source);
      if (bytes !== null) addPages(source, bytes, [0, bytes.length], hashOf, found);
      this.sources.delete(source);
    }
  }

  /** The same with what the files unpack to, which takes a second: another thread unpacks, and this one does other things between two pieces. */
  async indexUnpacked(hashOf: ContentHash, found: Map<string, KnownPage>): Promise<void> {
    for (const [number, path] of this.files.entries()) {
      const bytes = await sharedBytes(path, true);
      if (bytes === null) continue;
      let looked = 0;
      for (const [from, to] of cpioFiles(bytes))
        for (let at = from; at < to; at += PIECE_BYTES) {
          const end = Math.min(at + PIECE_BYTES, to);
          addPages(2 * number + 1, bytes, [at, end], hashOf, found);
          looked += end - at;
          if (looked < PIECE_BYTES) continue;
          looked = 0;
          await setImmediate();
        }
    }
  }

  /** The page at a place; null when the file does not reach as far. */
  page({ source, offset, length }: KnownPage): Uint8Array | null {
    const bytes = this.source(source);
    return bytes === null || offset + length > bytes.length ? null : cut(bytes, offset, offset + length);
  }

  private source(number: number): Uint8Array | null {
    let bytes = this.sources.get(number);
    if (bytes === undefined) {
      bytes = this.read(number);
      this.sources.set(number, bytes);
    }
    return bytes;
  }

  private read(number: number): Uint8Array | null {
    const path = this.files[number >>> 1];
    try {
      if (path === undefined || statSync(path).size > MAX_FILE_BYTES) return null;
      const bytes = readFileSync(path);
      if ((number & 1) === 0) return bytes;
      return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }) : null;
    } catch {
      return null;
    }
  }
}

/** A file, or what it unpacks to; null: it is too long, or cannot be read. */
async function sharedBytes(path: string, unpacked: boolean, signal?: AbortSignal): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  const collect = async (stream: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const piece of stream) {
      total += piece.length;
      if (total > (unpacked ? MAX_UNPACKED_BYTES : MAX_FILE_BYTES)) throw new RangeError('too long');
      pieces.push(piece);
    }
  };
  try {
    if ((await stat(path)).size > MAX_FILE_BYTES) return null;
    const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
    const options = signal === undefined ? {} : { signal };
    await (unpacked ? pipeline(file, createGunzip({ chunkSize: PIECE_BYTES }), collect, options) : pipeline(file, collect, options));
  } catch {
    return null;
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(total));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Adds the pages from a place of a source to another, unless they were found before. */
function addPages(
  source: number,
  bytes: Uint8Array,
  [from, to]: readonly [number, number],
  hashOf: ContentHash,
  found: Map<string, KnownPage>,
): void {
  for (let offset = from; offset < to; offset += PAGE) {
    const hash = hashOf(cut(bytes, offset, to));
    if (!found.has(hash)) found.set(hash, { source, offset, length: Math.min(PAGE, to - offset) });
  }
}

/** A page from `offset` on, with zeros behind `to`. */
function cut(bytes: Uint8Array, offset: number, to: number): Uint8Array {
  if (offset + PAGE <= to) return bytes.subarray(offset, offset + PAGE);
  const page = new Uint8Array(PAGE);
  page.set(bytes.subarray(offset, to));
  return page;
}

/** From where to where the files of an archive lie (newc, several in a row as Linux takes them). */
function cpioFiles(bytes: Uint8Array): [number, number][] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files: [number, number][] = [];
  for (let at = 0; at + CPIO_HEADER_BYTES <= text.length; ) {
    if (text.toString('latin1', at, at + 6) !== CPIO_MAGIC) {
      at += 4;
      continue;
    }
    const field = (n: number): number => Number.parseInt(text.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16);
    const from = (at + CPIO_HEADER_BYTES + field(CPIO_NAME_SIZE) + 3) & ~3;
    const to = from + field(CPIO_SIZE);
    if (!(to <= text.length) || from < at) return files;
    if (to > from) files.push([from, to]);
    at = (to + 3) & ~3;
  }
  return files;
}
