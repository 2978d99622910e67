// Oracle: self-consistency (exact integer arithmetic with bigints).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulDiv } from '../../src/core/units.js';

describe('mulDiv', () => {
  for (const [b, c] of [
    [1193182, 1e9],
    [1e9, 1193182],
    [3579545, 1e9],
    [1e9, 3579545],
  ] as const)
    it(`is exact for ${b} / ${c}`, () => {
      const largest = Math.floor(Number.MAX_SAFE_INTEGER / Math.max(1, b / c));
      fc.assert(
        fc.property(
          fc.maxSafeNat().map((n) => n % largest),
          (a) => {
            expect(BigInt(mulDiv(a, b, c))).toBe((BigInt(a) * BigInt(b)) / BigInt(c));
          },
        ),
        { seed: 1 },
      );
    });
});
