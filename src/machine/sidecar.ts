import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { reason } from '../../replay/log/input.js';
import { UserError } from '../core/errors.js';
import type { MachineConfig } from './config.js';
import { hashFile } from './hash-file.js';
import type { InputFile } from './input-paths.js';
import type { JobResult, RecordingEnd } from './job.js';
import { wrongSidecarField } from './sidecar-check.js';

const SIDECAR_VERSION = 1;
const MAX_SIDECAR_BYTES = 1 << 20;

/** What `LOG.json` beside a log says: which machine and inputs made it, and how the recording ended. */
export interface Sidecar {
  readonly palindrome: number;
  readonly machine: MachineConfig;
  readonly inputs: readonly InputFile[];
  readonly logFormat: '5.2' | '7.2';
  /** The qcow2 image with its snapshots, seen from the folder of the log. */
  readonly snapshots?: string;
  /** Absent while recording, and for a recording that was cut off. */
  readonly final?: RecordingEnd;
}

/** A LOG.json to be written. */
export type SidecarContents = Omit<Sidecar, 'palindrome'>;

export function sidecarPath(log: string): string {
  return `${log}.json`;
}

/** What LOG.json says of the end of a recording. */
export function recordingEnd(log: string, result: Pick<JobResult, 'icount' | 'events' | 'digest'>): RecordingEnd {
  const { icount, events, digest } = result;
  return { icount, events, digest, log: hashFile('log', log).sha256 };
}

/** A LOG.json that is written, but not yet under its name. */
export interface StagedSidecar {
  /** Puts it into its place. */
  commit(): void;
  discard(): void;
}

/** Writes LOG.json under a temporary name. */
export function stageSidecar(log: string, sidecar: SidecarContents): StagedSidecar {
  const path = sidecarPath(log);
  const temporary = `${path}.${process.pid}.tmp`;
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (e) {
      rmSync(temporary, { force: true });
      throw new UserError('file-io', `${path}: ${reason(e)}`);
    }
  };
  attempt(() => writeFileSync(temporary, `${JSON.stringify({ palindrome: SIDECAR_VERSION, ...sidecar }, null, 2)}\n`));
  return { commit: () => attempt(() => renameSync(temporary, path)), discard: () => rmSync(temporary, { force: true }) };
}

/** Writes LOG.json; one that was there stays whole until then. */
export function writeSidecar(log: string, sidecar: SidecarContents): void {
  stageSidecar(log, sidecar).commit();
}

/** Reads LOG.json; null when there is none. */
export function readSidecar(log: string): Sidecar | null {
  const path = sidecarPath(log);
  let text: string;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new UserError('sidecar-corrupt', `${path}: not a regular file`);
    if (stat.size > MAX_SIDECAR_BYTES) throw new UserError('sidecar-corrupt', `${path} is larger than ${MAX_SIDECAR_BYTES} bytes`);
    text = readFileSync(path, 'utf8');
  } catch (e) {
    if (e instanceof UserError) throw e;
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError('file-io', `${path}: ${(e as Error).message}`);
  }
  return checkSidecar(path, text);
}

/**
 * Properties of a machine that were added after the first recordings were made, with what their options mean when they are not given: without them LOG.json is an
 * older one. A machine that was another then diverges, and says so.
 */
const ADDED_LATER: Pick<MachineConfig, 'acpi' | 'hpet' | 'linuxRom' | 'rebootTimeoutMs'> = {
  acpi: true,
  hpet: true,
  linuxRom: null,
  rebootTimeoutMs: null,
};

/** A LOG.json with all properties of today. */
function upToDate(value: unknown): unknown {
  const { machine } = value as { machine?: unknown };
  if (typeof machine !== 'object' || machine === null) return value;
  // The first, for the order: a LOG.json that is written anew stays as it was.
  return { ...(value as object), machine: { ...machine, ...ADDED_LATER, ...machine } };
}

function checkSidecar(path: string, text: string): Sidecar {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError('sidecar-corrupt', `${path} is not JSON; remove it and give the machine options to replay without it`);
  }
  if ((value as Partial<Sidecar> | null)?.palindrome !== SIDECAR_VERSION)
    throw new UserError('sidecar-corrupt', `${path} is not a palindrome recording description of version ${SIDECAR_VERSION}`);
  const whole = upToDate(value);
  const wrong = wrongSidecarField(whole);
  if (wrong !== null)
    throw new UserError('sidecar-corrupt', `${path} does not describe a machine: "${wrong}" is missing or not what it must be`);
  return whole as Sidecar;
}
