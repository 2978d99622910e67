import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import type { MachineConfig } from './config.js';
import { namedInputs } from './input-paths.js';
import { realPath } from './real-path.js';
import { type Sidecar, sidecarPath } from './sidecar.js';

/** Where the snapshots of a recording are: where the command line says, else where LOG.json says, else beside the log. */
export function snapshotFile(log: string, given: string | null, sidecar: Pick<Sidecar, 'snapshots'> | null): string {
  if (given !== null) return given;
  return sidecar?.snapshots === undefined ? `${log}.qcow2` : resolve(dirname(log), sidecar.snapshots);
}

/** How LOG.json names them, so that it finds them when the folder was moved. */
export function snapshotFileFromLog(log: string, file: string): string {
  return relative(dirname(resolve(log)), resolve(file));
}

/**
 * Refuses to write snapshots into what is none of ours to write: the recording itself, what its machine is made from, and what a LOG.json
 * made by a stranger names elsewhere.
 * @param given the command line names the file
 */
export function refuseSnapshotFile(file: string, log: string, config: MachineConfig, given: boolean): void {
  for (const path of [log, sidecarPath(log), ...namedInputs(config).map((n) => config.foundAt?.get(n.path) ?? n.path)])
    if (realPath(path) === realPath(file))
      throw new UserError('bad-option', `${file} cannot take snapshots: the recording needs it as it is`);
  const way = relative(realPath(dirname(resolve(log))), realPath(file));
  if (!given && (way.startsWith('..') || isAbsolute(way)))
    throw new UserError('bad-option', `${sidecarPath(log)} names ${file}, outside its folder, for snapshots; --store ${file} allows that`);
}
