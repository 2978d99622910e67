import { DivergenceError, UserError } from '../src/core/errors.js';
import type { AsyncEvent, ShutdownCause } from '../src/core/machine-view.js';
import type { AudioInRequest, RecordedFrames } from '../src/core/nondet.js';
import { samplesFromLog } from './audio-samples.js';
import { describeEvent, type EventSource, type LogPosition, type ReplayEvent } from './event-source.js';
import {
  CLOCK_HOST,
  CLOCK_VIRTUAL_RT,
  CP_CLOCK_HOST,
  CP_CLOCK_VIRTUAL,
  CP_CLOCK_VIRTUAL_RT,
  CP_CLOCK_WARP_ACCOUNT,
  CP_CLOCK_WARP_START,
  CP_INIT,
  CP_RESET,
  CP_RESET_REQUESTED,
  type RunResult,
  Session,
  type StopReason,
} from './session.js';
import { OTHER_EVENT } from './session-state.js';

/** Longest slice between two progress reports, in instructions. */
const REPORT_INTERVAL = 4_000_000;
/** Instructions of the longest TB: more cannot be counted with one. */
const MAX_TB_INSNS = 512;

export interface ReplayOptions {
  readonly shift: number;
  readonly noReboot: boolean;
  /**
   * The log is our own recorder's: every event must be one that its loop writes at that place. Off for QEMU's logs, whose main loop also reads clocks
   * between our events.
   */
  readonly strict: boolean;
  readonly onProgress?: (icount: number, events: number) => void;
  /** Somebody wants the replay to end where it stands. */
  readonly stopRequested?: () => boolean;
  /** What the guest writes to the outside at this instruction count is not shown: somebody has seen it before. */
  readonly alreadyShown?: (icount: number) => boolean;
}

/** Leaves the machine in the middle of what it does: the log was cut off just there. */
export class LogCut extends Error {}

/**
 * Runs a machine from a log. The log decides what happens next: the CPU runs to the instruction where the next event is due, then the event is
 * made to happen. What the machine does on its own (clock reads, exceptions, character output) must be what the log holds.
 */
export class ReplaySession extends Session {
  private readonly source: EventSource;
  private readonly options: ReplayOptions;

  constructor(source: EventSource, options: ReplayOptions) {
    super(options.shift);
    this.source = source;
    this.options = options;
  }

  checkpointInit(): void {
    this.expectCheckpoint(CP_INIT);
  }

  checkpointReset(): void {
    this.expectCheckpoint(CP_RESET);
  }

  private expectCheckpoint(id: number): void {
    this.skipShutdowns();
    const e = this.due();
    if (e?.kind !== 'checkpoint' || e.id !== id) this.diverge(`reached ${describeEvent({ kind: 'checkpoint', id })}`);
    this.source.advance();
  }

  hostClockNs(): bigint {
    return this.readClock(CLOCK_HOST, 'read the host clock');
  }

  protected virtualRtNs(): number {
    return Number(this.readClock(CLOCK_VIRTUAL_RT, 'read the virtual_rt clock'));
  }

  private readClock(id: 0 | 1, what: string): bigint {
    const e = this.due();
    if (e?.kind === 'clock' && e.id === id) {
      this.lastClock[id] = e.ns;
      this.source.advance();
    } else if (this.options.strict) this.diverge(what);
    // A read that has no event gets what QEMU's replay gives: the last value.
    return this.lastClock[id];
  }

  random(lengthBytes: number): Uint8Array {
    const e = this.due();
    if (e?.kind !== 'random' || e.bytes.length !== lengthBytes) return this.diverge(`asked for ${lengthBytes} random bytes`);
    this.source.advance();
    return e.bytes;
  }

  charWrite(bytes: Uint8Array, send: (bytes: Uint8Array) => void): number {
    const e = this.due();
    if (e?.kind !== 'char-write') return this.diverge(`wrote characters ${JSON.stringify(String.fromCharCode(...bytes.subarray(0, 16)))}`);
    this.source.advance();
    if (this.options.alreadyShown?.(this.icountNow()) !== true) send(bytes.subarray(0, Math.max(0, Math.min(e.offset, bytes.length))));
    return e.result;
  }

  /** A log may say that fewer were taken; its own recorder's back-ends always take all there is room for. */
  audioOut(frames: number): number {
    const e = this.due();
    const fits = e?.kind === 'audio-out' && e.played <= frames && (e.played === frames || !this.options.strict);
    if (!fits) return this.diverge(`played ${frames} frames (Missing audio out event in the replay log)`);
    this.source.advance();
    return e.played;
  }

