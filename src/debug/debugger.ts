// Longer than most: all ways to move share the few lines that run a machine until something holds it.

import { DebugStops } from '../../jit/x86/debug-stops.js';
import { CS, EIP, SEG_BASE } from '../../jit/x86/regs.js';
import { LogCut } from '../../replay/replay-session.js';
import type { StopReason } from '../../replay/session.js';
import {
  comparePositions,
  type MachineStatus,
  type Motion,
  type Position,
  type Refusal,
  type StopCause,
  type Watchpoint,
} from '../core/debug-target.js';
import { DivergenceError } from '../core/errors.js';
import type { Incarnation, Incarnator } from './incarnation.js';
import { NearbyState } from './nearby-state.js';

const BEGINNING: Position = { icount: 0, deliveries: 0 };

/** When a state is kept on the way to a place that is gone back to, in instructions. */
export interface Keeping {
  /** How far before that place. */
  readonly before: number;
  /** Only on ways of that length. */
  readonly worth: number;
}

/** A million instructions take some 20 ms. */
const KEEPING: Keeping = { before: 1_000_000, worth: 4_000_000 };

/** Where a search backwards has to go. */
interface Found {
  /** Where the engine stopped. */
  readonly position: Position;
  /** Not null: it had just made an access; the place before that is meant. */
  readonly watchpoint: Watchpoint | null;
}

/**
 * Moves a machine about: by steps, to breakpoints, watchpoints and instruction counts, and in a replay backwards. What the guest does never depends on it.
 * Places are those where single steps forward stand: before an instruction that will be executed, or before one that will fault; behind the delivery of an interrupt
 * or exception; not while the processor sleeps.
 */
export class Debugger {
  readonly stops = new DebugStops();
  private readonly incarnator: Incarnator;
  private readonly interrupted: () => boolean;
  private readonly keeping: Keeping;
  private now: Incarnation;
  /** Set once the machine cannot go on. */
  private over: StopCause | null = null;
  private breakpoints: readonly number[] = [];
  private watchpoints: readonly Watchpoint[] = [];
  /** Ascending. */
  private icountBreaks: number[] = [];
  /** How far the guest's output has been shown. */
  private shown = 0;
  private arrived: () => boolean = () => false;
  /** The machine shortly before the place that was gone back to last. */
  private kept: NearbyState | null = null;
  /** It stopped in the middle of something, and can only be made anew. */
  private broken = false;
  private wasInterrupted = false;

  /** @param interrupted called between slices of a running machine: whether somebody asks it to stand still */
  constructor(incarnator: Incarnator, interrupted: () => boolean, keeping = KEEPING) {
    this.incarnator = incarnator;
    this.keeping = keeping;
    this.interrupted = interrupted;
    this.now = this.begin();
  }

  get machine(): Incarnation['machine'] {
    return this.now.machine;
  }

  get session(): Incarnation['session'] {
    return this.now.session;
  }

  get position(): Position {
    const { icount } = this.now.machine.engine;
    return { icount, deliveries: this.stops.deliveriesAt(icount) };
  }

  get status(): Omit<MachineStatus, 'running'> {
    const { mode, filename } = this.incarnator;
    return { mode, filename, position: this.position, breaks: this.icountBreaks };
  }

