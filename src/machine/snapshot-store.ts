import { existsSync, renameSync, rmSync } from 'node:fs';
import type { Session } from '../../replay/session.js';
import { FileLock } from '../block/file-lock.js';
import { HostFile } from '../block/host-file.js';
import { createQcow2 } from '../block/qcow2/create.js';
import { readHeader } from '../block/qcow2/qcow2-image.js';
import { Qcow2Store } from '../block/qcow2/qcow2-store.js';
import { readSnapshots, type SnapshotEntry } from '../block/qcow2/snapshot-table.js';
import { UserError } from '../core/errors.js';
import type { PcMachine } from './pc.js';
import { restoreMachine, saveMachine } from './saved-machine.js';
import { decodeVmState, encodeVmState } from './vm-state.js';

/** QEMU's longest. */
const MAX_NAME_BYTES = 255;
const NEW_DISK_BYTES = 1 << 20;
/** Whoever writes is done soon: a snapshot takes a second or two. */
const PATIENCE_MS = 5000;

/** Snapshots of machines in a qcow2 image that no guest uses (QEMU's savevm, loadvm, delvm). The image is opened for each of them; one process writes at a time. */
export class SnapshotStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes an empty image where there is none. */
  static orNew(path: string): SnapshotStore {
    if (!existsSync(path))
      locked(path, () => {
        if (existsSync(path)) return;
        const temporary = `${path}.${process.pid}.tmp`;
        rmSync(temporary, { force: true });
        createQcow2(temporary, { sizeBytes: NEW_DISK_BYTES });
        renameSync(temporary, path);
      });
    return new SnapshotStore(path);
  }

  /** In the order of the image. Throws UserError. */
  list(): readonly SnapshotEntry[] {
    return this.open('r', (file) => readSnapshots(file, readHeader(file)).entries);
  }

  /**
   * Takes a snapshot between two slices (see saveMachine); one of that name is replaced at the moment the new one is whole.
   * @param log the recording; what it holds up to now must have been flushed. Null: the machine is not recorded
   * @param nowMs the date, milliseconds since 1970
   * @throws UserError
   */
  save(name: string, machine: PcMachine, session: Session, log: string | null, nowMs: number): SnapshotEntry {
    checkSnapshotName(name);
    return this.open('r+', (file) => {
      const store = new Qcow2Store(file, null);
      const saved = saveMachine(machine, session);
      const seconds = Math.floor(nowMs / 1000);
      const what = {
        name,
        dateSeconds: seconds,
        dateNanoseconds: Math.floor((nowMs - seconds * 1000) * 1e6),
        vmClockNs: machine.time.nowNs(),
        icount: log === null ? null : saved.icount,
      };
      const entry = store.createSnapshot(what, encodeVmState(saved, machine, log), true);
      file.sync();
      return entry;
    });
  }

  /**
   * Puts a machine that replays `log`, or was never recorded, into a snapshot's state.
   * @param name tag, or id where no tag is the same
   * @throws UserError; when it is 'snapshot-corrupt' the machine may be of no use any more
   */
  load(name: string, machine: PcMachine, session: Session, log: string | null): void {
    const state = this.open('r', (file) => new Qcow2Store(file, null).readVmState(name));
    const bytes = Buffer.from(state.buffer, state.byteOffset, state.byteLength);
    const { saved, areas } = decodeVmState(bytes, machine, log, `snapshot ${name} of ${this.path}`);
    restoreMachine(machine, session, saved, areas);
  }

  /** @param name tag, or id where no tag is the same. Throws UserError when there is none. */
  delete(name: string): void {
    this.open('r+', (file) => {
      new Qcow2Store(file, null).deleteSnapshot(name);
      file.sync();
    });
  }

  private open<T>(access: 'r' | 'r+', use: (file: HostFile) => T): T {
    const opened = (): T => {
      const file = new HostFile(this.path, access);
      try {
        return use(file);
      } finally {
        file.close();
      }
    };
    return access === 'r' ? opened() : locked(this.path, opened);
  }
}

/** Throws UserError for what is no name. */
export function checkSnapshotName(name: string): void {
  if (name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES || /\p{Cc}/u.test(name))
    throw new UserError('bad-option', `a snapshot's name has 1 to ${MAX_NAME_BYTES} bytes and no control characters`);
}

/** Does what writes to an image while nobody else does. Throws UserError when another process goes on writing. */
function locked<T>(path: string, action: () => T): T {
  const lock = FileLock.take(path, PATIENCE_MS);
  try {
    return action();
  } finally {
    lock?.release();
  }
}
