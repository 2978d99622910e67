// Oracle: self-consistency (what was put into a store is what comes out; any damaged byte is found or does no harm)
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { cpioArchive } from '../../perf/guests/cpio.js';
import type { Footprint } from '../../replay/checkpoints/footprint.js';
import {
  RECORD_FOOTPRINT,
  RECORD_FOOTPRINT_BYTES,
  RECORD_FOOTPRINT_LINES,
  RECORD_FOOTPRINT_WITHOUT_READS,
} from '../../replay/checkpoints/format.js';
import { KnownPages } from '../../replay/checkpoints/known-pages.js';
import { PageTable } from '../../replay/checkpoints/page-table.js';
import { CheckpointStore } from '../../replay/checkpoints/store.js';
import { StoreWriter } from '../../replay/checkpoints/store-writer.js';
import { UserError } from '../../src/core/errors.js';
import { checkpointInterval } from '../../src/machine/checkpoint-interval.js';
import { temporaryFolder } from '../cli.js';

const PAGE = 4096;
const PAGES = 500;
const IDENTITY = 'a'.repeat(64);
const folder = temporaryFolder();
const log = join(folder, 'some.log');
const path = join(folder, 'store');
/** The same, as earlier versions made it. */
const withSha256 = join(folder, 'store-sha256');
const file = join(folder, 'kernel');
const initrd = join(folder, 'initrd.gz');

/** A page that has much in common with the others of its kind. */
function page(seed: number): Uint8Array {
  return Uint8Array.from({ length: PAGE }, (_, k) => (k % 61) * seed + (seed >> 3));
}

/** A page of which no two parts are alike, with some bytes changed. */
function noise(at: number, changes: number): Uint8Array {
  const bytes = Uint8Array.from({ length: PAGE }, (_, k) => Math.imul(k + 1, 0x9e3779b1) >>> 24);
  for (let k = 0; k < changes * 50; k++) bytes[(at + k * 7) % PAGE]! ^= 0x5a;
  return bytes;
}

function add(writer: StoreWriter, number: number, pages: readonly (readonly [number, Uint8Array])[], icount = number * 1000): boolean {
  // In two portions.
  for (const half of [pages.slice(0, pages.length >> 1), pages.slice(pages.length >> 1)])
    writer.addUnits(
      'memory',
      Uint32Array.from(half, ([n]) => n),
      Buffer.concat(half.map(([, bytes]) => bytes)),
    );
  return writer.add({
    icount,
    timeNs: number * 8000,
    position: { offset: 12 + number, icount: number * 990, events: number },
    items: { cpu: Uint8Array.of(number, 1, 2), pic: Uint8Array.of(9), session: new Uint8Array(number) },
  });
}

/** What memory is at each checkpoint. */
const memories: Map<number, Uint8Array>[] = [];
const known = (): KnownPages => new KnownPages([file, initrd]);
const open = (from = path): CheckpointStore => new CheckpointStore(from, IDENTITY, known(), { strict: true });

/** A whole checkpoint is what it was when it was made. */
function isRight(store: CheckpointStore, number: number): boolean {
  const checkpoint = store.checkpoints[number]!;
  const memory = memories[checkpoint.icount / 1000]!;
  for (let n = 0; n < PAGES; n++) {
    const id = checkpoint.tables.memory!.get(n);
    const expected = memory.get(n);
    if (id === 0 ? expected !== undefined : expected === undefined || Buffer.compare(store.content(id), expected) !== 0) return false;
  }
  return Buffer.compare(store.content(checkpoint.items.cpu!), Uint8Array.of(checkpoint.icount / 1000, 1, 2)) === 0;
}

function digests(store: string): (string | null)[] {
  const opened = open(store);
  const found = opened.checkpoints.map((c) => opened.digest(c));
  opened.close();
  return found;
}

