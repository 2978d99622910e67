// Oracle: self-consistency
import { beforeEach, describe, expect, it } from 'vitest';
import { guestFault, raiseFault, raiseStatic, UD } from '../../jit/x86/fault.js';
import { EIP, LEFT } from '../../jit/x86/regs.js';
import { EXIT_CAUSES, TierCounters } from '../../jit/x86/tier-counters.js';
import { EXECUTED, JUMPED, packIp } from '../../jit/x86/translate/function-context.js';
import { TestBlock, TestMachine } from './two-machines.js';

let machine: TestMachine;
let counters: TierCounters;
beforeEach(() => {
  machine = new TestMachine();
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  counters = new TierCounters(machine.cpu);
});

const block = (eip: number, bytes: readonly number[]): TestBlock => new TestBlock(bytes, eip, machine.cpu.mode);
/** inc eax; jmp 0x2000 */
const jumping = (): TestBlock => block(0x1000, [0x40, 0xe9, 0xfa, 0x0f, 0, 0]);
/** inc eax; ret */
const returning = (): TestBlock => block(0x1000, [0x40, 0xc3]);

/** Enters a counted function of these TBs once, with 100 instructions left, which executes so many and ends thus. */
function enter(tbs: readonly TestBlock[], executed: number, eip: number, end: () => number): void {
  const { r } = machine.cpu;
  r[LEFT] = 100;
  const counted = counters.counted(() => {
    r[LEFT] = 100 - executed;
    r[EIP] = eip;
    return end();
  }, tbs);
  try {
    counted();
  } catch (e) {
    if (e !== guestFault) throw e;
  }
}

/** The only cause counted. */
function cause(): string[] {
  const { tb, region } = counters;
  return EXIT_CAUSES.flatMap((name) => Array.from({ length: tb.exits[name] + region.exits[name] }, () => name));
}

describe('the counters of generated code', () => {
  it('tell a jump from an indirect one', () => {
    enter([jumping()], 2, 0x2000, () => JUMPED);
    enter([returning()], 2, 0x2000, () => JUMPED);
    expect(cause()).toEqual(['jump', 'indirectJump']);
    expect(counters.tb).toMatchObject({ translated: 2, entries: 2, instructions: 4 });
  });

  it('know a region left by an indirect jump from the addresses that its constants lead to', () => {
    enter([jumping(), block(0x2000, [0x40, 0xc3])], 4, 0x2345, () => JUMPED);
    expect(cause()).toEqual(['indirectJump']);
    expect(counters.region).toMatchObject({ translated: 1, entries: 1, instructions: 4 });
    expect(counters.tb.entries).toBe(0);
  });

  it('know a loop left for its budget, and for an interrupt', () => {
    const loop = block(0x1000, [0x40, 0x40, 0xeb, 0xfc]);
    enter([loop], 99, 0x1000, () => JUMPED);
    machine.cpu.interruptRequest = 1;
    enter([loop], 30, 0x1000, () => JUMPED);
    expect(cause()).toEqual(['budget', 'interrupt']);
    expect(counters.tb.instructions).toBe(129);
  });

  it('count what came before the instruction that the interpreter goes on with', () => {
    enter([jumping(), block(0x2000, [0x40, 0x8b, 0x06, 0xc3])], 2, 0, () => packIp(1, 1));
    expect(cause()).toEqual(['access']);
    expect(counters.region.instructions).toBe(3);
    expect(counters.exitsByInstruction).toEqual({ mov: 1 });
  });

  it('name the instruction left to its own executor', () => {
    enter([block(0x1000, [0x40, 0xec])], 2, 0x1002, () => EXECUTED);
    expect(cause()).toEqual(['executed']);
    expect(counters.exitsByInstruction).toEqual({ in: 1 });
  });

  it('leave out the instruction of a fault that does not count', () => {
    enter([jumping()], 2, 0x1000, () => raiseFault(UD));
    enter([jumping()], 2, 0x1000, () => raiseStatic(UD));
    expect(cause()).toEqual(['fault', 'fault']);
    expect(counters.tb.instructions).toBe(3);
  });
});
