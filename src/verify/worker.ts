import { workerData } from 'node:worker_threads';
import type { KnownSources } from '../../replay/checkpoints/known-pages.js';
import { UserError } from '../core/errors.js';
import { type Diagnosis, diagnose } from './diagnose.js';
import { SegmentExecutor } from './executor.js';
import type { Segment, SegmentOutcome, VerifiedRecording } from './segment.js';

/** What a thread of the pool starts with. */
export interface VerifyWorkerData {
  readonly recording: VerifiedRecording;
  /** Which of them it is. */
  readonly number: number;
  /** Shared; Float64 by thread: instruction count it is at. */
  readonly places: SharedArrayBuffer;
}

/** An outcome, or why the segment cannot be run. */
export type SegmentReply = { readonly outcome: SegmentOutcome } | { readonly refused: string };

const { recording, number, places } = workerData as VerifyWorkerData;
const place = new Float64Array(places);
const executor = new SegmentExecutor(recording, (icount) => {
  place[number] = icount;
});

export interface SegmentTask {
  readonly segment: Segment;
  /** In shared memory: what all workers need of the inputs. */
  readonly knownSources: KnownSources;
}

/** Task of the pool: builds the machine, while it is not known yet what it is to run. */
export function prepare(): void {
  executor.prepare();
}

/** Task of the pool: replays one segment and compares. */
export function segment(task: SegmentTask): SegmentReply {
  try {
    const outcome = executor.run(task.segment, number, task.knownSources);
    place[number] = outcome.icount;
    return { outcome };
  } catch (e) {
    if (!(e instanceof UserError)) throw e;
    executor.close();
    return { refused: e.message };
  }
}

export interface ExplainTask {
  readonly task: Segment;
  readonly outcome: SegmentOutcome;
}

/** Task of the pool: finds where a segment goes wrong. */
export function explain({ task, outcome }: ExplainTask): Diagnosis {
  executor.close();
  return diagnose(recording, task, outcome);
}