beforeAll(async () => {
  writeFileSync(log, new Uint8Array(200));
  writeFileSync(file, Buffer.concat([page(201), page(202), page(203).subarray(0, 100)]));
  const inside = Buffer.concat([page(211), page(212).subarray(0, 333)]);
  writeFileSync(initrd, Buffer.concat([gzipSync(cpioArchive([{ name: 'a', mode: 0o644, data: inside }]))]));
  const description = { identity: IDENTITY, spaces: { memory: { unitBytes: PAGE, count: PAGES } } };
  const writer = StoreWriter.create(path, description, known(), log);
  const earlier = StoreWriter.create(withSha256, { ...description, hash: 'sha256' }, known(), log);
  await Promise.all([writer, earlier].map((w) => w.learnUnpacked(known())));
  let memory = new Map<number, Uint8Array>();
  const padded = (bytes: Uint8Array): Uint8Array => {
    const whole = new Uint8Array(PAGE);
    whole.set(bytes);
    return whole;
  };
  const fromFiles = [page(201), padded(page(203).subarray(0, 100)), page(211), padded(page(212).subarray(0, 333))];
  for (let number = 0; number < 40; number++) {
    const changed: [number, Uint8Array][] = [];
    for (let k = 0; k < 20; k++)
      changed.push([(number * 37 + k * 11) % PAGES, k % 5 === 0 ? new Uint8Array(PAGE) : page(number * 2 + (k % 3))]);
    // A page that hardly changes, once whole and then as what differs; and one that soon has little in common with what it was.
    changed.push([470, noise(number * 7, 1)], [471, noise(number * 7, number)]);
    for (const [k, bytes] of fromFiles.entries()) changed.push([480 + ((number + k) % 10), bytes]);
    memory = new Map(memory);
    for (const [n, bytes] of changed)
      if (bytes.some((b) => b !== 0)) memory.set(n, bytes);
      else memory.delete(n);
    memories.push(memory);
    add(writer, number, changed);
    add(earlier, number, changed);
  }
  writer.close();
  earlier.close();
});

