// Oracle: self-consistency
import { beforeEach, describe, expect, it } from 'vitest';
import { TranslationCache } from '../../jit/x86/translate/translation-cache.js';
import { TestBlock, TestMachine } from './two-machines.js';

class CountedBlock extends TestBlock {
  valid = true;
  compiled: (() => number) | null = null;
  hits = 0;
  members: readonly CountedBlock[] = [];
  users: CountedBlock[] = [];
  meetsDevices = false;
}

let machine: TestMachine;
const block = (k: number, bytes = [0x40, 0xc3]): CountedBlock => new CountedBlock(bytes, 0x1000 + 16 * k, machine.cpu.mode);
beforeEach(() => {
  machine = new TestMachine();
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
});

describe('the cache of translations', () => {
  it('translates at once when told to', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: true });
    const b = block(0);
    cache.translate(b);
    expect(b.compiled).not.toBeNull();
    expect(cache.statistics).toMatchObject({ translated: 1, scripts: 1 });
  });

  it('compiles blocks in batches of sixteen', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const blocks = Array.from({ length: 16 }, (_, k) => block(k));
    for (const b of blocks.slice(0, 15)) cache.translate(b);
    expect(blocks.every((b) => b.compiled === null)).toBe(true);
    cache.translate(blocks[15]!);
    expect(blocks.every((b) => b.compiled !== null)).toBe(true);
    expect(cache.statistics).toMatchObject({ translated: 16, scripts: 1 });
  });

  it('does not let a block wait that comes up again', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const b = block(0);
    cache.translate(b);
    cache.translate(b);
    expect(b.compiled).not.toBeNull();
  });

  it('leaves out blocks that became stale while they waited', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const [stale, hot] = [block(0), block(1)];
    cache.translate(stale);
    stale.valid = false;
    cache.translate(hot);
    cache.translate(hot);
    expect(stale.compiled).toBeNull();
    expect(hot.compiled).not.toBeNull();
  });

  it('leaves blocks to the interpreter of which it could translate nothing', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const b = block(0, [0x60]);
    for (let k = 0; k < 3; k++) cache.translate(b);
    expect(b.compiled).toBeNull();
    expect(b.hits).toBeLessThan(0);
  });

  it('gives up the oldest eighth when it is full', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: true, capacity: 16 });
    const blocks = Array.from({ length: 17 }, (_, k) => block(k));
    for (const b of blocks) cache.translate(b);
    expect(blocks.map((b) => b.compiled !== null)).toEqual(blocks.map((_, k) => k >= 3));
    expect(cache.statistics.dropped).toBe(3);
  });

  it('gives up a translation that keeps meeting devices, for a while', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const b = block(0);
    cache.translate(b);
    cache.translate(b);
    for (let k = 0; k < 999; k++) cache.bailedOut(b);
    expect(b.compiled).not.toBeNull();
    cache.bailedOut(b);
    expect(b.compiled).toBeNull();
    expect(b.hits).toBeLessThan(0);
  });

  it('measures its time by the clock it is given', () => {
    let now = 0;
    const cache = new TranslationCache(machine.cpu, { atOnce: true, now: () => (now += 5) });
    cache.translate(block(0));
    expect(cache.statistics.milliseconds).toBe(5);
  });
});
