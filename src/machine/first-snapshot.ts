import type { EventSink } from '../../replay/event-sink.js';
import type { Session } from '../../replay/session.js';
import type { Job } from './job.js';
import type { PcMachine } from './pc.js';
import { SnapshotStore } from './snapshot-store.js';

/** `rrsnapshot=` of a recording: the machine before its first instruction. Throws UserError. */
export function takeFirstSnapshot(
  { log, snapshots }: Pick<Job, 'log' | 'snapshots'>,
  machine: PcMachine,
  session: Session,
  sink: EventSink,
): void {
  if (log === null || !snapshots?.first) return;
  sink.flush();
  SnapshotStore.orNew(snapshots.store).save(snapshots.first, machine, session, log, Date.now());
}
