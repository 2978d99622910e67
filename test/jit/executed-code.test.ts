// Oracle: reference engine (single steps, translation off, say what every stretch executed)
import { describe, expect, it } from 'vitest';
import { CODE_RANGE, ExecutedCode } from '../../jit/x86/executed-code.js';
import { CS, EIP, SEG_BASE } from '../../jit/x86/regs.js';
import { Random } from './random-code.js';
import { makeRun, type Run, randomProgram, randomRegisters } from './random-program.js';

const SEED = Number(process.env.SEED ?? 20261121);
const END = 6000;

/** Linear address of the next instruction. */
function place({ machine }: Run): number {
  const { r } = machine.cpu;
  return (r[EIP]! + r[SEG_BASE + CS]!) >>> 0;
}

/** By icount: addresses at which an instruction was about to be executed; those of faults stand at the same icount. */
function trace(run: Run): number[][] {
  const places: number[][] = [];
  while (run.engine.icount < END) {
    places[run.engine.icount] ??= [];
    places[run.engine.icount]!.push(place(run));
    const end = run.engine.run(1);
    if (end === 'shutdown' || end === 'halt') break;
  }
  return places;
}

/** Whether an address was noted. */
function isNoted(code: ExecutedCode, address: number): boolean {
  return code.all!.some((entry) => {
    const from = Math.floor(entry / CODE_RANGE);
    return address >= from && address < from + (entry % CODE_RANGE);
  });
}

describe.each(['off', 'on', 'force'] as const)('what was executed since the last look, translation %s', (jit) => {
  it('has all that single steps see', () => {
    for (let k = 0; k < 6; k++) {
      const random = new Random(SEED + k);
      const program = randomProgram(random);
      const registers = randomRegisters(random);
      const places = trace(makeRun('off', program, registers, k % 2 === 0));
      const run = makeRun(jit, program, registers, k % 2 === 0, 4);
      const { engine } = run;
      const code = new ExecutedCode();
      engine.blocks.executed = code;
      while (engine.icount < Math.min(END, places.length - 1)) {
        engine.blocks.beginEra();
        code.clear();
        const from = engine.icount;
        for (let n = 1 + random.below(3); n > 0; n--) engine.run(1 + random.below(random.chance(80) ? 30 : 300));
        const within = new Set(places.slice(from, Math.min(engine.icount, END)).flat());
        const missing = [...within].filter((address) => !isNoted(code, address));
        expect(missing, `seed ${SEED + k}, ${from} to ${engine.icount}`).toEqual([]);
      }
    }
  });
});
