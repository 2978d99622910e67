import { type CheckpointMoment, StoreWriter } from '../../replay/checkpoints/store-writer.js';
import { checkpointSpaces, OwedCopies } from '../../src/machine/capture-checkpoint.js';
import { checkpointsPath, knownPages } from '../../src/machine/checkpoint-files.js';
import { FootprintCollector, footprintOf } from '../../src/machine/footprint-collector.js';
import { openReplay } from '../../src/machine/open-replay.js';
import { recordingIdentity } from '../../src/machine/recording-identity.js';
import { saveMachine } from '../../src/machine/saved-machine.js';
import type { Recording } from './scripted.js';

/** Pages of memory and chunks of disks: space, number, bytes. */
type Units = readonly (readonly [string, number, Uint8Array])[];

/** Writes checkpoints of a recording beside it, one each so many instructions up to an end, each as `change` leaves it; with `footprints`, what was touched between them. */
export function addCheckpoints(
  { log, config, format }: Recording,
  every: number,
  end: number,
  change: (moment: CheckpointMoment, units: Units) => void = () => {},
  footprints = false,
): void {
  const { source, session, build } = openReplay({ log, config, logFormat: format, strict: true, jit: 'off' });
  const machine = build();
  const description = { identity: recordingIdentity(log, config, []), spaces: checkpointSpaces(machine) };
  const writer = StoreWriter.create(checkpointsPath(log), description, knownPages(config, []), log);
  let units: [string, number, Uint8Array][] = [];
  const owed = new OwedCopies(machine, (space, number, bytes) => units.push([space, number, bytes.slice()]));
  const collector = new FootprintCollector(machine, (footprint) => footprints && writer.addFootprint(footprintOf(footprint)), null);
  for (let until = 0; until < end; until += every) {
    session.run(until);
    const { icount, parts } = saveMachine(machine, session);
    const moment = { icount, timeNs: machine.time.nowNs(), position: session.save().position, items: Object.fromEntries(parts) };
    collector.checkpoint();
    owed.begin();
    owed.copySome(Number.POSITIVE_INFINITY);
    change(moment, units);
    for (const [space, number, bytes] of units) writer.addUnits(space, Uint32Array.of(number), bytes);
    units = [];
    writer.add(moment);
    session.run(until + 1);
    collector.progressed();
  }
  collector.finish();
  writer.close();
  source.close();
  machine.close();
}
