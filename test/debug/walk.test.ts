// Oracle: self-consistency (a full forward trace by single steps says where every move of a random walk must end).
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { comparePositions, type Watchpoint } from '../../src/core/debug-target.js';
import { digestMachine } from '../../src/core/digest.js';
import { Debugger } from '../../src/debug/debugger.js';
import { ReplayIncarnator } from '../../src/debug/replay-incarnator.js';
import { configure } from '../../src/machine/config.js';
import type { JitMode } from '../../src/machine/job.js';
import { RECORDINGS } from '../cli.js';
import { placeOf, traceAll } from './known-run.js';

/** Altogether. PALINDROME_WALK_MOVES and PALINDROME_WALK_SEED ask for other walks. */
const MOVES = Number(process.env.PALINDROME_WALK_MOVES ?? 10_000);
const SEED = Number(process.env.PALINDROME_WALK_SEED ?? 1);
const MODES = ['off', 'on', 'force'] as const;
const GUESTS = ['t1', 't2', 't3'] as const;

function debug(guest: string, jit: JitMode): Debugger {
  const rom = join(RECORDINGS, guest);
  const config = configure({
    ...{ cpu: 'max', memory: '16M', nodefaults: true, bios: `${rom}.bin`, debugcon: 'null,iobase=0xe9' },
    ...{ noReboot: true, icount: 'shift=7' },
  });
  const job = { kind: 'replay', config, log: `${rom}.rr`, logFormat: '7.2', until: null, jit } as const;
  const trail = { rungs: [800, 150, 40], everyMs: 0, everyInstructions: 30, moments: 12 };
  return new Debugger(new ReplayIncarnator({ ...job, screenshot: false, strict: false, final: null }), () => false, { trail });
}

function digest({ machine }: Debugger): string {
  return digestMachine(machine.parts, machine.memory.u8).total;
}

/** Numbers from 0 up to below `limit`. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

for (const guest of GUESTS)
  describe(`random moves in ${guest}`, () => {
    const tracer = debug(guest, 'off');
    const run = traceAll(tracer);
    tracer.close();
    const { places } = run;
    const accesses = places.flatMap((p) => p.accesses);

    it.for(MODES)(`end where the trace says, with the JIT %s (seed ${SEED})`, (jit) => {
      const random = randomNumbers(SEED);
      const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
      const known = run.again();
      const d = debug(guest, jit);
      const plain = debug(guest, 'off');
      const watch = (): Watchpoint => {
        const { address, size } = pick(accesses);
        return { kind: pick(['read', 'write', 'access'] as const), address: address + random(size), lengthBytes: 1 + random(8) };
      };
      for (let move = 0; move < MOVES / (MODES.length * GUESTS.length); move++) {
        const choice = random(20);
        const from = known.at;
        let name = 'step';
        let ends: readonly unknown[] = [];
        if (choice === 0) {
          known.breakpoints = Array.from({ length: random(4) }, () => pick(places).address);
          d.setBreakpoints(known.breakpoints);
        } else if (choice === 1 && accesses.length > 0) {
          known.watchpoints = Array.from({ length: random(3) }, watch);
          d.setWatchpoints(known.watchpoints);
        } else if (choice < 8) ends = [known.step(), d.move({ kind: 'step' })];
        else if (choice < 14) {
          name = 'reverse-step';
          if (known.at === 0) expect(d.refusal({ kind: 'reverse-step' })).toBe('at-the-beginning');
          else ends = [known.reverseStep(), d.move({ kind: 'reverse-step' })];
        } else if (choice < 16) {
          name = 'seek';
          const { icount } = pick(places.slice(0, -1).filter((p) => p.deliveries === 0));
          ends = [known.seek(icount), d.move({ kind: 'seek', icount })];
        } else if (choice < 18) {
          name = 'continue';
          ends = [known.continue(), d.move({ kind: 'continue' })];
        } else if (known.at > 0) {
          name = 'reverse-continue';
          ends = [known.reverseContinue(), d.move({ kind: 'reverse-continue' })];
        }
        const { icount, deliveries, address } = known.here;
        // Where the run ends the processor may sleep: who continues there has time pass.
        if (move % 16 === 0 && deliveries === 0 && known.at > 0 && known.at < places.length - 1) {
          // Breakpoints, watchpoints and all that was moved about leave no trace in the machine.
          plain.move({ kind: 'seek', icount: known.places[known.at - 1]!.icount });
          while (comparePositions(plain.position, known.here) < 0) plain.move({ kind: 'step' });
          expect([move, digest(d)]).toEqual([move, digest(plain)]);
        }
        expect([move, name, from, ends[1], placeOf(d)]).toEqual([move, name, from, ends[0], { icount, deliveries, address }]);
      }
      d.close();
      plain.close();
    });
  });
