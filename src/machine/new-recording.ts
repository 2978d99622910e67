import { rmSync } from 'node:fs';
import { FileOutput, type LogOutput } from '../../replay/log/output.js';
import { UserError } from '../core/errors.js';
import { checkpointsPath } from './checkpoint-files.js';
import type { CharTarget, MachineConfig, SnapshotConfig } from './config.js';
import { describeInputs, namedInputs } from './input-paths.js';
import type { Job } from './job.js';
import { realPath } from './real-path.js';
import { type SidecarContents, sidecarPath, stageSidecar } from './sidecar.js';
import { refuseSnapshotFile, snapshotFile, snapshotFileFromLog } from './snapshot-files.js';
import { checkSnapshotName } from './snapshot-store.js';

/** The files of a recording: keeps what is written in memory until the machine is built, and only then replaces an older recording of that name. */
export class NewRecording implements LogOutput {
  private held: { bytes: Uint8Array; position: number }[] = [];
  private file: FileOutput | null = null;
  private readonly log: string;
  private readonly sidecar: SidecarContents;
  private readonly makeRoom: () => boolean;

  /** @param makeRoom called when the disk is full; true: it may no longer be */
  constructor(log: string, sidecar: SidecarContents, makeRoom: () => boolean = () => false) {
    this.log = log;
    this.sidecar = sidecar;
    this.makeRoom = makeRoom;
  }

  /**
   * The machine is about to run. An old LOG.json goes before its log does, and the new one comes after the new log has begun:
   * whenever this is cut short, a LOG.json that is there belongs to its log.
   */
  begin(): void {
    const sidecar = stageSidecar(this.log, this.sidecar);
    try {
      this.file = new FileOutput(this.log);
      rmSync(sidecarPath(this.log), { force: true });
      this.file.empty();
      for (const { bytes, position } of this.held) this.file.write(bytes, position);
      this.held = [];
      sidecar.commit();
    } catch (e) {
      sidecar.discard();
      throw e;
    }
  }

  write(bytes: Uint8Array, position: number): void {
    if (this.file === null) {
      this.held.push({ bytes: bytes.slice(), position });
      return;
    }
    try {
      this.file.write(bytes, position);
    } catch (e) {
      if (!(e instanceof UserError) || e.code !== 'disk-full' || !this.makeRoom()) throw e;
      this.file.write(bytes, position);
    }
  }

  close(): void {
    this.file?.close();
  }
}

/** A recording must not be written over what its machine is made from or writes. */
function refuseOverwriting(log: string, config: MachineConfig): void {
  const outputs: (readonly [string, CharTarget])[] = config.serial.map((t) => ['--serial', t] as const);
  if (config.debugcon !== null) outputs.push(['--debugcon', config.debugcon.target]);
  const named = [...namedInputs(config), ...outputs.flatMap(([option, t]) => (t.kind === 'file' ? [{ option, path: t.path }] : []))];
  for (const written of [log, sidecarPath(log), checkpointsPath(log)])
    for (const { option, path } of named)
      if (realPath(path) === realPath(written))
        throw new UserError('bad-option', `${written} is also named by ${option}; give the recording another name`);
}

/** What a recording in LOG needs before its machine is built: LOG.json's contents, and where its snapshots go. Throws UserError for names that cannot be used, or would be written over. */
export function planRecording(
  log: string,
  config: MachineConfig,
  logFormat: SidecarContents['logFormat'],
  asked: SnapshotConfig | undefined,
): { readonly sidecar: SidecarContents; readonly snapshots: NonNullable<Job['snapshots']> } {
  refuseOverwriting(log, config);
  const store = snapshotFile(log, asked?.file ?? null, null);
  const first = asked?.first ?? null;
  if (first) checkSnapshotName(first);
  if (asked !== undefined) refuseSnapshotFile(store, log, config, true);
  const sidecar = {
    machine: config,
    inputs: describeInputs(config, log),
    logFormat,
    ...(asked === undefined ? {} : { snapshots: snapshotFileFromLog(log, store) }),
  };
  return { sidecar, snapshots: { store, given: true, first, last: null } };
}
