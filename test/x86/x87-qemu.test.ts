// Oracle: QEMU run (7.2.22)
import { describe, expect, it } from 'vitest';
import { requireTool } from '../tools.js';
import { buildImage, describeCase, differences, runHere, runQemu } from './x87-image.js';
import { X87Random } from './x87-random.js';
import { type NamedSnippet, randomCases, x87Snippets } from './x87-snippets.js';

/** Sine and its like come from the C library of QEMU's host, which is not always correctly rounded. */
const HOST_LIBRARY = /^(fsin|fcos|fsincos|fptan)$/;

/** FLD and others with every kind of address, segment override and needless prefix. */
const ADDRESSED: readonly NamedSnippet[] = [
  { name: 'fld [bx]', bytes: [0x67, 0xd9, 0x07] },
  { name: 'fld [0x9234]', bytes: [0x67, 0xd9, 0x06, 0x34, 0x92] },
  { name: 'fld [bx - 128]', bytes: [0x67, 0xd9, 0x47, 0x80] },
  { name: 'fld [bx - 0x7000]', bytes: [0x67, 0xd9, 0x87, 0x00, 0x90] },
  { name: 'fld [cs:ebx]', bytes: [0x2e, 0xd9, 0x03] },
  { name: 'fadd [ss:ebx]', bytes: [0x36, 0xdc, 0x03] },
  { name: 'fld [ebx + 4]', bytes: [0xd9, 0x43, 0x04] },
  { name: 'fld [ebx + 4] with SIB', bytes: [0xd9, 0x44, 0x23, 0x04] },
  { name: 'fild [esi + ecx * 2]', bytes: [0xdf, 0x04, 0x4e] },
  { name: 'lock fadd', bytes: [0xf0, 0xd8, 0xc1] },
  { name: 'rep fld', bytes: [0xf3, 0xd9, 0x03] },
  { name: 'fild with operand size prefix', bytes: [0x66, 0xdb, 0x03] },
];

const present = requireTool('qemu-system-i386', 'qemu-system-x86') && requireTool('nasm', 'nasm');

function compare(snippets: readonly NamedSnippet[], count: number): { different: number[]; report: string } {
  const seed = (Math.random() * 0x100000000) >>> 0;
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
    const { different, report } = compare(
      x87Snippets((name) => !HOST_LIBRARY.test(name)),
      12_000,
    );
    expect(different, report).toEqual([]);
  });

  it('notes the same operand and instruction pointers whatever the addressing', () => {
    const { different, report } = compare(ADDRESSED, 2_000);
    expect(different, report).toEqual([]);
  });

  it('gives the same bits of exponentials, logarithms and arc tangents', () => {
    const { different, report } = compare(
      x87Snippets((name) => /^(f2xm1|fyl2x|fyl2xp1|fpatan)$/.test(name)),
      6_000,
    );
    expect(different, report).toEqual([]);
  });

  it('gives the same sines, cosines and tangents but for rare last bits of the host library', () => {
    const { different, report } = compare(
      x87Snippets((name) => HOST_LIBRARY.test(name)),
      4_000,
    );
    expect(different.length, report).toBeLessThan(20);
  });
});
