import { UserError } from '../core/errors.js';
import { unheardSound } from '../machine/audio-options.js';
import type { MachineConfig } from '../machine/config.js';
import { type InputFile, locateInputs, namedInputs } from '../machine/input-paths.js';
import type { JitMode, RecordingEnd } from '../machine/job.js';
import { wrongSidecarField } from '../machine/sidecar-check.js';
import { SegmentExecutor } from './executor.js';
import { isWrong, type Segment, type SegmentOutcome, type VerifiedRecording } from './segment.js';

const VERSION = 1;
/** Longest job that is looked into. */
export const MAX_JOB_BYTES = 1 << 20;
const JIT_MODES: readonly unknown[] = ['off', 'on', 'force'] satisfies JitMode[];

/**
 * A segment with all that has to be known to run it, as JSON: for executors that share nothing with whoever planned it but files, which may lie elsewhere there (`log`; the inputs are looked
 * for as a replay does, and known by their hashes). See ARCHITECTURE.md, "Checkpoints".
 */
export interface SegmentJob {
  /** Version of this format. */
  readonly segmentJob: number;
  readonly log: string;
  /** As LOG.json has them. */
  readonly machine: MachineConfig;
  readonly inputs: readonly InputFile[];
  readonly logFormat: '5.2' | '7.2';
  /** Absent: unknown. */
  readonly final?: RecordingEnd;
  /** Every event must match. */
  readonly strict: boolean;
  readonly jit: JitMode;
  /** Where an input is, by the name that the machine has for it. */
  readonly places: Readonly<Record<string, string>>;
  readonly segment: Segment;
}

/** The machine of a recording with nobody to hear what it says: it has been said, and several machines would say it at once. */
export function unheard({ serial, debugcon, ...config }: MachineConfig): MachineConfig {
  const target = { kind: 'null' } as const;
  return { ...unheardSound(config), serial: serial.map(() => target), debugcon: debugcon === null ? null : { ...debugcon, target } };
}

export function segmentJob({ config, final, ...recording }: VerifiedRecording, segment: Segment): SegmentJob {
  const { foundAt, channels, unlatchedI8042, snapshots, ...machine } = unheard(config);
  const places = Object.fromEntries(foundAt ?? []);
  return { segmentJob: VERSION, ...recording, machine, ...(final === null ? {} : { final }), places, segment };
}

/** Runs a job, whoever wrote it. Throws UserError when it is none, or what it names is not there. */
export function runSegmentJob(text: string): { readonly outcome: SegmentOutcome; readonly asRecorded: boolean } {
  const { recording, segment } = readSegmentJob(text);
  const executor = new SegmentExecutor(recording, () => {});
  try {
    const outcome = executor.run(segment, 0);
    return { outcome, asRecorded: !isWrong(outcome) };
  } finally {
    executor.close();
  }
}

function readSegmentJob(text: string): { readonly recording: VerifiedRecording; readonly segment: Segment } {
  const job = parse(text);
  const { log, machine, inputs, logFormat, final = null, strict, jit, places, segment } = job;
  for (const { path } of namedInputs(machine))
    if (!inputs.some((input) => input.path === path)) throw refused(`names ${path} without its SHA-256`);
  const foundAt = locateInputs(log, inputs, new Map(), new Map(Object.entries(places)));
  return { recording: { log, config: { ...unheard(machine), foundAt }, inputs, logFormat, final, strict, jit }, segment };
}

function parse(text: string): SegmentJob {
  if (text.length > MAX_JOB_BYTES) throw refused(`is longer than ${MAX_JOB_BYTES} bytes`);
  let job: Partial<SegmentJob> | null;
  try {
    job = JSON.parse(text) as Partial<SegmentJob> | null;
  } catch {
    throw refused('is not JSON');
  }
  if (job?.segmentJob !== VERSION) throw refused(`is not one of version ${VERSION}`);
  const wrong = wrongSidecarField(job) ?? wrongField(job);
  if (wrong !== null) throw refused(`is not whole: "${wrong}" is missing or not what it must be`);
  return job as SegmentJob;
}

function wrongField({ log, strict, jit, places, segment }: Partial<SegmentJob>): string | null {
  if (typeof log !== 'string' || log === '') return 'log';
  if (typeof strict !== 'boolean') return 'strict';
  if (!JIT_MODES.includes(jit)) return 'jit';
  if (!isObject(places) || !Object.values(places).every((place) => typeof place === 'string')) return 'places';
  const wrong = isObject(segment) ? SEGMENT_FIELDS.find(([name, mayBeNull]) => !isCount(segment[name], mayBeNull)) : [''];
  return wrong === undefined ? null : `segment.${wrong[0]}`;
}

/** Names of a segment's fields, and whether they may be null. */
const SEGMENT_FIELDS: readonly (readonly [keyof Segment, boolean])[] = [
  ['number', false],
  ['from', true],
  ['to', true],
  ['fromIcount', false],
  ['toIcount', true],
  ['logFrom', false],
  ['logTo', true],
];

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, mayBeNull: boolean): boolean {
  return (mayBeNull && value === null) || (Number.isSafeInteger(value) && (value as number) >= 0);
}

function refused(why: string): UserError {
  return new UserError('bad-option', `the segment job ${why}`);
}
