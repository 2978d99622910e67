import { performance } from 'node:perf_hooks';
import type { CheckpointMoment } from '../../replay/checkpoints/store-writer.js';
import type { Session } from '../../replay/session.js';
import { checkpointSpaces, OwedCopies } from './capture-checkpoint.js';
import { checkpointsPath, inputPlaces } from './checkpoint-files.js';
import type { CheckpointInterval } from './checkpoint-interval.js';
import { type CheckpointSummary, CheckpointThread } from './checkpoint-thread.js';
import type { MachineConfig } from './config.js';
import { FootprintCollector } from './footprint-collector.js';
import type { InputFile } from './input-paths.js';
import type { PcMachine } from './pc.js';
import { ProcessorWait } from './processor-wait.js';
import { recordingIdentity } from './recording-identity.js';
import { saveMachine } from './saved-machine.js';
import { USUAL_LIMITS } from './watched-bytes.js';

/** Copied in one go while a recording waits: about 0.1 ms. */
const PORTION_PAGES = 128;

/** What checkpoints cost and gave, as a run's summary tells it. */
export interface CheckpointReport extends CheckpointSummary {
  /** For how long the machine stood still for them: altogether, and for the longest. Not what it waited meanwhile for a processor that others had, which it does without checkpoints as well. */
  readonly stoppedMs: number;
  readonly longestMs: number;
  /** The longest as a clock on the wall has it. */
  readonly longestWallMs: number;
}

/** The recording that a store is about. */
export interface CheckpointSubject {
  readonly log: string;
  readonly config: MachineConfig;
  readonly inputs: readonly InputFile[];
}

export interface MakerOptions {
  /** Go on with the store that is there; else a new one takes its place. */
  readonly extend: boolean;
  /** Nobody is in a hurry: copy everything while the machine stands, wait for the thread if need be, and look closely at what is touched. Else the machine goes on, and is copied in portions. */
  readonly atOnce: boolean;
}

/** Makes checkpoints of a running machine, one each interval; see `progressed`. */
export class CheckpointMaker {
  private readonly machine: PcMachine;
  private readonly session: Session;
  private readonly thread: CheckpointThread;
  private readonly interval: NonNullable<CheckpointInterval>;
  private readonly options: MakerOptions;
  private readonly owed: OwedCopies;
  private readonly footprints: FootprintCollector;
  /** Made, but not yet copied whole. */
  private moment: CheckpointMoment | null = null;
  private nextAt = 0;
  /** Host milliseconds. */
  private takenAt = Number.NEGATIVE_INFINITY;
  private lastIcount = -1;
  private stoppedMs = 0;
  private longestMs = 0;
  private longestWallMs = 0;
  private readonly processorWait = new ProcessorWait();

  constructor(
    machine: PcMachine,
    session: Session,
    subject: CheckpointSubject,
    interval: NonNullable<CheckpointInterval>,
    options: MakerOptions,
  ) {
    this.machine = machine;
    this.session = session;
    this.interval = interval;
    this.options = options;
    const { log, config, inputs } = subject;
    this.thread = new CheckpointThread({
      path: checkpointsPath(log),
      extend: options.extend,
      description: { identity: recordingIdentity(log, config, inputs), spaces: checkpointSpaces(machine) },
      inputs: inputPlaces(config, inputs),
      log,
    });
    this.owed = new OwedCopies(machine, (space, number, bytes) => this.thread.put(space, number, bytes));
    this.footprints = new FootprintCollector(
      machine,
      (footprint) => this.thread.addFootprint(footprint),
      options.atOnce ? USUAL_LIMITS : null,
    );
  }

  /** Makes the first checkpoint, of a machine that has not run yet. */
  start(): void {
    this.take();
    if (this.options.atOnce) this.copyAll();
  }

  /**
   * The machine stands between two slices: goes on with a checkpoint, or makes one if one is due.
   * @param beforeTaken called before one is made: the log must hold everything up to here.
   */
  progressed(beforeTaken: () => void): void {
    if (this.footprints.isOpen) this.timed(() => this.footprints.progressed());
    if (this.moment !== null) {
      if (this.thread.ready) this.timed(() => this.copySome());
      return;
    }
    const { icount } = this.machine.engine;
    // Only behind instructions: in the middle of a turn without any, the log's order has more to it than the machine's state.
    if (icount === this.lastIcount) return;
    this.lastIcount = icount;
    if (this.now < this.nextAt || this.isTooSoon() || !(this.options.atOnce ? this.thread.awaitReady() : this.thread.ready)) return;
    this.timed(() => {
      beforeTaken();
      this.take();
      if (this.options.atOnce) this.copyAll();
    });
  }

  /** A guest that executes much in little time would be held up by nothing but checkpoints. */
  private isTooSoon(): boolean {
    if (this.options.atOnce || !('leastMs' in this.interval)) return false;
    return performance.now() - this.takenAt < (this.interval.leastMs ?? 0);
  }

  private timed(action: () => void): void {
    const waitedBefore = this.processorWait.ms;
    const started = performance.now();
    action();
    const wallMs = performance.now() - started;
    const ms = Math.max(0, wallMs - (this.processorWait.ms - waitedBefore));
    this.stoppedMs += ms;
    this.longestMs = Math.max(this.longestMs, ms);
    this.longestWallMs = Math.max(this.longestWallMs, wallMs);
  }

  /** Makes a checkpoint of the machine as it stands; its pages are owed. */
  private take(): void {
    const { icount, parts } = saveMachine(this.machine, this.session);
    this.moment = {
      icount,
      timeNs: this.machine.time.nowNs(),
      position: this.session.save().position,
      items: Object.fromEntries(parts),
    };
    this.footprints.progressedTo(icount);
    this.owed.begin();
    this.lastIcount = icount;
    this.nextAt = this.now + this.every;
    this.takenAt = performance.now();
  }

  private copySome(): void {
    this.owed.copySome(PORTION_PAGES);
    if (!this.owed.isEmpty || this.moment === null) return;
    this.thread.add(this.moment);
    this.moment = null;
  }

  private copyAll(): void {
    while (this.moment !== null && this.thread.awaitReady()) this.copySome();
  }

  private get every(): number {
    return 'guestNs' in this.interval ? this.interval.guestNs : this.interval.instructions;
  }

  private get now(): number {
    return 'guestNs' in this.interval ? this.machine.time.nowNs() : this.machine.engine.icount;
  }

  /** Where `progressed` is to be called next, in instructions from now; Infinity when only time will tell. */
  get distance(): number {
    if (this.footprints.isOpen) return 1;
    const left = Math.max(0, this.nextAt - this.now);
    return 'guestNs' in this.interval ? Math.ceil(left / this.machine.time.nsPerInstruction) : left;
  }

  /** Why no more can be made; null: they can. */
  get failure(): string | null {
    return this.thread.failure;
  }

  /** The disk is full: has the store removed, for the log to grow; false: that is of no use, it is gone already. */
  giveUp(): boolean {
    return this.thread.giveUp();
  }

  /** Waits until all are written. */
  finish(): CheckpointReport {
    this.copyAll();
    this.footprints.finish();
    this.processorWait.close();
    const { stoppedMs, longestMs, longestWallMs } = this;
    return { ...this.thread.finish(), stoppedMs, longestMs, longestWallMs };
  }
}
