// Oracle: self-consistency (the interpreter, in one slice)
import { expect, it } from 'vitest';
import type { CpuBoard } from '../../jit/x86/cpu.js';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { EBX, EFLAGS, EIP } from '../../jit/x86/regs.js';
import { bytesOf } from '../x86/tiny-board.js';
import { TestMachine } from './two-machines.js';

const START = 0x1000;
/** 1000h: rdtsc; mov ecx, eax; 1004h: pause; rdtsc; sub eax, ecx; cmp eax, 50; jb 1004h; inc ebx; jmp 1000h */
const BODY = '0f 31 89 c1 f3 90 0f 31 29 c8 83 f8 32 72 f5 43 eb ee';
const END = 60_000;

interface Seen {
  readonly registers: readonly number[];
  readonly times: readonly number[];
  readonly exits: number;
}

/** The clock is the instruction count, as it is for a guest: whenever it is read, it must be exact. */
function wait(jit: JitMode, sliceOf: (icount: number) => number): Seen {
  const machine = new TestMachine();
  const { cpu } = machine;
  const times: number[] = [];
  const clock: Pick<CpuBoard, 'timestampCounter'> = {
    timestampCounter: () => {
      times.push(engine.icountNow());
      return 0xfffff000 + engine.icountNow();
    },
  };
  Object.defineProperty(cpu, 'board', { value: { ...cpu.board, ...clock } });
  machine.memory.u8.set(bytesOf(BODY), START);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  Object.assign(cpu.r, { [EIP]: START, [EFLAGS]: 2 });
  const engine = new Engine(cpu, { jit, hot: 20, statistics: true });
  while (engine.icount < END) engine.run(Math.min(sliceOf(engine.icount), END - engine.icount));
  const tiers = engine.counters === null ? [] : [engine.counters.tb, engine.counters.region];
  const exits = tiers.reduce((sum, tier) => sum + Object.values(tier.exits).reduce((all, n) => all + n, 0), 0);
  return { registers: [...cpu.r.subarray(0, 11)], times, exits };
}

it.each(['on', 'force'] as const)('a loop that waits for time to pass reads the same times wherever slices end, with the JIT %s', (jit) => {
  const expected = wait('off', () => END);
  expect(expected.registers[EBX]).toBeGreaterThan(100);
  for (const length of [1, 997, 10_000, END]) {
    const { registers, times } = wait(jit, (icount) => (length === END ? END : 1 + ((icount * 7919) % length)));
    expect(registers).toEqual(expected.registers);
    expect(times).toEqual(expected.times);
  }
});

it('is not left twice a turn', () => {
  const { exits, times } = wait('on', () => END);
  expect(times.length).toBeGreaterThan(8000);
  expect(exits).toBeLessThan(times.length / 4);
});
