import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import type { MachineConfig } from './config.js';
import type { JobResult, RecordingEnd } from './job.js';
import { wrongSidecarField } from './sidecar-check.js';

const SIDECAR_VERSION = 1;
const MAX_SIDECAR_BYTES = 1 << 20;

/** A file the machine was made from, as it was when recorded. */
export interface InputFile {
  readonly option: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What `LOG.json` beside a log says: which machine and inputs made it, and how the recording ended. */
export interface Sidecar {
  readonly palindrome: number;
  readonly machine: MachineConfig;
  readonly inputs: readonly InputFile[];
  readonly logFormat: '5.2' | '7.2';
  /** Absent while recording, and for a recording that was cut off. */
  readonly final?: RecordingEnd;
}

export function sidecarPath(log: string): string {
  return `${log}.json`;
}

/** Streams a file through SHA-256. */
export function hashFile(option: string, path: string): InputFile {
  const fd = openInput(option, path);
  try {
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(1 << 20);
    let bytes = 0;
    for (let n = readSync(fd, chunk); n > 0; n = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, n));
      bytes += n;
    }
    return { option, path, bytes, sha256: hash.digest('hex') };
  } catch (e) {
    throw new UserError('file-io', `${option} ${path}: ${(e as Error).message}`);
  } finally {
    closeSync(fd);
  }
}

function openInput(option: string, path: string): number {
  try {
    if (!statSync(path).isFile()) throw new UserError('file-not-found', `${option} ${path}: not a regular file`);
    return openSync(path, 'r');
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new UserError('file-not-found', `${option} ${path}: ${(e as NodeJS.ErrnoException).code ?? 'cannot be opened'}`);
  }
}

/** What LOG.json says of the end of a recording. */
export function recordingEnd(log: string, result: Pick<JobResult, 'icount' | 'events' | 'digest'>): RecordingEnd {
  const { icount, events, digest } = result;
  return { icount, events, digest, log: hashFile('log', log).sha256 };
}

/** All files a configuration names, hashed. */
export function hashInputs(config: MachineConfig): InputFile[] {
  const named: [string, string | null][] = [
    ['--bios', config.bios],
    ['--vgabios', config.vgabios],
    ['--kernel', config.kernel],
    ['--initrd', config.initrd],
    ...config.drives.map((d): [string, string] => ['--drive', d.file]),
  ];
  return named.flatMap(([option, path]) => (path === null ? [] : [hashFile(option, path)]));
}

/** Refuses inputs that are not what they were when recorded. */
export function verifyInputs(sidecar: Sidecar): void {
  for (const input of sidecar.inputs) {
    const now = hashFile(input.option, input.path);
    if (now.sha256 !== input.sha256)
      throw new UserError(
        'option-mismatch',
        `${input.option} ${input.path} has changed since the recording: SHA-256 ${now.sha256.slice(0, 16)}..., recorded ${input.sha256.slice(0, 16)}...`,
      );
  }
}

/** Writes LOG.json under a temporary name and renames it into place. */
export function writeSidecar(log: string, sidecar: Omit<Sidecar, 'palindrome'>): void {
  const path = sidecarPath(log);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify({ palindrome: SIDECAR_VERSION, ...sidecar }, null, 2)}\n`);
    renameSync(temporary, path);
  } catch (e) {
    throw new UserError('file-io', `${path}: ${(e as Error).message}`);
  }
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

function checkSidecar(path: string, text: string): Sidecar {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError('sidecar-corrupt', `${path} is not JSON; remove it and give the machine options to replay without it`);
  }
  if ((value as Partial<Sidecar> | null)?.palindrome !== SIDECAR_VERSION)
    throw new UserError('sidecar-corrupt', `${path} is not a palindrome recording description of version ${SIDECAR_VERSION}`);
  const wrong = wrongSidecarField(value);
  if (wrong !== null)
    throw new UserError('sidecar-corrupt', `${path} does not describe a machine: "${wrong}" is missing or not what it must be`);
  return value as Sidecar;
}
