import { knownPages } from '../machine/checkpoint-files.js';
import { MachineWorker } from '../machine/machine-worker.js';
import type { Diagnosis } from './diagnose.js';
import { Lanes } from './lanes.js';
import { planVerification } from './plan.js';
import { isWrong, type Segment, type SegmentOutcome, type VerifiedRecording } from './segment.js';
import type { SegmentReply, SegmentTask, VerifyWorkerData } from './worker.js';

/** A segment is tried again once when its worker dies. */
const ATTEMPTS = 2;

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

/** Replays all segments of a recording, several at a time, and compares each with the checkpoint at its end. */
export async function verify(recording: VerifiedRecording, options: VerifyOptions): Promise<VerifyResult> {
  const started = performance.now();
  const { segments, warnings, knownSources: needed } = planVerification(recording);
  const workers = Math.max(1, Math.min(options.workers, segments.length));
  const places = new SharedArrayBuffer(8 * workers);
  const worker = new URL('./worker.js', import.meta.url);
  const threads = Array.from({ length: workers }, (_, number) => {
    const workerData: VerifyWorkerData = { recording, number, places };
    return new MachineWorker({ worker, workerData, heap: options.workerHeap, signal: options.signal });
  });
  const outcomes: SegmentOutcome[] = [];
  const findings: Finding[] = [];
  const lanes = new Lanes(segments, workers);
  const view = new Float64Array(places);
  const tell = (): void => options.onProgress?.([...view], outcomes.length, segments.length);
  tell();
  const progress = setInterval(tell, 200);
  const isOver = (): boolean => options.signal?.aborted ?? false;
  // While the workers load their modules.
  const reading = knownPages(recording.config, recording.inputs).share(needed, options.signal);
  const runLane = async (lane: number): Promise<void> => {
    // One that does not begin is tried again with its first segment, and counted there.
    await threads[lane]!.run('ready', null).catch(() => {});
    const knownSources = await reading;
    for (let segment = lanes.next(lane); segment !== null && !isOver(); segment = lanes.next(lane)) {
      const reply = await attempt(threads[lane]!, { segment, knownSources }, isOver);
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
    const wallSeconds = (performance.now() - started) / 1000;
    findings.sort((a, b) => a.segment.number - b.segment.number);
    const explained = await explainFirst(threads[0]!, findings, isOver);
    const spent = outcomes.reduce((sum, o) => sum + o.milliseconds, 0) / 1000;
    return {
      instructions: outcomes.filter((o) => !isWrong(o)).reduce((sum, o) => sum + o.instructions, 0),
      segments: segments.length,
      verified: outcomes.filter((o) => !isWrong(o)).length,
      workers,
      wallSeconds,
      speedUp: spent / wallSeconds,
      outcomes: outcomes.toSorted((a, b) => a.number - b.number),
      findings: explained,
      warnings,
      stopped: isOver(),
    };
  } finally {
    clearInterval(progress);
    await Promise.all(threads.map((t) => t.close()));
  }
}

/** Null: stopped. A worker does not listen while its segment runs: the signal ends it. */
async function attempt(thread: MachineWorker, task: SegmentTask, isOver: () => boolean): Promise<SegmentReply | null> {
  let failure = '';
  for (let n = 0; n < ATTEMPTS && !isOver(); n++) {
    try {
      return (await thread.run('segment', task)) as SegmentReply;
    } catch (e) {
      failure = (e as Error).message;
    }
  }
  return isOver() ? null : { refused: `its worker ended ${ATTEMPTS} times: ${failure}` };
}

/** The first place where the recording is left is the one that matters. */
async function explainFirst(thread: MachineWorker, findings: Finding[], isOver: () => boolean): Promise<Finding[]> {
  const first = findings.findIndex((f) => f.outcome !== null);
  const finding = findings[first];
  if (finding === undefined || isOver()) return findings;
  try {
    const task = { task: finding.segment, outcome: finding.outcome };
    const diagnosis = (await thread.run('explain', task)) as Diagnosis;
    return findings.with(first, { ...finding, diagnosis });
  } catch (e) {
    if (isOver()) return findings;
    return findings.with(first, { ...finding, failure: `looking for the place failed: ${(e as Error).message}` });
  }
}