describe('a store of checkpoints', () => {
  it('gives back every checkpoint', () => {
    const store = open();
    expect(store.checkpoints.map((c) => c.icount)).toEqual(memories.map((_, k) => k * 1000));
    for (let k = 0; k < memories.length; k++) expect([k, isRight(store, k)]).toEqual([k, true]);
    expect(store.scrub().damages).toEqual([]);
    expect(store.nearest(4999)?.icount).toBe(4000);
    expect(store.nearest(5000)?.icount).toBe(5000);
    store.close();
  });

  it('takes pages of the inputs from what was read of them for several threads', async () => {
    const store = open();
    expect(store.knownSources()).toEqual([0, 3]);
    store.close();
    const sources = await known().share([0, 3]);
    expect([...sources.values()].every(({ buffer }) => buffer instanceof SharedArrayBuffer)).toBe(true);
    const nowhere = join(folder, 'nowhere');
    const pages = new KnownPages([nowhere, nowhere]);
    pages.add(sources);
    const elsewhere = new CheckpointStore(path, IDENTITY, pages, { strict: true });
    for (let k = 0; k < memories.length; k++) expect([k, isRight(elsewhere, k)]).toEqual([k, true]);
    elsewhere.close();
  });

  it('stores pages that the inputs unpack to like others until it has learnt them', async () => {
    const early = join(folder, 'early.checkpoints');
    const spaces = { memory: { unitBytes: PAGE, count: PAGES } };
    const writer = StoreWriter.create(early, { identity: IDENTITY, spaces }, known(), log);
    add(writer, 0, [[3, page(211)]]);
    await writer.learnUnpacked(known());
    add(writer, 1, [[4, page(211)]]);
    add(writer, 2, [[5, page(212).fill(0, 333)]]);
    writer.close();
    const store = open(early);
    const bytesAt = (checkpoint: number, number: number): Uint8Array =>
      store.content(store.checkpoints[checkpoint]!.tables.memory!.get(number));
    expect(store.scrub().damages).toEqual([]);
    expect([bytesAt(0, 3), bytesAt(1, 4)].map((b) => Buffer.compare(b, page(211)))).toEqual([0, 0]);
    expect(Buffer.compare(bytesAt(2, 5), page(212).fill(0, 333))).toBe(0);
    expect(store.knownSources()).toEqual([3]);
    store.close();
  });

  it('shares what several archives in a row unpack to, and leaves out what cannot be read', async () => {
    const members = [page(221), noise(5, 9), page(222).subarray(0, 77)];
    const path = join(folder, 'members.gz');
    writeFileSync(path, Buffer.concat(members.map((m) => gzipSync(m))));
    const sources = await new KnownPages([path, file, join(folder, 'nowhere')]).share([0, 1, 3, 4, 5, 6]);
    expect([...sources.keys()]).toEqual([0, 1]);
    expect((await known().share([0], AbortSignal.abort())).size).toBe(0);
    expect(Buffer.compare(sources.get(0)!, readFileSync(path))).toBe(0);
    expect(Buffer.compare(sources.get(1)!, gunzipSync(readFileSync(path)))).toBe(0);
  });

  it('has equal pages once, and those of the inputs not at all', () => {
    expect(readFileSync(path).length).toBeLessThan(60_000);
    const bytes = readFileSync(path);
    for (const seed of [201, 211]) expect(bytes.includes(Buffer.from(page(seed).subarray(0, 64)))).toBe(false);
    writeFileSync(initrd, 'gone');
    const store = open();
    expect(() => isRight(store, 3)).toThrow(UserError);
    store.close();
    writeFileSync(
      initrd,
      gzipSync(cpioArchive([{ name: 'a', mode: 0o644, data: Buffer.concat([page(211), page(212).subarray(0, 333)]) }])),
    );
  });

  it('goes on where it ended, without what it has', () => {
    const copy = join(folder, 'extended');
    writeFileSync(copy, readFileSync(path));
    const writer = StoreWriter.extend(copy, IDENTITY, known(), log);
    const all = [...memories[39]!];
    expect(add(writer, 39, all)).toBe(false);
    expect(add(writer, 40, [[3, page(77)]], 39_500)).toBe(true);
    writer.close();
    const store = open(copy);
    expect(store.checkpoints.length).toBe(41);
    const last = store.checkpoints[40]!;
    expect(Buffer.compare(store.content(last.tables.memory!.get(3)), page(77))).toBe(0);
    store.close();
  });

  it('has only what differs of pages that hardly change', () => {
    const store = open();
    const ids = new Set(store.checkpoints.map((c) => c.tables.memory!.get(470)));
    expect(ids.size).toBe(40);
    // Of each 50 changed bytes, where a whole one would be 4096 that cannot be compressed.
    expect(readFileSync(path).length).toBeLessThan(60_000);
    store.close();
  });

  it.each(['PALCKPT5', 'PALCKPT4', 'PALCKPT3', 'PALCKPT2'])('of an earlier format, %s, can be read and gone on with', (magic) => {
    const copy = join(folder, 'earlier');
    const bytes = readFileSync(withSha256);
    expect(bytes.includes('blake2b')).toBe(false);
    bytes.write(magic, 'latin1');
    writeFileSync(copy, bytes);
    const store = open(copy);
    expect([0, 20, 39].map((k) => isRight(store, k))).toEqual([true, true, true]);
    store.close();
    expect(digests(copy)).toEqual(digests(path));
    // What it has already gets no second time.
    const length = bytes.length;
    const writer = StoreWriter.extend(copy, IDENTITY, known(), log);
    expect(add(writer, 40, [...memories[39]!])).toBe(true);
    writer.close();
    memories[40] = memories[39]!;
    const longer = open(copy);
    expect([39, 40].map((k) => isRight(longer, k))).toEqual([true, true]);
    longer.close();
    memories.length = 40;
    expect(readFileSync(copy).length).toBeLessThan(length + 5000);
    expect(readFileSync(copy).toString('latin1', 0, 8)).toBe('PALCKPT6');
    bytes.write('PALCKPT1', 'latin1');
    writeFileSync(copy, bytes);
    expect(() => open(copy)).toThrow('was made by an earlier version');
  });

  it('gets footprints of which more is known than of those it has', () => {
    const copy = join(folder, 'without-reads');
    writeFileSync(copy, readFileSync(path));
    const stretch = { from: -1, to: 10, code: [1, 2] };
    const written: Footprint = { ...stretch, written: [0x1000, 0x2000], accessed: null, detail: RECORD_FOOTPRINT_WITHOUT_READS };
    const pages: Footprint = { ...written, accessed: [0x1000, 0x3000], detail: RECORD_FOOTPRINT };
    const lines: Footprint = { ...stretch, written: [0x1040, 0x1080], accessed: [0x1040, 0x10c0], detail: RECORD_FOOTPRINT_LINES };
    const bytes: Footprint = { ...stretch, written: [0x1041, 0x1042], accessed: [0x1041, 0x1045], detail: RECORD_FOOTPRINT_BYTES };
    for (const some of [[written], [pages, pages], [pages, written], [lines, written], [lines], [bytes, lines], [bytes], [pages]]) {
      const writer = StoreWriter.extend(copy, IDENTITY, known(), log);
      for (const footprint of some) writer.addFootprint(footprint);
      writer.close();
    }
    const store = open(copy);
    expect(store.footprintSpans.map((_, k) => store.footprint(k))).toEqual([written, pages, lines, bytes]);
    store.close();
  });

  it('is refused when it is another recording’s', () => {
    expect(() => new CheckpointStore(path, 'b'.repeat(64), known())).toThrow('belongs to another recording');
  });

  it('gives nothing wrong, whichever byte is damaged or wherever it ends', () => {
    const whole = readFileSync(path);
    const copy = join(folder, 'damaged');
    let refused = 0;
    let found = 0;
    for (let at = 0; at < whole.length; at += 197) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1 << (at & 7);
      writeFileSync(copy, bytes);
      if (at % 3 === 0) truncateSync(copy, at);
      let store: CheckpointStore;
      try {
        store = open(copy);
      } catch (e) {
        expect(e).toBeInstanceOf(UserError);
        refused++;
        continue;
      }
      if (store.scrub().damages.length > 0 || store.checkpoints.length < 40) found++;
      for (const k of [0, 20, 39]) {
        if (store.checkpoints[k] === undefined) continue;
        try {
          expect([at, k, isRight(store, k)]).toEqual([at, k, true]);
        } catch (e) {
          if (!(e instanceof UserError)) throw e;
        }
      }
      store.close();
    }
    expect(refused).toBeGreaterThan(0);
    expect(found).toBeGreaterThan(100);
  });
});

