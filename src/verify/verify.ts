import { existsSync } from 'node:fs';
import type { KnownSources } from '../../replay/checkpoints/known-pages.js';
import { checkpointsPath, knownPages } from '../machine/checkpoint-files.js';
import { Crew } from './crew.js';
import type { Diagnosis } from './diagnose.js';
import { Lanes } from './lanes.js';
import { type Plan, planVerification } from './plan.js';
import { isWrong, type Segment, type SegmentOutcome, type VerifiedRecording } from './segment.js';

const PROGRESS_MS = 200;
const NOTHING_READ: KnownSources = new Map();

/** A segment that is not what was recorded, or could not be run. */
export interface Finding {
  readonly segment: Segment;
  /** Null: it was not run. */
  readonly outcome: SegmentOutcome | null;
  /** Why it was not run: the checkpoint cannot be used, or the worker died twice. */
  readonly failure: string | null;
  /** Null: not looked for, or not found. */
  readonly diagnosis: Diagnosis | null;
}

export interface VerifyResult {
  readonly instructions: number;
  readonly segments: number;
  /** Segments that are as recorded. */
  readonly verified: number;
  readonly workers: number;
  readonly wallSeconds: number;
  /** Time that the workers spent, added up, by time passed. */
  readonly speedUp: number;
  /** How the segments went that were run, in the order of the recording. */
  readonly outcomes: readonly SegmentOutcome[];
  /** In the order of the recording. */
  readonly findings: readonly Finding[];
  /** What is wrong with the store, though it changed nothing of the result. */
  readonly warnings: readonly string[];
  /** Ended early on request. */
  readonly stopped: boolean;
}

export interface VerifyOptions {
  readonly workers: number;
  /** Instruction count of each worker, and how many segments are done, now and then. */
  readonly onProgress?: (places: readonly number[], done: number, segments: number) => void;
  readonly signal?: AbortSignal;
  /** MiB of JavaScript objects. */
  readonly workerHeap?: number;
}

/** What has become of the segments so far. */
interface Results {
  readonly outcomes: SegmentOutcome[];
  readonly findings: Finding[];
}

/** Replays all segments of a recording, several at a time, and compares each with the checkpoint at its end. */
export async function verify(recording: VerifiedRecording, options: VerifyOptions): Promise<VerifyResult> {
  const started = performance.now();
  // Without checkpoints there is only one segment.
  const most = existsSync(checkpointsPath(recording.log)) ? Math.max(1, options.workers) : 1;
  const crew = new Crew(recording, { ...options, workers: most });
  try {
    const plan = planVerification(recording);
    const { segments, warnings } = plan;
    const workers = Math.min(crew.size, segments.length);
    await crew.end(workers);
    const { outcomes, findings } = await runSegments(crew, workers, recording, plan, options);
    const wallSeconds = (performance.now() - started) / 1000;
    findings.sort((a, b) => a.segment.number - b.segment.number);
    const spent = outcomes.reduce((sum, o) => sum + o.milliseconds, 0) / 1000;
    const asRecorded = outcomes.filter((o) => !isWrong(o));
    return {
      instructions: asRecorded.reduce((sum, o) => sum + o.instructions, 0),
      segments: segments.length,
      verified: asRecorded.length,
      workers,
      wallSeconds,
      speedUp: spent / wallSeconds,
      outcomes: outcomes.toSorted((a, b) => a.number - b.number),
      findings: await explainFirst(crew, findings),
      warnings,
      stopped: crew.isStopped,
    };
  } finally {
    await crew.end();
  }
}

/** Has the first workers of a crew run all segments. */
async function runSegments(
  crew: Crew,
  workers: number,
  { config, inputs }: VerifiedRecording,
  { segments, knownSources }: Plan,
  { onProgress, signal }: VerifyOptions,
): Promise<Results> {
  const outcomes: SegmentOutcome[] = [];
  const findings: Finding[] = [];
  const lanes = new Lanes(segments, workers);
  const tell = (): void => onProgress?.(crew.places().slice(0, workers), outcomes.length, segments.length);
  tell();
  const progress = setInterval(tell, PROGRESS_MS);
  const reading = knownPages(config, inputs).share(knownSources, signal);
  const runLane = async (lane: number): Promise<void> => {
    for (let segment = lanes.next(lane); segment !== null && !crew.isStopped; segment = lanes.next(lane)) {
      // The machine as it is built has all it needs.
      const sources = segment.from === null ? NOTHING_READ : await reading;
      const reply = await crew.run(lane, { segment, knownSources: sources });
      if (reply === null) return;
      if ('refused' in reply) findings.push({ segment, outcome: null, failure: reply.refused, diagnosis: null });
      else {
        outcomes.push(reply.outcome);
        if (isWrong(reply.outcome)) findings.push({ segment, outcome: reply.outcome, failure: null, diagnosis: null });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, (_, lane) => runLane(lane)));
    tell();
    return { outcomes, findings };
  } finally {
    clearInterval(progress);
  }
}

/** The first place where the recording is left is the one that matters. */
async function explainFirst(crew: Crew, findings: Finding[]): Promise<Finding[]> {
  const first = findings.findIndex((f) => f.outcome !== null);
  const finding = findings[first];
  if (finding === undefined || crew.isStopped) return findings;
  try {
    const diagnosis = await crew.explain({ task: finding.segment, outcome: finding.outcome! });
    return findings.with(first, { ...finding, diagnosis });
  } catch (e) {
    if (crew.isStopped) return findings;
    return findings.with(first, { ...finding, failure: `looking for the place failed: ${(e as Error).message}` });
  }
}
