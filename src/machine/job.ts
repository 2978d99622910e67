import type { MessagePort } from 'node:worker_threads';
import type { CheckpointInterval } from './checkpoint-interval.js';
import type { CheckpointReport } from './checkpoint-maker.js';
import type { MachineConfig } from './config.js';
import type { InputFile } from './input-paths.js';
import type { RunStatistics } from './run-statistics.js';
import type { SidecarContents } from './sidecar.js';

export type JitMode = 'off' | 'on' | 'force';

/** How a recording ended, as LOG.json keeps it. */
export interface RecordingEnd {
  readonly icount: number;
  readonly events: number;
  readonly digest: string;
  /** SHA-256 of the log. */
  readonly log: string;
}

export interface JobSnapshots {
  /** The qcow2 image. */
  readonly store: string;
  /** The command line names it: it may lie anywhere. */
  readonly given: boolean;
  /** Taken when a recording begins, loaded when a replay does. */
  readonly first: string | null;
  /** Taken when a replay has come to where it was to stop. */
  readonly last: string | null;
}

/** One run of a machine, as the command line hands it to the worker that executes it. */
export interface Job {
  readonly kind: 'run' | 'record' | 'replay';
  readonly config: MachineConfig;
  /** Log to write or read; null for `run`. */
  readonly log: string | null;
  readonly logFormat: '5.2' | '7.2';
  /** LOG.json of a recording as it begins. */
  readonly sidecar?: SidecarContents;
  /** Inputs of a recording that is replayed, as LOG.json has them. */
  readonly inputs?: readonly InputFile[];
  /** Make checkpoints. */
  readonly checkpoints?: CheckpointInterval;
  /** Go to `until` from the nearest checkpoint. */
  readonly seek?: boolean;
  readonly until: number | null;
  readonly jit: JitMode;
  /** Return the picture of the screen at the end. */
  readonly screenshot: boolean;
  /** Count where instructions are executed. */
  readonly statistics?: boolean;
  /** Replay of our own recording: every event must match. A log of QEMU's is followed as QEMU follows it. */
  readonly strict: boolean;
  /** Snapshots to take or load. */
  readonly snapshots?: JobSnapshots;
  /** Replay: leave the log at this instruction count and go on with the host's devices. */
  readonly goLiveAt?: number | null;
  /** How the recording ended, to compare with; null: unknown. */
  readonly final: RecordingEnd | null;
  /** See ControlBlock. */
  readonly control: SharedArrayBuffer;
}

/** What the worker needs to start: the job and the port its requests come through. */
export interface WorkerStart {
  readonly job: Job;
  readonly requests: MessagePort;
}

/** Memory shared between the command line and the running machine. */
export class ControlBlock {
  static readonly BYTES = 64;
  private readonly flags: Int32Array;
  private readonly numbers: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.flags = new Int32Array(buffer, 0, 4);
    this.numbers = new Float64Array(buffer, 32, 4);
  }

  /** Main thread: there are new requests on the port. */
  notify(): void {
    Atomics.add(this.flags, 0, 1);
    Atomics.notify(this.flags, 0);
  }

  /** Worker: a counter that changes with every notify. */
  get generation(): number {
    return Atomics.load(this.flags, 0);
  }

  /** Worker: sleeps until notified after `generation` or the time is over (milliseconds; Infinity: for ever). */
  sleep(generation: number, milliseconds: number): void {
    Atomics.wait(this.flags, 0, generation, milliseconds);
  }

  /** Worker: instructions executed, events, and the instruction count at the end (0 if not known). */
  report(icount: number, events: number, total: number): void {
    this.numbers[0] = icount;
    this.numbers[1] = events;
    this.numbers[2] = total;
  }

  get progress(): { icount: number; events: number; total: number } {
    return { icount: this.numbers[0]!, events: this.numbers[1]!, total: this.numbers[2]! };
  }
}

/** A divergence, in a form that crosses threads. */
export interface DivergenceReport {
  readonly icount: number;
  readonly expected: string;
  readonly found: string;
}

export interface JobResult {
  readonly icount: number;
  readonly digest: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly events: number;
  readonly stop: 'shutdown' | 'reset' | 'end-of-log' | 'until' | 'signal' | 'divergence';
  readonly shutdownCause: string | null;
  /** Value written to isa-debug-exit, or null. */
  readonly exitValue: number | null;
  readonly divergence: DivergenceReport | null;
  readonly wallSeconds: number;
  readonly screen: { readonly width: number; readonly height: number; readonly rgba: Uint8Array } | null;
  readonly statistics?: RunStatistics;
  /** A seek: the instruction count from which it ran. */
  readonly startedAt?: number;
  /** What a user should know, though it changed nothing. */
  readonly warnings?: readonly string[];
  /** Absent: none were asked for. */
  readonly checkpoints?: CheckpointReport;
}

export type WorkerMessage =
  | { kind: 'done'; result: JobResult }
  | { kind: 'user-error'; code: string; message: string }
  | { kind: 'crash'; message: string; stack: string };
