import { existsSync, rmSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Conversion, convertLog } from '../../replay/log/convert.js';
import type { LogFormat } from '../../replay/log/tables.js';
import { UserError } from '../core/errors.js';
import { hashFile } from './hash-file.js';
import type { InputFile } from './input-paths.js';
import { readSidecar, type Sidecar, type SidecarContents, type StagedSidecar, sidecarPath, stageSidecar } from './sidecar.js';

/** Converts a log together with its LOG.json, if it has one. A LOG.json that `to` had belongs to the old `to`, and goes with it. */
export function convertRecording(from: string, to: string, format: LogFormat): Conversion {
  const sidecar = readSidecar(from);
  if (sidecar?.final !== undefined && hashFile('log', from).sha256 !== sidecar.final.log)
    throw new UserError('option-mismatch', `${from} is not the log that ${sidecarPath(from)} describes (SHA-256 differs)`);
  let staged: StagedSidecar | null = null;
  try {
    const done = convertLog(from, to, format, (part, { eventsWritten }) => {
      if (sidecar !== null) staged = stageSidecar(to, adapted(sidecar, from, to, format, part, eventsWritten));
      rmSync(sidecarPath(to), { force: true });
    });
    (staged as StagedSidecar | null)?.commit();
    return done;
  } catch (e) {
    (staged as StagedSidecar | null)?.discard();
    throw e;
  }
}

/** Where a file of the recording is: as a replay looks for it. */
function place(from: string, { path, fromLog, absolute }: InputFile): string {
  const beside = resolve(dirname(from), fromLog ?? path);
  return existsSync(beside) ? beside : (absolute ?? resolve(path));
}

/** The same machine, inputs and end; another log in another place. */
function adapted(sidecar: Sidecar, from: string, to: string, logFormat: LogFormat, part: string, events: number): SidecarContents {
  const { machine, inputs, final } = sidecar;
  const folder = dirname(resolve(to));
  return {
    machine,
    inputs: inputs.map((input) => ({ ...input, fromLog: relative(folder, place(from, input)) })),
    logFormat,
    ...(final === undefined ? {} : { final: { ...final, events, log: hashFile('log', part).sha256 } }),
  };
}
