// Oracle: replay/checkpoints/FORMAT.md; sets of addresses made by brute force.
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  decodeFootprint,
  encodeFootprint,
  type Footprint,
  mayTouch,
  mergeRanges,
  reachBack,
  type Targets,
} from '../../replay/checkpoints/footprint.js';
import {
  RECORD_FOOTPRINT_BYTES as BYTES,
  RECORD_FOOTPRINT_LINES as LINES,
  RECORD_FOOTPRINT as PAGES,
  RECORD_FOOTPRINT_WITHOUT_READS as WRITTEN_PAGES,
} from '../../replay/checkpoints/format.js';
import type { Watchpoint } from '../../src/core/debug-target.js';

/** Ranges of pages and of lines, as ranges of addresses. */
const pages = (...numbers: number[]): number[] => numbers.map((page) => page * 4096);
const lines = (...numbers: number[]): number[] => numbers.map((line) => line * 64);
const footprint: Footprint = {
  from: -1,
  to: 13_000_000_000,
  code: [0, 1, 0x1000, 0x1010, 0xc0100000, 0xc0100400, 0xfffffff0, 2 ** 32],
  written: pages(7, 9, 0xfffff, 0x100000),
  accessed: pages(0, 1, 7, 9, 0x20, 0x21, 0xfffff, 0x100000),
  detail: PAGES,
};

