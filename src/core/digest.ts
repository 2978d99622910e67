import { createHash, type Hash, hash } from 'node:crypto';
import { PageDigests, SHORT_HASH_BYTES } from './page-digests.js';
import { streamState } from './save.js';
import type { StatefulPart } from './state.js';

/** Each call of the hash costs as much as hashing a few hundred bytes. */
const BATCH_CHARACTERS = 1 << 15;

/** Digest of a machine at an instruction count: one hash per part and per non-zero memory page, and one over all. */
export interface MachineDigest {
  /** SHA-256 over the sorted part and page digests, hex. */
  readonly total: string;
  /** By part name. */
  readonly parts: Readonly<Record<string, string>>;
  /** By backing page number; pages of zeros are left out. */
  readonly pages: ReadonlyMap<number, string>;
}

/** What a digest has for a page or the state of a part: the first half of the SHA-256, hex. */
export function shortHash(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex').slice(0, 2 * SHORT_HASH_BYTES);
}

function short(state: Hash): string {
  return state.digest('hex').slice(0, 2 * SHORT_HASH_BYTES);
}

/** Digests all parts and all of `memory` (the backing bytes of RAM and video RAM). */
export function digestMachine(parts: Readonly<Record<string, StatefulPart>>, memory: Uint8Array): MachineDigest {
  const digests = PageDigests.of(memory);
  while (digests.digestNext());
  return digestOf(parts, digests.result());
}

/** Digests all parts; `pages` has the digests of the pages that are not all zeros, in ascending order. */
export function digestOf(parts: Readonly<Record<string, StatefulPart>>, pages: ReadonlyMap<number, string>): MachineDigest {
  const partDigests: Record<string, string> = {};
  for (const name of Object.keys(parts).sort()) {
    const state = createHash('sha256');
    streamState(parts[name]!, (piece) => state.update(piece));
    partDigests[name] = short(state);
  }
  return { total: totalDigest(partDigests, pages), parts: partDigests, pages };
}

/** The digest over all: of the digests of the parts, by name, and of the pages that are not zeros, in ascending order. */
export function totalDigest(parts: Readonly<Record<string, string>>, pages: Iterable<readonly [number, string]>): string {
  const total = createHash('sha256');
  for (const name of Object.keys(parts).sort()) total.update(`${name}=${parts[name]}\n`);
  let lines = '';
  for (const [page, digest] of pages) {
    lines += `${page}=${digest}\n`;
    if (lines.length < BATCH_CHARACTERS) continue;
    total.update(lines);
    lines = '';
  }
  return short(total.update(lines));
}
