import { existsSync } from 'node:fs';
import { EventKind } from '../../replay/log/kinds.js';
import { openLog } from '../../replay/log/reader.js';
import type { Session } from '../../replay/session.js';
import { UserError } from '../core/errors.js';
import type { Job } from '../machine/job.js';
import type { PcMachine } from '../machine/pc.js';
import { refuseSnapshotFile } from '../machine/snapshot-files.js';
import { SnapshotStore } from '../machine/snapshot-store.js';
import type { SnapshotEntry } from '../machine/snapshot-table.js';
import type { Moment } from '../machine/timeline.js';

/** QEMU's words. */
const NOWHERE = 'no block device can store vmstate for snapshot';

/** What monitors do with the snapshots of the machine that runs: savevm, loadvm, delvm, info snapshots. All throw UserError. */
export class MachineSnapshots {
  private readonly job: Omit<Job, 'control'>;

  constructor(job: Omit<Job, 'control'>) {
    this.job = job;
  }

  list(): readonly SnapshotEntry[] {
    const { store } = this.room();
    return existsSync(store) ? new SnapshotStore(store).list() : [];
  }

  has(name: string): boolean {
    return this.job.snapshots !== undefined && find(this.list(), name) !== undefined;
  }

  /** Between two slices; what the log holds up to now has been flushed. */
  save(name: string, machine: PcMachine, session: Session): void {
    SnapshotStore.orNew(this.writable()).save(name, machine, session, this.job.log, Date.now());
  }

  load(name: string, machine: PcMachine, session: Session): void {
    new SnapshotStore(this.room().store).load(name, machine, session, this.job.log);
  }

  /** One that is not there is none to be deleted: QEMU says nothing either. */
  delete(name: string): void {
    if (this.job.snapshots !== undefined && find(this.list(), name) !== undefined) new SnapshotStore(this.writable()).delete(name);
  }

  /** The snapshot of that tag or id, in QEMU's words when there is none. */
  named(name: string): SnapshotEntry {
    const found = find(this.list(), name);
    if (found === undefined) throw new UserError('file-not-found', `Snapshot '${name}' does not exist in one or more devices`);
    return found;
  }

  /** Whether an interrupt or exception stands in the log at the instruction of a moment, before it. */
  deliveriesBefore({ icount, events }: Moment): boolean {
    const { log, logFormat } = this.job;
    const cursor = openLog(log!, { unfinishedAs: logFormat });
    try {
      while (cursor.next() && cursor.index < events)
        if (cursor.icount === icount && (cursor.kind === EventKind.INTERRUPT || cursor.kind === EventKind.EXCEPTION)) return true;
      return false;
    } finally {
      cursor.close();
    }
  }

  private room(): NonNullable<Job['snapshots']> {
    const { snapshots } = this.job;
    if (snapshots === undefined) throw new UserError('not-supported', NOWHERE);
    return snapshots;
  }

  private writable(): string {
    const { store, given } = this.room();
    const { log, config } = this.job;
    if (log !== null) refuseSnapshotFile(store, log, config, given);
    return store;
  }
}

function find(entries: readonly SnapshotEntry[], name: string): SnapshotEntry | undefined {
  return entries.find((e) => e.name === name) ?? entries.find((e) => e.id === name);
}
