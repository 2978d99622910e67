// Oracle: reference engine (an abstract interpreter of the generated programs)
import { describe, expect, it } from 'vitest';
import { Random } from '../jit/random-code.js';
import { Assembler, profileProgram } from './guest-program.js';

const SEED = Number(process.env.SEED ?? 20261121);
const FUNCTIONS = 12;

/** What a function does, in order. */
type Step =
  | { readonly kind: 'nops'; readonly count: number }
  | { readonly kind: 'loop'; readonly turns: number }
  | { readonly kind: 'call' | 'tail'; readonly to: number };

function randomFunctions(random: Random): Step[][] {
  return Array.from({ length: FUNCTIONS }, (_, k) => {
    const later = (): number => k + 1 + random.below(FUNCTIONS - k - 1);
    const steps = Array.from({ length: 1 + random.below(6) }, (): Step => {
      const kind = random.below(3);
      if (kind === 0 && k < FUNCTIONS - 1) return { kind: 'call', to: later() };
      return kind === 1 ? { kind: 'loop', turns: 1 + random.below(40) } : { kind: 'nops', count: 1 + random.below(5) };
    });
    return k > 0 && k < FUNCTIONS - 1 && random.chance(20) ? [...steps, { kind: 'tail', to: later() }] : steps;
  });
}

function assemble(functions: readonly Step[][]): Assembler {
  const a = new Assembler();
  a.label('main').call('f0').jmp('main');
  functions.forEach((steps, k) => {
    a.label(`f${k}`);
    for (const step of steps) {
      if (step.kind === 'nops') a.nops(step.count);
      // mov ecx,turns; dec ecx; jnz
      else if (step.kind === 'loop') a.put(0xb9, step.turns, 0, 0, 0, 0x49, 0x75, 0xfd);
      else if (step.kind === 'call') a.call(`f${step.to}`);
      else a.jmp(`f${step.to}`);
    }
    if (steps.at(-1)?.kind !== 'tail') a.ret();
  });
  return a;
}

/** Instructions by stack of one turn of main. */
function expectation(functions: readonly Step[][]): Record<string, number> {
  const stacks: Record<string, number> = {};
  const count = (stack: string, n: number): void => {
    stacks[stack] = (stacks[stack] ?? 0) + n;
  };
  const run = (caller: string, k: number): void => {
    const stack = `${caller};f${k}`;
    for (const step of functions[k]!) {
      if (step.kind === 'nops') count(stack, step.count);
      else if (step.kind === 'loop') count(stack, 1 + 2 * step.turns);
      else {
        count(stack, 1);
        run(step.kind === 'call' ? stack : caller, step.to);
      }
    }
    if (functions[k]!.at(-1)?.kind !== 'tail') count(stack, 1);
  };
  count('main', 2);
  run('main', 0);
  return stacks;
}

describe('generated programs', () => {
  it('have the stacks, loops and TBs that they were made with, in every JIT mode', () => {
    for (let k = 0; k < 12; k++) {
      const random = new Random(SEED + k);
      const functions = randomFunctions(random);
      const expected = expectation(functions);
      const turn = Object.values(expected).reduce((a, b) => a + b, 0);
      const turns = Math.max(1, Math.floor(30_000 / turn));
      const scaled = Object.fromEntries(Object.entries(expected).map(([stack, n]) => [stack, n * turns]));
      const slices = Array.from({ length: 10 }, () => 1 + random.below(2000));
      for (const jit of ['off', 'on', 'force'] as const) {
        const { data, stacks } = profileProgram(assemble(functions), { instructions: turn * turns, symbols: true, jit, slices });
        expect(stacks, `seed ${SEED + k}, ${jit}`).toEqual(scaled);
        expect(data.instructions).toBe(turn * turns);
        const blocks = data.blocks.reduce((sum, b) => sum + b.instructions, 0);
        expect(blocks, `seed ${SEED + k}, ${jit}`).toBe(turn * turns);
      }
    }
  });
});
