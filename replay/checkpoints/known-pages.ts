import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ContentHash } from './content-hash.js';

const PAGE = 4096;
/** What a compressed RAM disk may unpack to; a larger one is not looked into. */
const MAX_UNPACKED_BYTES = 512 << 20;
/** Files are looked into up to this length. */
const MAX_FILE_BYTES = 512 << 20;
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

/**
 * The pages that a guest's memory holds because a kernel or RAM disk was put there, or unpacked by the guest: they are in the inputs, which a replay needs
 * anyway, and half of what a booting Linux leaves in memory.
 */
export class KnownPages {
  private readonly files: readonly string[];
  private readonly sources = new Map<number, Uint8Array | null>();

  /** @param files the inputs of the recording, in LOG.json's order, where they are now. */
  constructor(files: readonly string[]) {
    this.files = files;
  }

  /** All pages by their hash. Reads all files. */
  index(hashOf: ContentHash): Map<string, KnownPage> {
    const found = new Map<string, KnownPage>();
    for (let source = 0; source < this.files.length * 2; source++) {
      const bytes = this.source(source);
      if (bytes === null) continue;
      for (const [from, to] of (source & 1) === 0 ? [[0, bytes.length] as const] : cpioFiles(bytes))
        for (let offset = from; offset < to; offset += PAGE) {
          const hash = hashOf(cut(bytes, offset, to));
          if (!found.has(hash)) found.set(hash, { source, offset, length: Math.min(PAGE, to - offset) });
        }
      this.sources.delete(source);
    }
    return found;
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
