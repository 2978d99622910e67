import { MachineWorker } from '../machine/machine-worker.js';
import type { Diagnosis } from './diagnose.js';
import type { VerifiedRecording } from './segment.js';
import type { ExplainTask, SegmentReply, SegmentTask, VerifyWorkerData } from './worker.js';

/** A segment is tried again once when its worker dies. */
const ATTEMPTS = 2;

export interface CrewOptions {
  readonly workers: number;
  /** MiB of JavaScript objects. */
  readonly workerHeap?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The workers of a verification. They load their modules and build their machines at once, before it is known what they are to run. */
export class Crew {
  private readonly threads: readonly MachineWorker[];
  private readonly prepared: readonly Promise<void>[];
  /** Instruction counts, by worker; shared. */
  private readonly view: Float64Array;
  private readonly signal: AbortSignal | undefined;

  constructor(recording: VerifiedRecording, { workers, workerHeap, signal }: CrewOptions) {
    const worker = new URL('./worker.js', import.meta.url);
    const places = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * workers);
    this.view = new Float64Array(places);
    this.signal = signal;
    this.threads = Array.from({ length: workers }, (_, number) => {
      const workerData: VerifyWorkerData = { recording, number, places };
      return new MachineWorker({ worker, workerData, heap: workerHeap, signal });
    });
    // One that cannot is tried again with its first segment, and counted there.
    this.prepared = this.threads.map(async (thread) => {
      await thread.run('prepare', null).catch(() => {});
    });
  }

  /** How many they are. */
  get size(): number {
    return this.threads.length;
  }

  /** The verification was asked to end. */
  get isStopped(): boolean {
    return this.signal?.aborted ?? false;
  }

  /** Instruction count of each. */
  places(): number[] {
    return [...this.view];
  }

  /** Has a worker run a segment. Null: stopped. A worker does not listen meanwhile: the signal ends it. */
  async run(worker: number, task: SegmentTask): Promise<SegmentReply | null> {
    await this.prepared[worker];
    let failure = '';
    for (let n = 0; n < ATTEMPTS && !this.isStopped; n++) {
      try {
        return (await this.threads[worker]!.run('segment', task)) as SegmentReply;
      } catch (e) {
        failure = (e as Error).message;
      }
    }
    return this.isStopped ? null : { refused: `its worker ended ${ATTEMPTS} times: ${failure}` };
  }

  /** Has one of them find the place where a segment goes wrong. Rejects with what the worker died of. */
  async explain(task: ExplainTask): Promise<Diagnosis> {
    return (await this.threads[0]!.run('explain', task)) as Diagnosis;
  }

  /** Ends the workers from a number on. */
  async end(from = 0): Promise<void> {
    await Promise.all(this.threads.slice(from).map((thread) => thread.close()));
  }
}