  /** Linear addresses at which to stop, before the instruction. */
  setBreakpoints(addresses: readonly number[]): void {
    this.breakpoints = addresses;
    this.stops.setBreakpoints(addresses);
  }

  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.watchpoints = watchpoints;
    this.stops.setWatchpoints(this.now.machine.cpu, watchpoints);
  }

  /** Instruction counts at which a replay stops; each one is forgotten when it is reached. */
  setIcountBreaks(icounts: readonly number[]): void {
    this.icountBreaks = [...new Set(icounts)].sort((a, b) => a - b);
  }

  /** Why a motion cannot begin here; null when it can. */
  refusal(motion: Motion): Refusal | null {
    const back = motion.kind === 'reverse-step' || motion.kind === 'reverse-continue';
    if ((back || motion.kind === 'seek') && this.incarnator.mode !== 'play') return 'not-a-replay';
    if (back && comparePositions(this.position, BEGINNING) <= 0) return 'at-the-beginning';
    return null;
  }

  /** Moves, and says why it stopped. */
  move(motion: Motion): StopCause {
    switch (motion.kind) {
      case 'step':
        return this.step();
      case 'continue':
        return this.continue();
      case 'seek':
        return this.seek(motion.icount);
      case 'reverse-step':
        return this.reverseStep();
      case 'reverse-continue':
        return this.reverseContinue();
    }
  }

  close(): void {
    this.now.close();
  }

  private begin(): Incarnation {
    this.over = null;
    this.broken = false;
    this.stops.rearm();
    this.stops.setDeliveries(-1, 0);
    const { stops } = this;
    const incarnation = this.incarnator.begin({
      stops,
      paused: () => this.paused(),
      alreadyShown: (icount) => icount < this.shown,
    });
    stops.setWatchpoints(incarnation.machine.cpu, this.watchpoints);
    return incarnation;
  }

  /** Between slices: whether to stand still. */
  private paused(): boolean {
    const { stops } = this;
    if (this.interrupted()) this.wasInterrupted = true;
    return this.wasInterrupted || stops.pending || stops.atBreakpoint || this.arrived() || this.faultsAtBreakpoint();
  }

  /** The next event is the fault of an instruction with a breakpoint, which no slice executes. */
  private faultsAtBreakpoint(): boolean {
    const { events, machine } = this.now;
    const { stops } = this;
    if (!stops.breaks || events === null || events.current.kind !== 'exception' || events.icount !== machine.engine.icount) return false;
    const { cpu } = machine;
    if (cpu.halted || !stops.isBreakpoint(cpu.r[EIP] + cpu.r[SEG_BASE + CS])) return false;
    stops.atBreakpoint = !stops.passNext;
    stops.passNext = false;
    return stops.atBreakpoint;
  }

  /**
   * Runs until `arrived` holds between two slices, the engine stops, somebody interrupts, or the run is over.
   * @param until end of the slices, so that `arrived` is asked there
   */
  private run(until: () => number | null, arrived: () => boolean): StopCause {
    const { stops } = this;
    this.arrived = arrived;
    this.wasInterrupted = false;
    stops.rearm();
    try {
      while (this.over === null && !this.paused()) {
        const limit = until();
        const { stop } = this.now.session.run(limit);
        this.noteEnd(stop);
        if (stop === 'until' && until() === limit) break;
      }
    } catch (e) {
      this.over = failure(e);
      this.broken = true;
    } finally {
      this.arrived = () => false;
      stops.stopAtDelivery = stops.passNext = false;
      this.shown = Math.max(this.shown, this.now.machine.engine.icount);
      this.now.machine.flushOutputs();
    }
    return this.cause();
  }

  private noteEnd(stop: StopReason): void {
    if (stop === 'end-of-log') this.over = { kind: 'log-end' };
    else if (stop === 'shutdown') this.over = { kind: 'shutdown', cause: this.now.session.standing().shutdownCause ?? 'none' };
    else if (stop === 'reset') this.over = { kind: 'shutdown', cause: 'guest-reset' };
    else if (stop === 'signal' && !this.paused()) this.over = { kind: 'shutdown', cause: 'host-signal' };
  }

  private cause(): StopCause {
    const { stops } = this;
    if (stops.touched !== null) return { kind: 'watchpoint', watchpoint: stops.touched };
    if (stops.atBreakpoint) return { kind: 'debug' };
    if (this.over !== null) return this.over;
    return { kind: this.wasInterrupted ? 'paused' : 'debug' };
  }

  private step(): StopCause {
    const start = this.position;
    const { stops } = this;
    stops.passNext = stops.stopAtDelivery = true;
    const until = (): number | null => (this.machine.engine.halted ? null : start.icount + 1);
    return this.run(until, () => !this.machine.engine.halted && comparePositions(this.position, start) > 0);
  }

  private continue(): StopCause {
    const { icount } = this.position;
    const next = this.icountBreaks.find((at) => at >= icount);
    const cause = this.run(
      () => next ?? null,
      () => next !== undefined && this.machine.engine.icount >= next,
    );
    return this.atIcountBreak(cause, next);
  }

  private atIcountBreak(cause: StopCause, next: number | undefined): StopCause {
    if (next === undefined || this.position.icount < next) return cause;
    this.icountBreaks = this.icountBreaks.filter((at) => at !== next);
    return cause.kind === 'debug' && !this.stops.atBreakpoint ? { kind: 'paused' } : cause;
  }

  private seek(icount: number): StopCause {
    const cause = this.goTo({ icount, deliveries: 0 });
    return cause.kind === 'debug' ? { kind: 'paused' } : cause;
  }

  private reverseStep(): StopCause {
    return this.goBefore(this.position);
  }

  private reverseContinue(): StopCause {
    const end = this.position;
    const { kept } = this;
    if (kept !== null && !this.broken && comparePositions(kept.position, end) < 0) {
      this.restore(kept);
      const found = this.scan(end);
      if (found === 'interrupted') return this.giveUp(end);
      if (found !== null) return this.goToFound(found);
    }
    this.rewind();
    const found = this.scan(end);
    return found === 'interrupted' ? this.giveUp(end) : this.goToFound(found);
  }

  /** As if nobody had asked to go back. */
  private giveUp(end: Position): StopCause {
    this.goTo(end);
    return { kind: 'paused' };
  }

  /** The last place from here to `end`, which is not meant itself, where going forward stops. */
  private scan(end: Position): Found | 'interrupted' | null {
    let found: Found | null = null;
    for (;;) {
      this.stops.passNext = found !== null && found.watchpoint === null && comparePositions(found.position, this.position) === 0;
      const cause = this.run(
        () => end.icount,
        () => comparePositions(this.position, end) >= 0,
      );
      if (this.wasInterrupted || cause.kind === 'failed') return 'interrupted';
      const { position } = this;
      if (this.stops.touched !== null) found = { position, watchpoint: this.stops.touched };
      else if (this.stops.atBreakpoint && comparePositions(position, end) < 0) found = { position, watchpoint: null };
      if (comparePositions(position, end) >= 0 || this.over !== null) return found;
    }
  }

  private goToFound(found: Found | null): StopCause {
    if (found === null) {
      this.rewind();
      return { kind: 'log-begin' };
    }
    const { position, watchpoint } = found;
    if (watchpoint === null) return this.goTo(position);
    const cause = this.goBefore(position);
    return cause.kind === 'debug' ? { kind: 'watchpoint', watchpoint } : cause;
  }

  /** Puts the machine to its first instruction. */
  private rewind(): void {
    this.now.close();
    this.now = this.begin();
  }

  private restore(kept: NearbyState): void {
    const { stops } = this;
    kept.restore(this.machine, this.session);
    this.over = null;
    stops.rearm();
    stops.setDeliveries(kept.position.icount, kept.position.deliveries);
  }

  /** Puts the machine to a place at or before another one, from where it is not far; keeps a state on a long way. False: somebody interrupted. */
  private approach(target: Position): boolean {
    const { kept, keeping } = this;
    if (kept !== null && !this.broken && comparePositions(kept.position, target) <= 0) this.restore(kept);
    else this.rewind();
    if (target.icount - this.position.icount < keeping.worth) return true;
    const icount = target.icount - keeping.before;
    this.runFreely(icount, () => this.machine.engine.icount >= icount);
    if (this.wasInterrupted || this.over !== null) return false;
    this.kept = null;
    this.kept = new NearbyState(this.position, this.machine, this.session);
    return true;
  }

  /** Runs without breakpoints and watchpoints. */
  private runFreely(until: number, arrived: () => boolean): StopCause {
    const { stops } = this;
    stops.setBreakpoints([]);
    stops.setWatchpoints(this.machine.cpu, []);
    try {
      return this.run(() => until, arrived);
    } finally {
      stops.setBreakpoints(this.breakpoints);
      stops.setWatchpoints(this.machine.cpu, this.watchpoints);
    }
  }

  private goTo(target: Position): StopCause {
    if (comparePositions(target, this.position) < 0 && !this.approach(target)) return this.cause();
    return this.runFreely(target.icount, () => comparePositions(this.position, target) >= 0);
  }

  /** Goes to the last place before another one. */
  private goBefore(position: Position): StopCause {
    const { icount, deliveries } = position;
    if (deliveries > 0) {
      const cause = this.goTo({ icount, deliveries: deliveries - 1 });
      if (!this.machine.engine.halted || cause.kind !== 'debug') return cause;
    }
    if (icount === 0) return this.goTo(BEGINNING);
    const before = { icount: icount - 1, deliveries: 0 };
    if (comparePositions(this.position, before) > 0 && !this.approach(before)) return this.cause();
    return this.behindEventsAt(icount - 1);
  }

  /** Everything that happens at that instruction count has happened: the next thing is an instruction. */
  private behindEventsAt(icount: number): StopCause {
    let done = false;
    const cause = this.runFreely(icount, () => {
      const { events, machine } = this.now;
      done ||= machine.engine.icount >= icount && (events === null || events.icount > icount);
      return done;
    });
    return cause;
  }
}

function failure(e: unknown): StopCause {
  if (e instanceof LogCut) return { kind: 'log-end' };
  if (e instanceof DivergenceError) return { kind: 'failed', message: e.message };
  throw e;
}
