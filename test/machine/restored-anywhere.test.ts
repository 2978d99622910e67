// Oracle: self-consistency (a machine restored from any moment ends as the one that was never saved)
import { expect, it } from 'vitest';
import { restoreMachine, type SavedAreas, saveMachine } from '../../src/machine/saved-machine.js';
import { temporaryFolder } from '../cli.js';
import { Replaying } from './replaying.js';
import { recordRestoredAnywhere, recordResumedCode } from './restored-anywhere.js';

const MODES = ['off', 'on', 'force'] as const;

const replayed = recordRestoredAnywhere(temporaryFolder());
const { final } = replayed;

/** Areas of a machine that is restored where it stands, or takes over all memory of another. */
function areasOf(memory: Uint8Array | null): SavedAreas {
  return {
    *pages() {
      for (let at = 0; memory !== null && at < memory.length; at += 4096) yield [at / 4096, memory.subarray(at, at + 4096)];
    },
    chunks: () => [],
  };
}

it.each(MODES)('a guest that sees what TLBs hold does the same with translation %s', (jit) => {
  const plain = new Replaying(replayed, jit);
  plain.run(null);
  expect(plain.digest().total).toBe(final.digest);
  plain.close();
});

it.each(['off', 'force'] as const)(
  'it goes on as if nothing had happened when it is saved and restored again and again (translation %s)',
  (jit) => {
    const machine = new Replaying(replayed, jit);
    for (let at = 0; at < final.icount; at++) {
      machine.run(at);
      restoreMachine(machine.machine, machine.session, saveMachine(machine.machine, machine.session), areasOf(null));
    }
    machine.run(null);
    expect(machine.digest().total).toBe(final.digest);
    machine.close();
  },
);

it('it goes from machine to machine', () => {
  const machines = [new Replaying(replayed, 'off'), new Replaying(replayed, 'force')];
  for (let k = 1; k < 60; k++) {
    const [from, to] = [machines[k % 2]!, machines[(k + 1) % 2]!];
    from.run(Math.floor((final.icount * k) / 60));
    restoreMachine(to.machine, to.session, saveMachine(from.machine, from.session), areasOf(from.machine.memory.u8));
    machines[k % 2] = from;
  }
  const last = machines[0]!;
  last.run(null);
  expect(last.digest().total).toBe(final.digest);
  for (const m of machines) m.close();
});

it.each(MODES)('how long RF stays set does not depend on the code that a machine knows, or on slices (translation %s)', (jit) => {
  const resumed = recordResumedCode(temporaryFolder());
  const saver = new Replaying(resumed, jit);
  for (let at = 0; at < resumed.final.icount; at += 37) {
    saver.run(at);
    const fresh = new Replaying(resumed, jit);
    restoreMachine(fresh.machine, fresh.session, saveMachine(saver.machine, saver.session), areasOf(saver.machine.memory.u8));
    fresh.run(null);
    expect([at, fresh.digest().total]).toEqual([at, resumed.final.digest]);
    fresh.close();
  }
  saver.close();
});
