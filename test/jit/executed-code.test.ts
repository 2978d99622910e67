// Oracle: reference engine (single steps, translation off, say what every stretch executed and which linear pages it accessed)
import { describe, expect, it } from 'vitest';
import type { Block } from '../../jit/x86/block.js';
import type { BlockCache } from '../../jit/x86/blocks.js';
import type { Cpu } from '../../jit/x86/cpu.js';
import { Engine } from '../../jit/x86/engine.js';
import { CODE_RANGE, ExecutedCode } from '../../jit/x86/executed-code.js';
import { watchReads, watchWrites } from '../../jit/x86/mmu.js';
import { CS, EAX, EIP, SEG_BASE } from '../../jit/x86/regs.js';
import { loadSegmentCache } from '../../jit/x86/segments.js';
import { Translation } from '../../jit/x86/translate/translation.js';
import { Random } from './random-code.js';
import { makeRun, type Run, randomProgram, randomRegisters, SlowOptimiser } from './random-program.js';
import { TestMachine } from './two-machines.js';

const SEED = Number(process.env.SEED ?? 20261121);
const END = 6000;

/** Linear address of the next instruction. */
function place({ machine }: Run): number {
  const { r } = machine.cpu;
  return (r[EIP]! + r[SEG_BASE + CS]!) >>> 0;
}

/** Whether an address was noted. */
function isNoted(code: ExecutedCode, address: number): boolean {
  return code.all!.some((entry) => {
    const from = Math.floor(entry / CODE_RANGE);
    return address >= from && address < from + (entry % CODE_RANGE);
  });
}

/** What single steps of a program see, by icount. */
interface Trace {
  /** Addresses at which an instruction was about to be executed; those of faults stand at the same icount. */
  readonly places: readonly (readonly number[])[];
  /** Linear pages read and written on the way from there. */
  readonly read: readonly (readonly number[])[];
  readonly written: readonly (readonly number[])[];
}

function trace(run: Run): Trace {
  const { cpu } = run.machine;
  const places: number[][] = [];
  const read: number[][] = [];
  const written: number[][] = [];
  let at = 0;
  cpu.watcher = {
    slotOf: () => 1,
    accessedAll: () => false,
    accessed: (_, laddr, _size, write) => {
      const pages = write ? written : read;
      pages[at] ??= [];
      pages[at].push(laddr >>> 12);
    },
  };
  while (run.engine.icount < END) {
    at = run.engine.icount;
    places[at] ??= [];
    places[at].push(place(run));
    const end = run.engine.run(1);
    if (end === 'shutdown' || end === 'halt') break;
  }
  return { places, read, written };
}

/** An era begins, for accesses. */
function watchAccesses(cpu: Cpu): void {
  watchReads(cpu);
  cpu.linearWritten.fill(0);
  watchWrites(cpu);
}

describe.each([
  ['off', undefined],
  ['on', undefined],
  ['on', 2],
  ['force', undefined],
] as const)('what was touched since the last look, translation %s (looks until it is optimised: %s)', (jit, patience) => {
  it('has all that single steps see', () => {
    let seen = 0;
    let marked = 0;
    for (let k = 0; k < 6; k++) {
      const random = new Random(SEED + k);
      const program = randomProgram(random);
      const registers = randomRegisters(random);
      const { places, read, written } = trace(makeRun('off', program, registers, k % 2 === 0));
      const optimiser = patience === undefined ? undefined : new SlowOptimiser(patience);
      const { engine, machine } = makeRun(jit, program, registers, k % 2 === 0, 4, optimiser);
      const { cpu } = machine;
      const code = new ExecutedCode();
      engine.blocks.executed = code;
      const all = [...new Set(read.flat())];
      while (engine.icount < Math.min(END, places.length - 1)) {
        engine.blocks.beginEra();
        code.clear();
        watchAccesses(cpu);
        const from = engine.icount;
        for (let n = 1 + random.below(3); n > 0; n--) engine.run(1 + random.below(random.chance(80) ? 30 : 300));
        const within = <T>(lists: readonly (readonly T[])[]): T[] => [...new Set(lists.slice(from, Math.min(engine.icount, END)).flat())];
        const missing = {
          executed: within(places).filter((address) => !isNoted(code, address)),
          read: within(read).filter((page) => cpu.linearRead[page] === 0 && cpu.linearWritten[page] === 0),
          written: within(written).filter((page) => cpu.linearWritten[page] === 0),
        };
        expect(missing, `seed ${SEED + k}, ${from} to ${engine.icount}`).toEqual({ executed: [], read: [], written: [] });
        seen += all.length;
        marked += all.filter((page) => cpu.linearRead[page] !== 0).length;
      }
    }
    expect(marked / seen).toBeLessThan(0.3);
  });

  it('has where a fetch faulted', () => {
    // jmp 46123h, where no page is; in the end of the page before, the first byte of mov eax, imm32.
    for (const target of [0x46123, 0x45fff]) {
      const program = { bytes: [0xe9, ...[0, 8, 16, 24].map((s) => ((target - 0x1005) >> s) & 0xff)], starts: [0] };
      const { engine, machine } = makeRun(jit, program, new Array(8).fill(0), true, 4);
      machine.memory.u8[0x45fff] = 0xb8;
      const code = new ExecutedCode();
      engine.blocks.executed = code;
      for (let k = 0; k < 20; k++) {
        engine.blocks.beginEra();
        code.clear();
        engine.run(6);
        expect(isNoted(code, target)).toBe(true);
      }
    }
  });
});

