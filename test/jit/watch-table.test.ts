// Oracle: self-consistency (the same accesses by the interpreter, one by one)
import { describe, expect, it } from 'vitest';
import { DebugStops } from '../../jit/x86/debug-stops.js';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { watchReads, watchWrites } from '../../jit/x86/mmu.js';
import { EAX, ECX, EDI, EFLAGS, EIP, ESI } from '../../jit/x86/regs.js';
import type { Watchpoint } from '../../src/core/debug-target.js';
import { USUAL_LIMITS, WatchedBytes } from '../../src/machine/watched-bytes.js';
import { bytesOf } from '../x86/tiny-board.js';
import { TestMachine } from './two-machines.js';

const LOOP = 0x1000;
const DATA = 0x3000;
/** mov eax, [3010h]; mov [3020h], ax; inc byte [3030h]; mov dl, [3041h]; jmp 1000h */
const BODY = 'a1 10 30 00 00 66 a3 20 30 00 00 fe 05 30 30 00 00 8a 15 41 30 00 00 eb e7';
const INSNS = 5;
/** Of the instructions above: number, first byte, bytes, whether it reads and writes. */
const ACCESSES = [
  [0, DATA + 0x10, 4, true, false],
  [1, DATA + 0x20, 2, false, true],
  [2, DATA + 0x30, 1, true, true],
  [3, DATA + 0x41, 1, true, false],
] as const;
const MODES: readonly JitMode[] = ['off', 'on', 'force'];

function looping(jit: JitMode, stops?: DebugStops): { machine: TestMachine; engine: Engine } {
  const machine = new TestMachine();
  machine.memory.u8.set(bytesOf(BODY), LOOP);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  Object.assign(machine.cpu.r, { [EIP]: LOOP, [EFLAGS]: 2 });
  const engine = new Engine(machine.cpu, { jit, hot: 20, watchBytes: true, stops });
  engine.run(10_000);
  return { machine, engine };
}

