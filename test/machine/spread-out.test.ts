// Oracle: self-consistency (distances and ends of what is left)
import { expect, it } from 'vitest';
import { spreadOut } from '../../src/machine/spread-out.js';

it('leaves the first, the last, and what is about equally far apart', () => {
  const all = Array.from({ length: 1000 }, (_, k) => ({ icount: k * k }));
  const left = spreadOut(all, 50);
  expect(left.length).toBeGreaterThan(25);
  expect(left.length).toBeLessThanOrEqual(52);
  expect([left[0], left.at(-1)]).toEqual([all[0], all.at(-1)]);
  for (let k = 1; k < left.length - 1; k++) expect(left[k]!.icount - left[k - 1]!.icount).toBeGreaterThanOrEqual(999 ** 2 / 50);
  expect(spreadOut(all.slice(0, 49), 50)).toEqual(all.slice(0, 49));
});