describe('a footprint', () => {
  it('is read as it was written', () => {
    const byLines: Footprint = {
      ...footprint,
      written: lines(64, 65, 2 ** 26 - 1, 2 ** 26),
      accessed: lines(0, 3, 64, 128, 2 ** 26 - 2, 2 ** 26),
      detail: LINES,
    };
    const byBytes: Footprint = {
      ...footprint,
      written: [0x1003, 0x1004, 2 ** 32 - 1, 2 ** 32],
      accessed: [0, 1, 0x1001, 0x1005, 2 ** 32 - 2, 2 ** 32],
      detail: BYTES,
    };
    const empty: Footprint = { from: 5, to: 6, code: [], written: [], accessed: [], detail: BYTES };
    for (const one of [footprint, byLines, byBytes, empty]) expect(decodeFootprint(encodeFootprint(one), one.detail)).toEqual(one);
  });

  it('of an earlier format does not know what was read', () => {
    const earlier: Footprint = { ...footprint, accessed: null, detail: WRITTEN_PAGES };
    expect(decodeFootprint(encodeFootprint(earlier), WRITTEN_PAGES)).toEqual(earlier);
    expect(decodeFootprint(encodeFootprint(earlier), PAGES)).toBeNull();
    expect(decodeFootprint(encodeFootprint(footprint), WRITTEN_PAGES)).toBeNull();
    const watch = (kind: Watchpoint['kind']): Targets => ({ breakpoints: [], watchpoints: [{ kind, address: 0x3000, lengthBytes: 1 }] });
    expect([mayTouch(earlier, watch('read')), mayTouch(earlier, watch('access')), mayTouch(earlier, watch('write'))]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is refused when it is cut, longer than it says, out of its bounds, or huge', () => {
    const whole = encodeFootprint(footprint);
    const packed = (from: number, to: number, bytes: Uint8Array): Uint8Array => {
      const span = Buffer.alloc(16);
      span.writeDoubleLE(from, 0);
      span.writeDoubleLE(to, 8);
      return Buffer.concat([span, deflateRawSync(bytes)]);
    };
    expect(decodeFootprint(packed(0, 1, Uint8Array.of(0, 0, 0)), PAGES)).not.toBeNull();
    const bad = [
      whole.subarray(0, 10),
      whole.subarray(0, whole.length - 3),
      packed(1, 1, Uint8Array.of(0, 0, 0)),
      packed(Number.NaN, 1, Uint8Array.of(0, 0, 0)),
      packed(-2, 1, Uint8Array.of(0, 0, 0)),
      packed(0, 2 ** 60, Uint8Array.of(0, 0, 0)),
      packed(0, 1, Uint8Array.of(0, 0, 0, 0)),
      packed(0, 1, Uint8Array.of(0, 0)),
      packed(0, 1, Uint8Array.of(0, 1, 0)),
      packed(0, 1, new Uint8Array(1000).fill(0xff)),
      packed(0, 1, Uint8Array.of(0, 0, 1, 0x80, 0x80, 0x80, 0x01, 1)),
      packed(0, 1, new Uint8Array(17 << 20)),
    ];
    for (const payload of bad) expect(decodeFootprint(payload, PAGES)).toBeNull();
    const lastLine = Uint8Array.of(0, 0, 1, 0xff, 0xff, 0xff, 0x1f, 1);
    expect(decodeFootprint(packed(0, 1, lastLine), LINES)?.accessed).toEqual(lines(2 ** 26 - 1, 2 ** 26));
    lastLine[7] = 2;
    expect(decodeFootprint(packed(0, 1, lastLine), LINES)).toBeNull();
    for (let k = 0; k < whole.length; k++) {
      const changed = whole.slice();
      changed[k]! ^= 0x40;
      expect(() => decodeFootprint(changed, PAGES)).not.toThrow();
    }
  });

  it.each([
    [0, true],
    [1, false],
    [0xfff, false],
    [0x1000, true],
    [0x100f, true],
    [0x1010, false],
    [0xc00fffff, false],
    [0xc01003ff, true],
    [0xffffffef, false],
    [0xffffffff, true],
  ])('says of code at %d: %s', (address, expected) => {
    expect(mayTouch(footprint, { breakpoints: [address], watchpoints: [] })).toBe(expected);
  });

  it.each([
    ['write', 0x6ffc, 4, false],
    ['write', 0x6ffd, 4, true],
    ['write', 0x8fff, 1, true],
    ['write', 0x9000, 8, false],
    ['write', 0x1000, 0x100000, true],
    ['write', 0xffffffff, 1, true],
    ['write', 0xffffffff, 2, true],
    ['read', 0x100, 1, true],
    ['access', 0xffc, 4, true],
    ['read', 0x1000, 4, false],
    ['access', 0x6ff8, 8, false],
    ['access', 0x6ff8, 9, true],
    ['read', 0x1ffff, 2, true],
    ['write', 0x20000, 1, false],
    ['read', 0xffffffff, 2, true],
  ] as const)('says of %s watchpoints at %d, %d bytes: %s', (kind, address, lengthBytes, expected) => {
    expect(mayTouch(footprint, { breakpoints: [], watchpoints: [{ kind, address, lengthBytes }] })).toBe(expected);
  });
});

it.each([
  ['write', 0x1000, 64, false],
  ['write', 0x1000, 65, true],
  ['write', 0x103f, 2, true],
  ['write', 0x107f, 1, true],
  ['write', 0x1080, 8, false],
  ['read', 0x1000, 1, true],
  ['access', 0xfff, 1, false],
] as const)('says of %s watchpoints at %d, %d bytes, where it knows lines: %s', (kind, address, lengthBytes, expected) => {
  const byLines: Footprint = { ...footprint, written: lines(65, 66), accessed: lines(64, 66), detail: LINES };
  expect(mayTouch(byLines, { breakpoints: [], watchpoints: [{ kind, address, lengthBytes }] })).toBe(expected);
});

it.each([
  ['write', 0x1000, 3, false],
  ['write', 0x1000, 4, true],
  ['write', 0x1003, 1, true],
  ['write', 0x1004, 8, false],
  ['read', 0x1000, 1, false],
  ['read', 0x1004, 1, true],
  ['access', 0x1005, 4, false],
] as const)('says of %s watchpoints at %d, %d bytes, where it knows bytes: %s', (kind, address, lengthBytes, expected) => {
  const byBytes: Footprint = { ...footprint, written: [0x1003, 0x1004], accessed: [0x1001, 0x1005], detail: BYTES };
  expect(mayTouch(byBytes, { breakpoints: [], watchpoints: [{ kind, address, lengthBytes }] })).toBe(expected);
});

it('joins ranges that overlap, touch or nearly do', () => {
  const pairs = [
    [1, 3],
    [2, 3],
    [3, 5],
    [7, 9],
    [20, 21],
  ] as const;
  const merged = (gap: number): readonly number[] => mergeRanges(gap, (range) => pairs.forEach(([a, b]) => void range(a, b)));
  expect(merged(0)).toEqual([1, 5, 7, 9, 20, 21]);
  expect(merged(2)).toEqual([1, 9, 20, 21]);
});

it('reaches back over spans that are clear, and not over gaps or others', () => {
  const spans = [
    { from: -1, to: 10 },
    { from: 10, to: 20 },
    { from: 20, to: 30 },
    { from: 15, to: 25 },
    { from: 31, to: 40 },
  ];
  const back = (icount: number, ...unclear: number[]): number => reachBack(spans, (k) => !unclear.includes(k))(icount);
  expect(back(30)).toBe(-1);
  expect(back(29)).toBe(-1);
  expect(back(31)).toBe(31);
  expect(back(35)).toBe(31);
  expect(back(30, 1)).toBe(15);
  expect(back(30, 2)).toBe(30);
  expect(back(24, 2)).toBe(-1);
  expect(back(24, 2, 0)).toBe(10);
});
