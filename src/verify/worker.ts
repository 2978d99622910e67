import { workerData } from 'node:worker_threads';
import { UserError } from '../core/errors.js';
import { type Diagnosis, diagnose } from './diagnose.js';
import { SegmentExecutor } from './executor.js';
import type { Segment, SegmentOutcome, VerifiedRecording } from './segment.js';

/** What the threads of a pool share. */
export interface VerifyWorkerData {
  readonly recording: VerifiedRecording;
  /** Int32: how many threads have begun. */
  readonly counter: SharedArrayBuffer;
  /** Float64 by thread: instruction count it is at. */
  readonly places: SharedArrayBuffer;
}

/** An outcome, or why the segment cannot be run. */
export type SegmentReply = { readonly outcome: SegmentOutcome } | { readonly refused: string };

const { recording, counter, places } = workerData as VerifyWorkerData;
const me = Atomics.add(new Int32Array(counter), 0, 1);
const place = new Float64Array(places);
const executor = new SegmentExecutor(recording, (icount) => {
  place[me % place.length] = icount;
});

/** Task of the pool: replays one segment and compares. */
export function segment(task: Segment): SegmentReply {
  try {
    return { outcome: executor.run(task, me) };
  } catch (e) {
    if (!(e instanceof UserError)) throw e;
    executor.close();
    return { refused: e.message };
  }
}

/** Task of the pool: finds where a segment goes wrong. */
export function explain({ task, outcome }: { readonly task: Segment; readonly outcome: SegmentOutcome }): Diagnosis {
  executor.close();
  return diagnose(recording, task, outcome);
}