  audioIn({ frames, position, ringFrames, room }: AudioInRequest): RecordedFrames {
    const e = this.due();
    if (e?.kind !== 'audio-in') return this.diverge('recorded sound (Missing audio in event in the replay log)');
    const { recorded: count, writePosition } = e;
    const samples = samplesFromLog(e.samples);
    const whole = samples !== null && (samples.length === count * 2 || (samples.length === 0 && count === ringFrames));
    const fits = count <= room && writePosition === (position + count) % ringFrames && (count === frames || !this.options.strict);
    if (!whole || !fits) return this.diverge(`recorded ${frames} frames of sound at ${position} of ${ringFrames}, with room for ${room}`);
    this.source.advance();
    return { count, samples: samples! };
  }

  readonly live = false;

  exceptionRaised(vector: number): void {
    if (this.due()?.kind !== 'exception') this.diverge(`raised exception ${vector}`);
    this.source.advance();
  }

  /** The log knows at which count the exception was seen. */
  override countedBehindTrap(most: number): number {
    const { source } = this;
    const counted = source.icount - this.icountNow();
    return source.current.kind === 'exception' && counted >= 0 && counted < MAX_TB_INSNS ? counted : most;
  }

  interruptAllowed(): boolean {
    return false;
  }

  interruptTaken(): void {
    if (this.due()?.kind !== 'interrupt') this.diverge('took an interrupt');
    this.source.advance();
  }

  requestShutdown(cause: ShutdownCause): void {
    const e = this.due();
    if (this.options.strict) {
      if (e?.kind !== 'shutdown' || e.cause !== cause) this.diverge(`asked for shutdown (${cause})`);
      this.source.advance();
    }
    this.shutdownCause = cause;
    this.machine.engine.kick();
  }

  standing(stop: StopReason = 'signal'): RunResult {
    return {
      stop,
      icount: this.machine === undefined ? 0 : this.machine.engine.icount,
      events: this.source.consumed,
      shutdownCause: this.shutdownCause,
    };
  }

  /** @param events where the run is to stop at `until`: so many events consumed; null: all that are due there. */
  run(until: number | null, events: number | null = null): RunResult {
    let stop: StopReason | null = null;
    while (stop === null) {
      stop = this.options.stopRequested?.() === true ? 'signal' : this.step(until, events);
      this.options.onProgress?.(this.machine.engine.icount, this.source.consumed);
    }
    return this.standing(stop);
  }

  protected get position(): LogPosition {
    return this.source.position;
  }

  protected goOnFrom(position: LogPosition): void {
    this.source.seek(position);
    if (this.source.icount < this.machine.engine.icount)
      throw new UserError('snapshot-corrupt', `saved state of instruction ${this.machine.engine.icount} does not belong to this log`);
  }

  /** The log says when. */
  protected completionDue(): void {}

  /** The current event if it is due now. */
  private due(): ReplayEvent | null {
    return this.source.icount === this.icountNow() ? this.source.current : null;
  }

  private diverge(found: string): never {
    const { source } = this;
    // A recording may be cut off in the middle of what the machine does at one instruction.
    if (this.due()?.kind === 'cut') throw new LogCut();
    throw new DivergenceError(this.icountNow(), `${describeEvent(source.current)} at ${source.icount}`, found);
  }

  /** SHUTDOWN events of QEMU's logs stand wherever the request came in; they are noted in passing. */
  private skipShutdowns(): void {
    for (let e = this.source.current; e.kind === 'shutdown'; e = this.source.current) this.noteShutdown(e.cause);
  }

  /** The first cause counts: every log ends with one more (host-signal). */
  private noteShutdown(cause: ShutdownCause): void {
    this.shutdownCause ??= cause;
    this.source.advance();
  }

  private step(until: number | null, events: number | null): StopReason | null {
    const { engine } = this.machine;
    const distance = this.source.icount - engine.icount;
    if (until !== null && engine.icount >= until) {
      const enough = events !== null && this.source.consumed >= events;
      if (distance > 0 || engine.icount > until || enough) return 'until';
    }
    if (distance > 0) {
      this.execute(Math.min(distance, REPORT_INTERVAL, until === null ? Number.POSITIVE_INFINITY : until - engine.icount));
      return null;
    }
    if (distance < 0) this.diverge(`is already at instruction ${engine.icount}`);
    return this.happen(this.source.current);
  }

  private execute(budget: number): void {
    const { source } = this;
    const { engine } = this.machine;
    if (this.options.strict) this.checkSlice();
    if (engine.halted && !engine.wake()) this.diverge('is halted');
    const before = engine.icount;
    this.cpuSide = true;
    const end = engine.run(budget);
    if (engine.icount !== before) this.previous = null;
    if (end === 'shutdown') this.machine.resetRequested = true;
    const short = source.icount - engine.icount;
    if (end !== 'budget' && end !== 'kick' && short > 0) this.diverge(end === 'halt' ? 'halted' : 'stopped in a triple fault');
  }

  /** Our recorder never lets the CPU run on with a virtual timer overdue, and never splits a run of instructions. */
  private checkSlice(): void {
    if (this.source.oddInstruction) this.diverge('runs without a reason to split its instructions');
    if (this.time.instructionsToDeadline() === 0) this.diverge('has a virtual timer due');
  }

