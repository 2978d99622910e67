import { describe, expect, it } from 'vitest';
import { digestMachine } from '../../src/core/digest.js';
import { type PageDigestBoard, PageDigests } from '../../src/core/page-digests.js';
import type { StatefulPart } from '../../src/core/state.js';
import { digestInParallel } from '../../src/machine/digest-in-parallel.js';

const BUILT = new URL('../../dist/src/machine/digest-in-parallel.js', import.meta.url).href;
const PAGE = 4096;
const PAGES = 10_340;
/** 40 MiB: every page of its own, but for every fifth, which is zeros; the last chunk is a short one. */
const memory = new Uint8Array(new SharedArrayBuffer(PAGES * PAGE));
for (let page = 0; page * PAGE < memory.length; page++)
  if (page % 5 !== 4) memory.set([page & 255, page >>> 8, 7], page * PAGE + (page % 4000));

const part = { schema: { name: 'part', version: 1, fields: { value: 'u8' } }, value: 7 } satisfies StatefulPart & { value: number };
const parts = { part };

describe('a digest by several threads', () => {
  const expected = digestMachine(parts, memory);

  it('is that of one', { timeout: 60_000 }, () => {
    expect(expected.pages.size).toBe((PAGES * 4) / 5);
    expect(digestInParallel(parts, memory)).toEqual(expected);
  });

  it('has what the other thread did', () => {
    let helped = 0;
    const help = (board: PageDigestBoard): void => {
      const digests = new PageDigests(board);
      while (digests.digestNext());
      helped = digests.hashed;
    };
    expect(digestInParallel(parts, memory, help)).toEqual(expected);
    expect(helped).toBeGreaterThan(1000);
  });

  it('does itself what the other thread took and never did', () => {
    const die = ({ states }: PageDigestBoard): void => {
      Atomics.add(new Int32Array(states), 0, 5);
    };
    expect(digestInParallel(parts, memory, die, 1)).toEqual(expected);
  });

  // In the sources there is no worker to be begun, and without one the outcome is the same.
  it('has a thread that does all of it alone', { timeout: 60_000 }, async () => {
    const { beginHelper } = (await import(BUILT)) as typeof import('../../src/machine/digest-in-parallel.js');
    const digests = PageDigests.of(memory);
    beginHelper(digests.board);
    digests.finish(30_000);
    expect(digests.hashed).toBe(0);
    expect(digests.result()).toEqual(expected.pages);
  });

  it('asks nobody for little memory', () => {
    const asked: PageDigestBoard[] = [];
    digestInParallel(parts, memory.subarray(0, 2048 * PAGE), (board) => asked.push(board));
    expect(asked).toEqual([]);
  });
});
