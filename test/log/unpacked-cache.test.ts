// Oracle: hand-computed
import { describe, expect, it } from 'vitest';
import { type Packed, UnpackedCache } from '../../replay/checkpoints/unpacked-cache.js';

const KIB = 1024;

function packed(count: number): Packed[] {
  return Array.from({ length: count }, () => ({ contents: null, usedAt: 0 }));
}

function keep(cache: UnpackedCache, one: Packed, kib: number): void {
  cache.keep(one, [new Uint8Array(kib * KIB)], kib * KIB);
}

function numbersKept(all: readonly Packed[]): number[] {
  return [...all.keys()].filter((k) => all[k]!.contents !== null);
}

describe('UnpackedCache', () => {
  it('forgets what was not used for longest, until an eighth is free', () => {
    const cache = new UnpackedCache(16 * KIB);
    const all = packed(6);
    for (const one of all.slice(0, 4)) keep(cache, one, 4);
    expect(numbersKept(all)).toEqual([0, 1, 2, 3]);
    expect(cache.get(all[0]!)).not.toBeNull();
    keep(cache, all[4]!, 1);
    // 17 KiB are 3 too many.
    expect(numbersKept(all)).toEqual([0, 2, 3, 4]);
    keep(cache, all[5]!, 10);
    // 23 KiB are 9 too many: 2, 3 and 0 go, in this order.
    expect(numbersKept(all)).toEqual([4, 5]);
    expect(cache.get(all[2]!)).toBeNull();
  });

  it('keeps the last one, whatever its size, and forgets nothing for what takes no memory', () => {
    const cache = new UnpackedCache(8 * KIB);
    const all = packed(3);
    keep(cache, all[0]!, 100);
    expect(numbersKept(all)).toEqual([0]);
    keep(cache, all[1]!, 200);
    expect(numbersKept(all)).toEqual([1]);
    cache.keep(all[2]!, [new Uint8Array(KIB)], 0);
    expect(numbersKept(all)).toContain(2);
  });

  it('counts what is unpacked again as often as it is', () => {
    const cache = new UnpackedCache(8 * KIB);
    const [one, other] = packed(2) as [Packed, Packed];
    for (let turn = 0; turn < 5; turn++) {
      if (cache.get(one) === null) keep(cache, one, 6);
      if (cache.get(other) === null) keep(cache, other, 6);
    }
    expect(numbersKept([one, other])).toEqual([1]);
  });
});
