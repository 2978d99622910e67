import { performance } from 'node:perf_hooks';
import type { Session } from '../../replay/session.js';
import { captureCheckpoint, checkpointSpaces } from './capture-checkpoint.js';
import { checkpointsPath, inputPlaces } from './checkpoint-files.js';
import type { CheckpointInterval } from './checkpoint-interval.js';
import { type CheckpointSummary, CheckpointThread } from './checkpoint-thread.js';
import type { MachineConfig } from './config.js';
import type { InputFile } from './input-paths.js';
import type { PcMachine } from './pc.js';
import { recordingIdentity } from './recording-identity.js';

/** What checkpoints cost and gave, as a run's summary tells it. */
export interface CheckpointReport extends CheckpointSummary {
  /** For how long the machine stood still for them: altogether, and for the longest. */
  readonly stoppedMs: number;
  readonly longestMs: number;
}

/** The recording that a store is about. */
export interface CheckpointSubject {
  readonly log: string;
  readonly config: MachineConfig;
  readonly inputs: readonly InputFile[];
}

/** Makes checkpoints of a running machine, one each interval; see `progressed`. */
export class CheckpointMaker {
  private readonly machine: PcMachine;
  private readonly session: Session;
  private readonly thread: CheckpointThread;
  private readonly interval: NonNullable<CheckpointInterval>;
  private first = true;
  private nextAt = 0;
  private lastIcount = -1;
  private stoppedMs = 0;
  private longestMs = 0;

  /** @param extend go on with the store that is there; else a new one takes its place. */
  constructor(machine: PcMachine, session: Session, subject: CheckpointSubject, interval: NonNullable<CheckpointInterval>, extend = false) {
    this.machine = machine;
    this.session = session;
    this.interval = interval;
    const { log, config, inputs } = subject;
    this.thread = new CheckpointThread({
      path: checkpointsPath(log),
      extend,
      description: { identity: recordingIdentity(log, config, inputs), spaces: checkpointSpaces(machine) },
      inputs: inputPlaces(config, inputs),
      log,
    });
  }

  /**
   * The machine stands between two slices: makes a checkpoint if one is due.
   * @param beforeTaken called before one is made: the log must hold everything up to here.
   */
  progressed(beforeTaken: () => void): void {
    const { icount } = this.machine.engine;
    // Only behind instructions: in the middle of a turn without any, the log's order has more to it than the machine's state.
    if (icount === this.lastIcount) return;
    this.lastIcount = icount;
    if (this.now < this.nextAt || !this.thread.ready) return;
    beforeTaken();
    this.take();
  }

  /** Makes a checkpoint of the machine as it stands. */
  take(): void {
    const started = performance.now();
    this.thread.add(captureCheckpoint(this.machine, this.session, this.first));
    // The first is made before the machine runs.
    if (!this.first) {
      const ms = performance.now() - started;
      this.stoppedMs += ms;
      this.longestMs = Math.max(this.longestMs, ms);
    }
    this.first = false;
    this.lastIcount = this.machine.engine.icount;
    this.nextAt = this.now + this.every;
  }

  private get every(): number {
    return 'guestNs' in this.interval ? this.interval.guestNs : this.interval.instructions;
  }

  private get now(): number {
    return 'guestNs' in this.interval ? this.machine.time.nowNs() : this.machine.engine.icount;
  }

  /** Where the next one is due, in instructions from now; Infinity when only time will tell. */
  get distance(): number {
    const left = Math.max(0, this.nextAt - this.now);
    return 'guestNs' in this.interval ? Math.ceil(left / this.machine.time.nsPerInstruction) : left;
  }

  /** Waits until all are written. */
  finish(): CheckpointReport {
    return { ...this.thread.finish(), stoppedMs: this.stoppedMs, longestMs: this.longestMs };
  }
}
