// Oracle: self-consistency (a machine restored with a transfer under way ends as the one that was never saved)
import { expect, it } from 'vitest';
import type { Piix3Ide } from '../../devices/storage/piix3-ide.js';
import type { PcMachine } from '../../src/machine/pc.js';
import { restoreMachine, saveMachine } from '../../src/machine/saved-machine.js';
import { temporaryFolder } from '../cli.js';
import { recordDiskDma } from './disk-dma.js';
import { copyAreas, Replaying, type WholeState } from './replaying.js';

/** Saved while it was recorded, whenever a DMA command was waiting for its start bit or its completion. */
const states: WholeState[] = [];
const replayed = recordDiskDma(temporaryFolder(), (machine, session) => {
  if (isUnderWay(machine) && states.at(-1)?.saved.events !== session.save().logEvents)
    states.push({ saved: saveMachine(machine, session), areas: copyAreas(machine) });
});
const { final } = replayed;

function isUnderWay({ parts }: PcMachine): boolean {
  return (parts['piix3-ide'] as Piix3Ide).channels.some(({ busMaster }) => busMaster.waiting);
}

/** A machine that is restored where it stands. */
const SAME = { pages: () => [], chunks: () => [] };

it('a guest that uses DMA does it again', () => {
  const plain = new Replaying(replayed, 'force');
  plain.run(null);
  expect(plain.digest().total).toBe(final.digest);
  expect(plain.machine.overlays.disk0!.clusters.size).toBeGreaterThan(0);
  plain.close();
});

it('it goes on as if nothing had happened when it is saved and restored between the instructions of transfers', () => {
  const machine = new Replaying(replayed, 'off');
  let moments = 0;
  for (let at = 0; at < final.icount; at++) {
    machine.run(at);
    // Each transfer begins with another remainder.
    if (at % 3 !== 0 || !isUnderWay(machine.machine)) continue;
    moments++;
    const chunks = copyAreas(machine.machine).chunks;
    restoreMachine(machine.machine, machine.session, saveMachine(machine.machine, machine.session), { ...SAME, chunks });
  }
  machine.run(null);
  expect(moments).toBeGreaterThan(40);
  expect(machine.digest().total).toBe(final.digest);
  machine.close();
});

it('it goes on from any state that its recording was in with a transfer under way', () => {
  expect(states.length).toBeGreaterThan(8);
  const machine = new Replaying(replayed, 'on');
  for (const state of states.reverse()) {
    machine.restore(state);
    machine.run(null);
    const { icount, events } = state.saved;
    expect([icount, events, machine.digest().total]).toEqual([icount, events, final.digest]);
  }
  machine.close();
});
