// Oracle: reference engine (the same engine with translation off)
import { describe, expect, it } from 'vitest';
import { EIP } from '../../jit/x86/regs.js';
import { digestMachine } from '../../src/core/digest.js';
import { Random } from './random-code.js';
import { makeRun, type Run, randomProgram, randomRegisters } from './random-program.js';
import { RAM_BYTES } from './two-machines.js';

const SEED = Number(process.env.SEED ?? 20261121);
const ROUNDS = Number(process.env.ROUNDS ?? 1);

/** Runs to an instruction count in slices of random length. */
function runTo(run: Run, icount: number, random: Random): string {
  while (run.engine.icount < icount) {
    const end = run.engine.run(Math.min(1 + random.below(random.chance(50) ? 20 : 3000), icount - run.engine.icount));
    if (end === 'shutdown' || end === 'halt') return end;
  }
  return 'there';
}

/** Decoded blocks, fewer than a program has. */
const FEW = 40;

describe.each(['on', 'force'] as const)('translation %s', (jit) => {
  it.each([
    [false, false],
    [true, false],
    [true, true],
  ])('makes no difference to programs with faults, devices and changing code; paging %s, full cache of blocks %s', (paging, full) => {
    for (let k = 0; k < 6 * ROUNDS; k++) {
      const random = new Random(SEED + k);
      const program = randomProgram(random);
      const registers = randomRegisters(random);
      const [a, b] = [makeRun('off', program, registers, paging), makeRun(jit, program, registers, paging)];
      if (full) b.engine.blocks.capacity = FEW;
      for (const icount of [37, 500, 4000, 20000]) {
        const ends = [runTo(a, icount, random), runTo(b, icount, random)];
        const label = `seed ${SEED + k}, icount ${icount}, EIP ${a.machine.cpu.r[EIP]!.toString(16)}`;
        expect(ends[1], label).toBe(ends[0]);
        expect(b.machine.state(), label).toEqual(a.machine.state());
        expect(b.machine.deviceLog, label).toEqual(a.machine.deviceLog);
        const digests = [a, b].map(({ machine }) => digestMachine({ cpu: machine.cpu }, machine.memory.u8.subarray(0, RAM_BYTES)));
        expect(digests[1]!.total, label).toBe(digests[0]!.total);
        if (full) expect(b.engine.blocks.statistics().blocks, label).toBeLessThanOrEqual(FEW + 1);
        if (ends[0] !== 'there') break;
      }
    }
  });
});