  /** Makes the event that is due happen. */
  private happen(e: ReplayEvent): StopReason | null {
    const before = this.previous;
    this.previous = e.kind === 'checkpoint' ? e.id : OTHER_EVENT;
    this.cpuSide = true;
    switch (e.kind) {
      case 'checkpoint':
        this.source.advance();
        return this.checkpoint(e.id, before);
      case 'async':
        return this.asynchronous(e.checkpoint, e.event);
      case 'interrupt':
        if (!this.machine.engine.wake() || !this.machine.engine.takeInterrupt()) this.diverge('has no interrupt to take');
        return null;
      case 'exception':
        // A sleeping processor has one only in the delivery of the interrupt that wakes it.
        if (!this.machine.engine.wake()) this.diverge('is halted');
        if (!this.machine.engine.provokeException()) this.diverge('executed the instruction without an exception');
        return null;
      case 'clock':
        // QEMU's main loop reads clocks to compute its poll timeout; our recorder does not.
        if (this.options.strict) this.diverge('has no reason to read a clock');
        this.lastClock[e.id === CLOCK_HOST ? 0 : 1] = e.ns;
        this.source.advance();
        return null;
      case 'shutdown':
        this.noteShutdown(e.cause);
        return null;
      case 'end':
        this.source.advance();
        return this.endReason();
      case 'cut':
        return 'end-of-log';
      default:
        return this.diverge('has nothing to do with that event here');
    }
  }

  private endReason(): StopReason {
    if (this.machine.resetRequested) return 'reset';
    return this.shutdownCause === null || this.shutdownCause === 'host-signal' ? 'end-of-log' : 'shutdown';
  }

  private checkpoint(id: number, before: number | null): null {
    this.cpuSide = id === CP_CLOCK_WARP_ACCOUNT || id === CP_CLOCK_VIRTUAL;
    switch (id) {
      case CP_CLOCK_WARP_ACCOUNT:
        this.drain(CP_CLOCK_WARP_ACCOUNT);
        this.accountAtCheckpoint();
        return null;
      case CP_CLOCK_WARP_START:
        if (this.options.strict && before === null) this.diverge('did not begin a turn before it slept');
        this.startWarp();
        return null;
      case CP_CLOCK_VIRTUAL:
        return this.virtualTimer(before);
      case CP_CLOCK_HOST:
        this.drain(id);
        return this.hostTimers();
      case CP_CLOCK_VIRTUAL_RT:
        this.drain(id);
        return this.rtTimers();
      case CP_RESET_REQUESTED:
        // A monitor's reset leaves nothing but checkpoints in the log; our recorder's stands where no guest's can.
        if (this.options.strict && !this.machine.resetRequested && before !== CP_CLOCK_WARP_ACCOUNT) this.diverge('has no reset request');
        this.drain(id);
        this.resetMachine();
        return null;
      default:
        return this.diverge(`has nothing to do at ${describeEvent({ kind: 'checkpoint', id })}`);
    }
  }

  private virtualTimer(before: number | null): null {
    if (this.options.strict && before !== CP_CLOCK_WARP_ACCOUNT && before !== CP_CLOCK_VIRTUAL)
      this.diverge('did not begin a turn before its timers');
    const { time } = this;
    const timer = time.timers.takeDue(time.nowNs());
    if (timer === null) this.diverge(`has no virtual timer due (earliest at ${time.timers.deadline ?? 'never'}, now ${time.nowNs()})`);
    timer!.callback();
    return null;
  }

  private hostTimers(): null {
    const now = this.hostClockNs();
    const { hostTimers } = this.machine;
    for (let t = hostTimers.takeDue(now); t !== null; t = hostTimers.takeDue(now)) t.callback();
    return null;
  }

  private rtTimers(): null {
    const now = this.virtualRtNs();
    const { rtTimers } = this.time;
    for (let t = rtTimers.takeDue(now); t !== null; t = rtTimers.takeDue(now)) t.callback();
    return null;
  }

  /** In the older generation asynchronous events follow the checkpoint they were drained at. */
  private drain(checkpoint: number): void {
    for (let e = this.due(); e?.kind === 'async' && e.checkpoint === checkpoint; e = this.due()) this.asynchronous(e.checkpoint, e.event);
  }

  /** The event is finished before its handler runs, as the handler may log. */
  private asynchronous(checkpoint: number | null, event: AsyncEvent): null {
    if (this.options.strict && checkpoint !== null && checkpoint !== CP_CLOCK_WARP_ACCOUNT)
      this.diverge('drains its queue at another checkpoint');
    this.source.advance();
    if (!this.deliver(event)) this.diverge(`has nothing that waits for the ASYNC ${event.kind} event just passed`);
    return null;
  }
}
