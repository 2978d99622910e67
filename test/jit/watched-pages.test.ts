// Oracle: self-consistency
import { expect, it } from 'vitest';
import { Engine } from '../../jit/x86/engine.js';
import { load8, watchReads, watchWrites } from '../../jit/x86/mmu.js';
import { EFLAGS, EIP } from '../../jit/x86/regs.js';
import { bytesOf } from '../x86/tiny-board.js';
import { TestMachine } from './two-machines.js';

const LOOP = 0x1000;
const COUNTER = 0x3000;
/** More than a translation may be left for devices. */
const TIMES = 2500;

it('a translation is not given up for leaving at pages that are watched anew again and again', () => {
  const machine = new TestMachine();
  const { cpu, memory } = machine;
  // inc dword [3000h]; jmp 1000h
  memory.u8.set(bytesOf('ff 05 00 30 00 00 eb f8'), LOOP);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  Object.assign(cpu.r, { [EIP]: LOOP, [EFLAGS]: 2 });
  const engine = new Engine(cpu, { jit: 'on' });
  engine.run(10_000);
  for (let k = 0; k < TIMES; k++) {
    watchWrites(cpu);
    engine.run(20);
    expect(memory.dirtyPage[COUNTER >> 12]).toBe(1);
  }
  expect(engine.translations!.statistics).toMatchObject({ bailedOut: 0, dropped: 0 });
  expect(memory.dv.getInt32(COUNTER, true)).toBe((10_000 + TIMES * 20) / 2);
});

it.each([0, 3])('a read is marked once behind each watchReads, at CPL %d', (cpl) => {
  const machine = new TestMachine();
  const { cpu } = machine;
  machine.protectedMode(true, cpl, [0, 0, 0, 0, 0, 0]);
  machine.memory.u8[COUNTER] = 7;
  const page = COUNTER >> 12;
  for (let era = 0; era < 3; era++) {
    watchReads(cpu);
    expect(cpu.linearRead[page]).toBe(0);
    expect(load8(cpu, COUNTER)).toBe(7);
    expect(cpu.linearRead[page]).toBe(1);
    // The next ones take the fast path.
    cpu.linearRead[page] = 0;
    expect(load8(cpu, COUNTER)).toBe(7);
    expect(cpu.linearRead[page]).toBe(0);
  }
});