/** test eax, eax; jz ZERO; inc ecx; jmp LOOP; ZERO: inc edx; jmp LOOP */
const LOOP = [0x85, 0xc0, 0x74, 0x03, 0x41, 0xeb, 0xf9, 0x42, 0xeb, 0xf6];
const ENTRY = 0x1000;
const NOT_ZERO = ENTRY + 4;
const ZERO = ENTRY + 7;
const HOT = 8;
/** inc ebx; jmp to it: as many as are compiled together, one behind the other. */
const OTHERS = Array.from({ length: 16 }, (_, k) => ({ at: 0x2000 + 16 * k, bytes: [0x43, 0xeb, 0xfd] }));

class Loop {
  readonly run: Run;
  readonly code = new ExecutedCode();
  constructor(optimiser?: SlowOptimiser) {
    this.run = makeRun('on', { bytes: LOOP, starts: [0] }, new Array(8).fill(0), false, HOT, optimiser);
    this.run.engine.blocks.executed = this.code;
    for (const { at, bytes } of OTHERS) this.run.machine.memory.u8.set(bytes, at);
  }
  /** Once around the loop, one way or the other. */
  turn(zero: boolean): void {
    this.run.machine.cpu.r[EAX] = zero ? 0 : 1;
    this.run.engine.run(4);
  }
  others(): void {
    const { r } = this.run.machine.cpu;
    for (const { at } of OTHERS) {
      r[EIP] = at;
      this.run.engine.run(4 * HOT);
    }
    r[EIP] = ENTRY;
  }
  beginEra(): void {
    this.run.engine.blocks.beginEra();
    this.code.clear();
  }
}

describe('a translation of several blocks', () => {
  it('is noted with all of them when it is published behind the noting of its entry', () => {
    const loop = new Loop();
    for (let k = 0; k < HOT; k++) loop.turn(k % 2 === 0);
    loop.beginEra();
    loop.turn(false);
    expect(isNoted(loop.code, ZERO)).toBe(false);
    loop.others();
    const { translated, blocks } = loop.run.engine.translations!.statistics;
    expect([translated, blocks]).toEqual([OTHERS.length, OTHERS.length + 2]);
    loop.turn(true);
    expect(isNoted(loop.code, ZERO)).toBe(true);
  });

  it('is noted with all of them when it is only tried', () => {
    const loop = new Loop(new SlowOptimiser(1e9));
    for (let k = 0; k < HOT; k++) loop.turn(k % 2 === 0);
    loop.others();
    expect(loop.run.engine.translations!.statistics.blocks).toBe(OTHERS.length + 2);
    for (let k = 0; k < 40; k++) {
      loop.beginEra();
      loop.turn(k % 2 === 0);
      expect([k, isNoted(loop.code, k % 2 === 0 ? ZERO : NOT_ZERO)]).toEqual([k, true]);
    }
  });
});

describe('code that lies at two linear addresses', () => {
  const TABLE = 0x1f0000;
  const [LOW, HIGH] = [ENTRY, ENTRY + 0x10000];

  /** The same page at both, found at one or the other by the base of CS. */
  function twice(): { blocks: BlockCache; at: (laddr: number) => Block; noted: () => number[] } {
    const machine = new TestMachine();
    const { cpu, memory } = machine;
    memory.u8.set(LOOP, ENTRY);
    machine.paging(TABLE, () => 7);
    memory.dv.setInt32(TABLE + 0x1000 + 4 * (HIGH >>> 12), LOW | 7, true);
    machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
    const { blocks } = new Engine(cpu, { jit: 'off' });
    const code = new ExecutedCode();
    blocks.executed = code;
    blocks.beginEra();
    const at = (laddr: number): Block => {
      loadSegmentCache(cpu, CS, 8, laddr - ENTRY, -1, 0xcf9b00);
      cpu.r[EIP] = ENTRY;
      return blocks.find();
    };
    /** Addresses noted since it was asked last. */
    const noted = (): number[] => {
      const found = Array.from(code.all!, (entry) => Math.floor(entry / CODE_RANGE));
      code.clear();
      return found;
    };
    return { blocks, at, noted };
  }

  it('is noted at each when it is found there, and once in an era while it is found in one place', () => {
    const { blocks, at, noted } = twice();
    expect(at(LOW)).toBe(at(HIGH));
    expect(noted()).toEqual([LOW, HIGH]);
    at(HIGH);
    expect(noted()).toEqual([]);
    at(LOW);
    expect(noted()).toEqual([LOW]);
    blocks.beginEra();
    at(LOW);
    expect(noted()).toEqual([LOW]);
  });

  it('is noted at each when its translation is tried there', () => {
    const { blocks, at, noted } = twice();
    const block = at(LOW);
    const training = new Translation(
      0,
      [block],
      () => 0,
      () => 0,
    );
    const tried = (laddr: number): number[] => {
      at(laddr);
      noted();
      blocks.noteEntered(block, training);
      return noted();
    };
    expect([tried(LOW), tried(LOW), tried(HIGH), tried(LOW)]).toEqual([[LOW], [], [HIGH], [LOW]]);
    blocks.beginEra();
    expect(tried(LOW)).toEqual([LOW]);
  });

  it('is noted once when it has been given a translation since it was', () => {
    const { blocks, at, noted } = twice();
    const block = at(LOW);
    noted();
    blocks.noteEntered(block, null);
    expect(noted()).toEqual([]);
    block.era = -1;
    blocks.noteEntered(block, null);
    blocks.noteEntered(block, null);
    expect(noted()).toEqual([LOW]);
  });
});
