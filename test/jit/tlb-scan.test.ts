// Oracle: self-consistency (a look at every entry)
import { expect, it } from 'vitest';
import { eachEntry } from '../../jit/x86/tlb-scan.js';

it('visits every entry of a TLB, once, in order', () => {
  const tlb = new Int32Array(1 << 20).fill(-1);
  const pages = [0, 1, 31, 32, 1023, 1024, 5000, 5001, 77_777, 1_048_544, (1 << 20) - 1];
  for (const page of pages) tlb[page] = page << 12;
  const seen: number[] = [];
  eachEntry(tlb, (page) => seen.push(page));
  expect(seen).toEqual(pages);
});
