// Oracle: self-consistency (accesses that the test itself makes)
import { describe, expect, it } from 'vitest';
import { DebugStops } from '../../jit/x86/debug-stops.js';
import { load8, load32, store8, store32, watchReads, watchWrites } from '../../jit/x86/mmu.js';
import { type LineLimits, WatchedLines } from '../../src/machine/watched-lines.js';
import { TestMachine } from '../jit/two-machines.js';

const LIMITS: LineLimits = { pages: 2, accesses: 10, allAccesses: 15, regular: 2, mostRegular: 3 };
const PAGE = 0x30;
const AT = PAGE << 12;

function watching(limits: Partial<LineLimits> = {}): {
  cpu: TestMachine['cpu'];
  lines: WatchedLines;
  begin: (...touched: number[]) => void;
} {
  const machine = new TestMachine();
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { cpu } = machine;
  const lines = new WatchedLines(cpu, { ...LIMITS, ...limits });
  const begin = (...touched: number[]): void => {
    watchReads(cpu);
    lines.begin(touched);
    watchWrites(cpu);
  };
  return { cpu, lines, begin };
}

/** As numbers within the page. */
function known(lines: WatchedLines, page = PAGE): { accessed: number[]; written: number[] } | null {
  const touched = lines.lines.get(page);
  if (touched === undefined) return null;
  const within = (numbers: readonly number[]): number[] => numbers.map((line) => line - page * 64);
  return { accessed: within(touched.accessed), written: within(touched.written) };
}

describe('lines of pages that are accessed in most stretches', () => {
  it('are known once a page was accessed in enough of them, and no more when it was not', () => {
    const { lines, begin } = watching();
    begin(PAGE);
    expect(known(lines)).toBeNull();
    begin(PAGE, PAGE);
    expect(known(lines)).toEqual({ accessed: [], written: [] });
    for (let k = 0; k < 5; k++) begin(PAGE);
    begin();
    expect(known(lines)).not.toBeNull();
    begin();
    expect(known(lines)).toBeNull();
    for (let k = 0; k < 3; k++) begin();
    begin(PAGE);
    expect(known(lines)).toBeNull();
  });

  it('are those that were read and written, to the first and last byte, each time anew', () => {
    const { cpu, lines, begin } = watching();
    begin(PAGE);
    begin(PAGE);
    load8(cpu, AT);
    load8(cpu, AT + 64);
    store8(cpu, AT + 0xbf, 1);
    expect(known(lines)).toEqual({ accessed: [0, 1, 2], written: [2] });
    store32(cpu, AT + 0x3fd, 1);
    load32(cpu, AT - 2);
    store32(cpu, AT + 0xffe, 1);
    expect(known(lines)).toEqual({ accessed: [0, 1, 2, 15, 16, 63], written: [2, 15, 16, 63] });
    begin(PAGE);
    expect(known(lines)).toEqual({ accessed: [], written: [] });
    load32(cpu, AT + 0x100);
    expect(known(lines)).toEqual({ accessed: [4], written: [] });
  });

  it('are not known of a page that was accessed too often: it is left alone for a while, longer each time', () => {
    const { cpu, lines, begin } = watching({ allAccesses: 1000 });
    const known1: boolean[] = [];
    begin(PAGE);
    for (let stretch = 0; stretch < 12; stretch++) {
      begin(PAGE);
      const watched = known(lines) !== null;
      for (let k = 0; k < 11; k++) load8(cpu, AT);
      if (watched) expect(cpu.supervisorRead[PAGE]! & 0xfff).toBe(0);
      expect(known(lines)).toBeNull();
      known1.push(watched);
    }
    expect(known1.map(Number).join('')).toBe('101001000010');
  });

  it('are not known of pages that were accessed more often than others when all were accessed too often together', () => {
    const { cpu, lines, begin } = watching();
    for (let k = 0; k < 2; k++) begin(PAGE, PAGE + 1, PAGE + 2);
    expect([0, 1, 2].map((k) => known(lines, PAGE + k) !== null)).toEqual([true, true, false]);
    for (let k = 0; k < 5; k++) load8(cpu, AT);
    for (let k = 0; k < 9; k++) store8(cpu, AT + 0x1000, k);
    expect(known(lines, PAGE + 1)).toEqual({ accessed: [0], written: [0] });
    load8(cpu, AT + 0x40);
    expect(known(lines, PAGE + 1)).toBeNull();
    expect(known(lines)).toEqual({ accessed: [0, 1], written: [] });
    load8(cpu, AT + 0x80);
    expect(known(lines)).toBeNull();
  });

  it('are not known of a stretch in which a debugger watched something, for however long', () => {
    const { cpu, lines, begin } = watching();
    const stops = new DebugStops();
    for (let k = 0; k < 2; k++) begin(PAGE);
    stops.setWatchpoints(cpu, [{ kind: 'read', address: AT + 0x80, lengthBytes: 1 }]);
    load8(cpu, AT + 0x100);
    expect(known(lines)).toBeNull();
    begin(PAGE);
    load8(cpu, AT + 0x80);
    expect(stops.touched).toMatchObject({ address: AT + 0x80 });
    expect(known(lines)).toBeNull();
    stops.setWatchpoints(cpu, []);
    expect(known(lines)).toBeNull();
    begin(PAGE);
    load8(cpu, AT + 0x80);
    expect(known(lines)).toEqual({ accessed: [2], written: [] });
    lines.end();
    expect(cpu.watcher).toBeNull();
  });
});
