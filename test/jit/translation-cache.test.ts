// Oracle: self-consistency
import { beforeEach, describe, expect, it } from 'vitest';
import type { Generated } from '../../jit/core/compile.js';
import type { Optimiser } from '../../jit/core/optimiser.js';
import type { Translation } from '../../jit/x86/translate/translation.js';
import { TranslationCache } from '../../jit/x86/translate/translation-cache.js';
import { TestBlock, TestMachine } from './two-machines.js';

class CountedBlock extends TestBlock {
  valid = true;
  compiled: (() => number) | null = null;
  place = 0;
  hits = 0;
  due = 0;
  translation: Translation | null = null;
  pending: Translation | null = null;
  members: readonly CountedBlock[] = [];
  users: CountedBlock[] = [];
  meetsDevices = false;
  accessedSingly = false;
  clearOf = 0;
  era = -1;
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
    cache.comeUp(b);
    expect(b.compiled).not.toBeNull();
    expect(cache.statistics).toMatchObject({ translated: 1, scripts: 1 });
  });

  it('compiles blocks in batches of sixteen', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const blocks = Array.from({ length: 16 }, (_, k) => block(k));
    for (const b of blocks.slice(0, 15)) cache.comeUp(b);
    expect(blocks.every((b) => b.compiled === null)).toBe(true);
    cache.comeUp(blocks[15]!);
    expect(blocks.every((b) => b.compiled !== null)).toBe(true);
    expect(cache.statistics).toMatchObject({ translated: 16, scripts: 1 });
  });

  it('does not let a block wait that comes up again', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const b = block(0);
    cache.comeUp(b);
    cache.comeUp(b);
    expect(b.compiled).not.toBeNull();
  });

  it('leaves out blocks that became stale while they waited', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const [stale, hot] = [block(0), block(1)];
    cache.comeUp(stale);
    stale.valid = false;
    cache.comeUp(hot);
    cache.comeUp(hot);
    expect(stale.compiled).toBeNull();
    expect(hot.compiled).not.toBeNull();
  });

  it('leaves blocks to the interpreter of which it could translate nothing', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const b = block(0, [0x60]);
    for (let k = 0; k < 3; k++) cache.comeUp(b);
    expect(b.compiled).toBeNull();
    expect(b.due - b.hits).toBeGreaterThan(100_000);
  });

  it('gives up the oldest eighth when it is full', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: true, capacity: 16 });
    const blocks = Array.from({ length: 17 }, (_, k) => block(k));
    for (const b of blocks) cache.comeUp(b);
    expect(blocks.map((b) => b.compiled !== null)).toEqual(blocks.map((_, k) => k >= 3));
    expect(cache.statistics.dropped).toBe(3);
  });

  it('gives up a translation that keeps meeting devices, for a while', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const b = block(0);
    cache.comeUp(b);
    cache.comeUp(b);
    for (let k = 0; k < 999; k++) cache.bailedOut(b, true);
    expect(b.compiled).not.toBeNull();
    cache.bailedOut(b, true);
    expect(b.compiled).toBeNull();
    expect(b.due - b.hits).toBeGreaterThan(100_000);
    expect(b.accessedSingly).toBe(false);
  });

  it('translates anew, accesses one by one, what keeps stopping without a device; then gives it up', () => {
    const cache = new TranslationCache(machine.cpu, { atOnce: false });
    const b = block(0);
    cache.comeUp(b);
    cache.comeUp(b);
    for (let k = 0; k < 1000; k++) cache.bailedOut(b, false);
    expect([b.compiled, b.accessedSingly, b.due - b.hits]).toEqual([null, true, 1]);
    cache.comeUp(b);
    cache.comeUp(b);
    expect(b.compiled).not.toBeNull();
    for (let k = 0; k < 1000; k++) cache.bailedOut(b, false);
    expect(b.compiled).toBeNull();
    expect(b.meetsDevices).toBe(true);
  });

  it('measures its time by the clock it is given', () => {
    let now = 0;
    const cache = new TranslationCache(machine.cpu, { atOnce: true, now: () => (now += 5) });
    cache.comeUp(block(0));
    expect(cache.statistics.milliseconds).toBe(5);
  });
});

/** Optimises when it is told to. */
class FakeOptimiser implements Optimiser {
  readonly asked: Generated[] = [];
  readonly done = new Set<Generated>();

  request(generated: Generated): void {
    this.asked.push(generated);
  }

  isOptimised(generated: Generated): boolean {
    return this.done.has(generated);
  }

  finish(): void {
    for (const generated of this.asked) this.done.add(generated);
  }
}

describe('translations on their way to the optimiser', () => {
  let optimiser: FakeOptimiser;
  let cache: TranslationCache;
  beforeEach(() => {
    optimiser = new FakeOptimiser();
    cache = new TranslationCache(machine.cpu, { atOnce: false, hot: 10, extendAt: 100, optimiser });
  });

  /** Lets the block come up so often that it has been compiled and handed on; the number of entries for training. */
  function train(b: CountedBlock): number {
    let entries = 0;
    for (let k = 0; k < 2; k++) cache.comeUp(b);
    for (let k = 0; k < 20; k++) if (cache.comeUp(b) !== null && optimiser.asked.length === 0) entries++;
    return entries;
  }

  it('are entered for training, then handed to it once, and entered by the engine when it is done', () => {
    const b = block(0);
    expect(train(b)).toBe(8);
    expect(optimiser.asked).toEqual([b.pending!.generated]);
    expect(b.compiled).toBeNull();
    optimiser.finish();
    expect(cache.comeUp(b)).toBeNull();
    expect(b.compiled).toBe(optimiser.asked[0]);
    expect(b.pending).toBeNull();
  });

  it('come up at ever greater distances from then on', () => {
    const b = block(0);
    train(b);
    expect(b.due - b.hits).toBeGreaterThan(8);
    optimiser.finish();
    cache.comeUp(b);
    expect(b.due - b.hits).toBe(100);
  });

  it('are eight at a time at most', () => {
    const blocks = Array.from({ length: 12 }, (_, k) => block(k));
    for (let k = 0; k < 30; k++) for (const b of blocks) cache.comeUp(b);
    expect(optimiser.asked).toHaveLength(8);
    optimiser.finish();
    for (let k = 0; k < 30; k++) for (const b of blocks) cache.comeUp(b);
    expect(optimiser.asked).toHaveLength(12);
  });

  it('do not hold a place when their code was overwritten', () => {
    const blocks = Array.from({ length: 9 }, (_, k) => block(k));
    for (let k = 0; k < 30; k++) for (const b of blocks) cache.comeUp(b);
    expect(optimiser.asked).toHaveLength(8);
    blocks[3]!.pending = null;
    for (const b of blocks) if (b !== blocks[3]) cache.comeUp(b);
    expect(optimiser.asked).toHaveLength(9);
  });

  it('are handed to it again when it has given them up', () => {
    const b = block(0);
    train(b);
    optimiser.finish();
    cache.comeUp(b);
    optimiser.done.clear();
    for (let k = 0; k < 3; k++) cache.comeUp(b);
    expect(optimiser.asked).toEqual([b.compiled, b.compiled]);
  });

  it('are entered as they are when it never finishes', () => {
    const b = block(0);
    train(b);
    for (let k = 0; k <= 1 << 18; k++) cache.comeUp(b);
    expect(b.compiled).not.toBeNull();
  });
});
