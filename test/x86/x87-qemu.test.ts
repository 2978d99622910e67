// Oracle: QEMU run (7.2.22)
import { describe, expect, it } from 'vitest';
import { requireTool } from '../tools.js';
import { buildImage, describeCase, differences, runHere, runQemu } from './x87-image.js';
import { X87Random } from './x87-random.js';
import { randomCases, x87Snippets } from './x87-snippets.js';

/** Sine and its like come from the C library of QEMU's host, which is not always correctly rounded. */
const HOST_LIBRARY = /^(fsin|fcos|fsincos|fptan)$/;

const present = requireTool('qemu-system-i386', 'qemu-system-x86') && requireTool('nasm', 'nasm');

function compare(accept: (name: string) => boolean, count: number): { different: number[]; report: string } {
  const seed = (Math.random() * 0x100000000) >>> 0;
  const snippets = x87Snippets(accept);
  const cases = randomCases(new X87Random(seed), count, snippets.length, (snippet) =>
    // A pending error would be an exception there.
    snippets[snippet]!.name.match(/^(fwait|fnop)/) ? { statusWord: 0 } : {},
  );
  const start = buildImage(
    snippets.map((s) => s.bytes),
    cases,
  );
  const here = start.slice();
  const qemu = start.slice();
  runHere(here);
  runQemu(qemu);
  expect(differences(start, qemu).length).toBeGreaterThan(count * 0.9);
  const different = differences(here, qemu);
  const first = different[0];
  const shown =
    first === undefined
      ? ''
      : `${snippets[cases[first]!.snippet]!.name}\n  in   ${describeCase(start, first)}\n  here ${describeCase(here, first)}\n  QEMU ${describeCase(qemu, first)}`;
  return { different, report: `seed ${seed}: ${different.length} of ${count} differ ${shown}` };
}

describe.skipIf(!present)('x87 against QEMU', () => {
  it('gives the same registers, status, pointers, flags and memory for random operands of every instruction', () => {
    const { different, report } = compare((name) => !HOST_LIBRARY.test(name), 12_000);
    expect(different, report).toEqual([]);
  }, 30_000);

  it('gives the same bits of exponentials, logarithms and arc tangents', () => {
    const { different, report } = compare((name) => /^(f2xm1|fyl2x|fyl2xp1|fpatan)$/.test(name), 6_000);
    expect(different, report).toEqual([]);
  }, 30_000);

  it('gives the same sines, cosines and tangents but for rare last bits of the host library', () => {
    const { different, report } = compare((name) => HOST_LIBRARY.test(name), 4_000);
    expect(different.length, report).toBeLessThan(20);
  }, 30_000);
});