describe.each(MODES)('an engine that watches bytes, with the JIT %s', (jit) => {
  it('stops at a watchpoint behind every access that touches it, and at no other', () => {
    const stops = new DebugStops();
    const { machine, engine } = looping(jit, stops);
    for (const kind of ['read', 'write', 'access'] as const)
      for (let address = DATA + 0xc; address < DATA + 0x48; address++)
        for (const lengthBytes of [1, 2, 4]) {
          const watchpoint: Watchpoint = { kind, address, lengthBytes };
          const touching = ACCESSES.filter(
            ([, at, size, reads, writes]) =>
              at + size > address && at < address + lengthBytes && ((reads && kind !== 'write') || (writes && kind !== 'read')),
          );
          stops.rearm();
          stops.setWatchpoints(machine.cpu, [watchpoint]);
          const start = engine.icount;
          const end = engine.run(400);
          const phase = (icount: number): number => icount % INSNS;
          if (touching.length === 0) expect([end, engine.icount - start]).toEqual(['budget', 400]);
          else {
            expect(end).toBe('kick');
            expect(stops.touched).toEqual(watchpoint);
            expect(touching.map(([n]) => phase(n + 1))).toContain(phase(engine.icount));
            expect(engine.icount - start).toBeLessThanOrEqual(INSNS);
          }
        }
    stops.rearm();
    stops.setWatchpoints(machine.cpu, []);
    engine.run(100);
    expect(machine.cpu.supervisorRead[DATA >> 12]! & 0xfff).toBe(0);
  });

  it('knows of every byte that was touched, and looks at few accesses to know it', () => {
    const { machine, engine } = looping(jit);
    const { cpu } = machine;
    const bytes = new WatchedBytes(cpu, USUAL_LIMITS);
    let looked = 0;
    const accessed = bytes.accessed.bind(bytes);
    bytes.accessed = (...access) => {
      looked++;
      accessed(...access);
    };
    for (let k = 0; k < 3; k++) {
      looked = 0;
      watchReads(cpu);
      bytes.begin([DATA >> 12]);
      watchWrites(cpu);
      engine.run(10_000);
      const written = [DATA + 0x20, DATA + 0x22, DATA + 0x30, DATA + 0x31];
      const read = [DATA + 0x10, DATA + 0x14, ...written, DATA + 0x41, DATA + 0x42];
      expect(bytes.touched.get(DATA >> 12)).toEqual({ accessed: read, written });
      if (jit !== 'off') expect(looked).toBeLessThan(50);
    }
    expect(engine.translations?.statistics.dropped ?? 0).toBe(0);
  });

  it('stores to code in a watched page are seen', () => {
    const { machine, engine } = looping(jit);
    const { cpu } = machine;
    const bytes = new WatchedBytes(cpu, USUAL_LIMITS);
    watchReads(cpu);
    bytes.begin([DATA >> 12]);
    watchWrites(cpu);
    // The byte that will be changed is stored to before it is code, so that it need not be looked at any more.
    engine.run(1000);
    // 3030h: inc eax; mov byte [3030h], 48h (dec eax); jmp 3030h
    const code = DATA + 0x30;
    machine.memory.u8.set(bytesOf('40 c6 05 30 30 00 00 48 eb f6'), code);
    Object.assign(cpu.r, { [EIP]: code, [EAX]: 5 });
    engine.run(3 * 100);
    expect(cpu.r[EAX]).toBe(5 + 1 - 99);
  });

  it('pages with watchpoints are marked as read and written behind each watchReads and watchWrites', () => {
    const stops = new DebugStops();
    const { machine, engine } = looping(jit, stops);
    const { cpu, memory } = machine;
    const page = DATA >> 12;
    stops.setWatchpoints(cpu, [{ kind: 'access', address: DATA + 0x80, lengthBytes: 4 }]);
    for (let k = 0; k < 3; k++) {
      cpu.linearWritten.fill(0);
      watchReads(cpu);
      watchWrites(cpu);
      engine.run(1000);
      expect([memory.dirtyPage[page], cpu.linearWritten[page], cpu.linearRead[page]]).toEqual([1, 1, 1]);
    }
  });

  it('copies at once what nobody wants to know of byte by byte', () => {
    const stops = new DebugStops();
    const { machine, engine } = looping(jit, stops);
    const { cpu, memory } = machine;
    // rep movsb; jmp self
    memory.u8.set(bytesOf('f3 a4 eb fe'), 0x2000);
    memory.u8.fill(7, DATA, DATA + 0x100);
    const copy = (): void => {
      Object.assign(cpu.r, { [EIP]: 0x2000, [ESI]: DATA, [EDI]: DATA + 0x800, [ECX]: 0x100 });
      stops.rearm();
    };
    stops.setWatchpoints(cpu, [{ kind: 'write', address: DATA + 0x7ff, lengthBytes: 1 }]);
    let looked = 0;
    const accessed = stops.accessed.bind(stops);
    stops.accessed = (...access) => {
      looked++;
      accessed(...access);
    };
    copy();
    expect(engine.run(0x100)).toBe('budget');
    // The first byte takes the slow way, which finds the page watched.
    expect(looked).toBeLessThanOrEqual(2);
    expect([...memory.u8.subarray(DATA + 0x7ff, DATA + 0x901)]).toEqual([0, ...new Array(0x100).fill(7), 0]);
    for (const [kind, address, done] of [
      ['write', DATA + 0x880, 0x81],
      ['read', DATA + 0x21, 0x22],
      ['access', DATA + 0x8ff, 0x100],
    ] as const) {
      stops.setWatchpoints(cpu, [{ kind, address, lengthBytes: 1 }]);
      copy();
      const start = engine.icount;
      expect(engine.run(0x200)).toBe('kick');
      expect([engine.icount - start, cpu.r[ECX]]).toEqual([done, 0x100 - done]);
    }
  });
});
