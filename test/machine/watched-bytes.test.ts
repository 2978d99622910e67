// Oracle: self-consistency (accesses that the test itself makes)
import { describe, expect, it } from 'vitest';
import { DebugStops } from '../../jit/x86/debug-stops.js';
import { load8, load32, store8, store32, watchReads, watchWrites } from '../../jit/x86/mmu.js';
import { WatchTable } from '../../jit/x86/watch-table.js';
import { WatchedBytes, type WatchLimits } from '../../src/machine/watched-bytes.js';
import { TestMachine } from '../jit/two-machines.js';

const LIMITS: WatchLimits = { pages: 2, regular: 2, mostRegular: 5 };
const PAGE = 0x30;
const AT = PAGE << 12;

function watching(limits: Partial<WatchLimits> = {}): {
  cpu: TestMachine['cpu'];
  bytes: WatchedBytes;
  begin: (...touched: number[]) => void;
} {
  const machine = new TestMachine();
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { cpu } = machine;
  cpu.watchTable = new WatchTable();
  const bytes = new WatchedBytes(cpu, { ...LIMITS, ...limits });
  const begin = (...touched: number[]): void => {
    watchReads(cpu);
    bytes.begin(touched);
    watchWrites(cpu);
  };
  return { cpu, bytes, begin };
}

/** As offsets in the page. */
function known(bytes: WatchedBytes, page = PAGE): { accessed: number[]; written: number[] } | null {
  const touched = bytes.touched.get(page);
  if (touched === undefined) return null;
  const within = (addresses: readonly number[]): number[] => addresses.map((address) => address - page * 4096);
  return { accessed: within(touched.accessed), written: within(touched.written) };
}

describe('bytes of pages that are accessed regularly', () => {
  it('are known once a page was accessed, and no more when it was not for some time', () => {
    const { bytes, begin } = watching();
    begin();
    expect(known(bytes)).toBeNull();
    begin(PAGE, PAGE);
    expect(known(bytes)).toEqual({ accessed: [], written: [] });
    begin();
    expect(known(bytes)).toBeNull();
    for (let k = 0; k < 5; k++) begin(PAGE);
    for (let k = 0; k < 3; k++) {
      begin();
      expect(known(bytes)).not.toBeNull();
    }
    begin();
    expect(known(bytes)).toBeNull();
  });

  it('are known of the most regular pages when there are too many', () => {
    const { bytes, begin } = watching();
    begin(PAGE + 1, PAGE + 2);
    begin(PAGE, PAGE + 1, PAGE + 2);
    expect([0, 1, 2].map((k) => known(bytes, PAGE + k) !== null)).toEqual([false, true, true]);
    begin(PAGE, PAGE + 1);
    begin(PAGE, PAGE + 1);
    expect([0, 1, 2].map((k) => known(bytes, PAGE + k) !== null)).toEqual([true, true, false]);
  });

  it('are those that were read and written, to the first and last byte, each time anew', () => {
    const { cpu, bytes, begin } = watching();
    begin(PAGE);
    load8(cpu, AT);
    load8(cpu, AT + 64);
    store8(cpu, AT + 0xbf, 1);
    expect(known(bytes)).toEqual({ accessed: [0, 1, 64, 65, 0xbf, 0xc0], written: [0xbf, 0xc0] });
    store32(cpu, AT + 0x3fd, 1);
    load32(cpu, AT - 2);
    store32(cpu, AT + 0xffe, 1);
    expect(known(bytes)).toEqual({
      accessed: [0, 2, 64, 65, 0xbf, 0xc0, 0x3fd, 0x401, 0xffe, 0x1000],
      written: [0xbf, 0xc0, 0x3fd, 0x401, 0xffe, 0x1000],
    });
    begin(PAGE);
    expect(known(bytes)).toEqual({ accessed: [], written: [] });
    load32(cpu, AT + 0x100);
    expect(known(bytes)).toEqual({ accessed: [0x100, 0x104], written: [] });
  });

  it('are not known of a stretch in which a debugger watched something, for however long', () => {
    const { cpu, bytes, begin } = watching();
    const stops = new DebugStops();
    begin(PAGE);
    stops.setWatchpoints(cpu, [{ kind: 'read', address: AT + 0x80, lengthBytes: 1 }]);
    load8(cpu, AT + 0x100);
    expect(known(bytes)).toBeNull();
    begin(PAGE);
    load8(cpu, AT + 0x80);
    expect(stops.touched).toMatchObject({ address: AT + 0x80 });
    expect(known(bytes)).toBeNull();
    stops.setWatchpoints(cpu, []);
    expect(known(bytes)).toBeNull();
    begin(PAGE);
    load8(cpu, AT + 0x80);
    expect(known(bytes)).toEqual({ accessed: [0x80, 0x81], written: [] });
    bytes.end();
    expect(cpu.watcher).toBeNull();
  });
});

it('only engines that were made for it watch bytes', () => {
  expect(() => new WatchedBytes(new TestMachine().cpu, LIMITS)).toThrow('does not watch bytes');
});