describe('a page table', () => {
  it('names the pages that differ from another one', () => {
    const a = PageTable.EMPTY.with(Uint32Array.of(1, 5, 700, 6, 70_000, 7));
    const b = a.with(Uint32Array.of(700, 8, 3, 9));
    const found: number[][] = [];
    b.differences(a, (...difference) => found.push(difference));
    expect(found).toEqual([
      [3, 9, 0],
      [700, 8, 6],
    ]);
    expect([a.get(700), b.get(700), b.get(70_000), a.get(99)]).toEqual([6, 8, 7, 0]);
    expect([...a.pairs()]).toEqual([1, 5, 700, 6, 70_000, 7]);
  });
});

describe('a distance of checkpoints', () => {
  it.each([
    ['1s', { guestNs: 1e9 }],
    ['250ms', { guestNs: 2.5e8 }],
    ['8M', { instructions: 8e6 }],
    ['1_000_000', { instructions: 1e6 }],
    ['auto', { instructions: 12e6, leastMs: 25 }],
    ['off', null],
    ['0', null],
  ])('%s is understood', (text, expected) => {
    expect(checkpointInterval('--every', text)).toEqual(expected);
  });

  it.each(['-1', '12parsecs', '5', '1e400', '', '9999999999999999999', '1ns'])('%j is refused', (text) => {
    expect(() => checkpointInterval('--every', text)).toThrow(UserError);
  });
});
