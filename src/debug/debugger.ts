// Longer than most: all ways to move share the few lines that run a machine until something holds it.

import { performance } from 'node:perf_hooks';
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
import { DivergenceError, UserError } from '../core/errors.js';
import type { Moment } from '../machine/timeline.js';
import type { GoingLive, Incarnation, Incarnator, Reins } from './incarnation.js';
import type { Found, Searcher, SearchOutcome, Stretch } from './search.js';
import { Trail, type TrailLimits } from './trail.js';

const BEGINNING: Position = { icount: 0, deliveries: 0 };
/** Looking at so many instructions costs more than asking the searcher. */
const WORTH_ASKING = 200_000_000;
/** Mostly what is looked for is near: so long a search goes on by itself before anybody is asked, who may need seconds to build machines. */
const ALONE_MS = 1500;
const MANY_STOPS = 100;
/** What has fewer instructions is not halved, however often it stops. */
const WORTH_HALVING = 2000;

/** What a debugger may be given besides its machine. */
export interface DebuggerOptions {
  readonly trail?: Partial<TrailLimits>;
  /** Helps to look backwards in recordings with stored checkpoints. */
  readonly searcher?: Searcher;
  /** Searches over fewer instructions are made without its help. */
  readonly worthAsking?: number;
  /** Searches go on without its help so long. */
  readonly aloneMs?: number;
  /** A search that has stopped so often looks at the end of what is left of its stretch first. */
  readonly manyStops?: number;
}

/**
 * Moves a machine about: by steps, to breakpoints, watchpoints and instruction counts, and in a replay backwards. What the guest does never depends on it.
 * Places are those where single steps forward stand: before an instruction that will be executed, or before one that will fault; behind the delivery of an interrupt
 * or exception; not while the processor sleeps.
 */
export class Debugger {
  readonly stops = new DebugStops();
  private incarnator: Incarnator;
  private readonly interrupted: () => boolean;
  private readonly options: DebuggerOptions;
  private now: Incarnation;
  /** Null: the machine is live. */
  private trail: Trail | null = null;
  /** Where a replay begins: events consumed by then. */
  private firstEvents = 0;
  /** Set once the machine cannot go on. */
  private over: StopCause | null = null;
  watchpoints: readonly Watchpoint[] = [];
  /** Ascending. */
  private icountBreaks: number[] = [];
  /** Told of resets, once each. */
  onReset: ((byGuest: boolean) => void) | null = null;
  /** How far the guest's output has been shown. */
  private shown = 0;
  private arrived: () => boolean = () => false;
  /** The machine is not what the log made it: it was written to, or stopped in the middle of something (`broken`). */
  private estranged = false;
  /** It stopped in the middle of something. */
  private broken = false;
  private wasInterrupted = false;
  /** Interruptions are not heeded. */
  private resolute = false;

  private readonly reins: Reins = {
    stops: this.stops,
    paused: () => this.paused(),
    progressed: () => {
      if (!this.estranged) this.trail?.pass();
    },
    alreadyShown: (icount) => icount < this.shown,
  };

  /** @param interrupted called between slices of a running machine: whether somebody asks it to stand still */
  constructor(incarnator: Incarnator, interrupted: () => boolean, options: DebuggerOptions = {}) {
    this.incarnator = incarnator;
    this.options = options;
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

  get status(): Omit<MachineStatus, 'running' | 'motion'> {
    const { mode, filename } = this.incarnator;
    return { mode, filename, position: this.position, breaks: this.icountBreaks };
  }

  /** Linear addresses at which to stop, before the instruction. */
  setBreakpoints(addresses: readonly number[]): void {
    this.stops.setBreakpoints(addresses);
  }

  /** Sets or removes one. */
  changeBreakpoint(address: number, insert: boolean): void {
    this.stops.changeBreakpoint(address, insert);
  }

  get breakpoints(): readonly number[] {
    return this.stops.listBreakpoints();
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

  /** Somebody wrote to registers or memory. */
  altered(): void {
    this.estranged = true;
  }

  /** Whether the machine is what the log made it, and between two slices: what a snapshot may be taken of. */
  get whole(): boolean {
    return !this.estranged;
  }

  /** Puts the machine into the state of a snapshot. When that fails a replay stands where it stood. */
  load(restore: (machine: Incarnation['machine'], session: Incarnation['session']) => void): void {
    const before = this.position;
    const { timeline } = this.now;
    this.estranged = true;
    timeline?.displaced();
    try {
      restore(this.machine, this.session);
      this.now.restored();
    } catch (e) {
      if (timeline !== null) this.goTo(before);
      else if (e instanceof UserError && e.code === 'snapshot-corrupt') this.over = { kind: 'failed', message: e.message };
      throw e;
    }
    this.over = null;
    this.estranged = this.broken = false;
    const { stops, machine } = this;
    stops.rearm();
    stops.setDeliveries(-1, 0);
    stops.setWatchpoints(machine.cpu, this.watchpoints);
  }

  /**
   * A replay was put into a state: finds out how many interrupts and exceptions were delivered at that instruction, by going there once more.
   * @param delivered false: none
   */
  countDeliveries(delivered: (moment: Moment) => boolean): void {
    const { timeline } = this.now;
    const moment = timeline!.moment();
    if (!delivered(moment)) return;
    const { icount, events } = moment;
    this.restoreBefore({ icount, deliveries: 0 });
    this.runFreely(icount, () => timeline!.moment().events >= events && this.machine.engine.icount >= icount);
  }

  /** Leaves the recording: the machine is live from here on. */
  goLive(incarnator: GoingLive): void {
    const { stops } = this;
    if (this.broken)
      throw new UserError('not-supported', 'the replay stopped in the middle of an instruction: go back before it, then go live');
    this.now = incarnator.goOn(this.now, this.reins);
    this.watchResets(this.now);
    this.incarnator = incarnator;
    this.trail = null;
    this.icountBreaks = [];
    this.over = null;
    stops.rearm();
    stops.setWatchpoints(this.machine.cpu, this.watchpoints);
  }

  /** Puts a replay to a place where it has been. */
  returnTo(position: Position): void {
    this.goTo(position);
  }

  /** What was recorded reaches the log. */
  flush(): void {
    this.now.flush();
  }

  close(): void {
    this.now.close();
  }

  private begin(): Incarnation {
    this.over = null;
    this.estranged = this.broken = false;
    this.stops.rearm();
    this.stops.setDeliveries(-1, 0);
    const { stops } = this;
    const incarnation = this.incarnator.begin(this.reins);
    const { timeline } = incarnation;
    this.trail = timeline === null ? null : new Trail(timeline, this.options.trail);
    this.firstEvents = timeline?.moment().events ?? 0;
    stops.setWatchpoints(incarnation.machine.cpu, this.watchpoints);
    this.watchResets(incarnation);
    return incarnation;
  }

  private watchResets({ machine }: Incarnation): void {
    machine.onReset = (byGuest) => {
      if (this.trail === null && this.over?.kind === 'shutdown') this.over = null;
      if (machine.engine.icount >= this.shown) this.onReset?.(byGuest);
    };
  }

  /** Between slices: whether to stand still. */
  private paused(): boolean {
    const { stops } = this;
    if (this.interrupted() && !this.resolute) this.wasInterrupted = true;
    return this.wasInterrupted || stops.pending || stops.atBreakpoint || this.arrived() || this.faultsAtBreakpoint();
  }

  /** The next event is the fault of an instruction with a breakpoint, which no slice executes. */
  private faultsAtBreakpoint(): boolean {
    const { timeline, machine } = this.now;
    const { stops } = this;
    const events = timeline?.events;
    if (!stops.breaks || events === undefined || events.current.kind !== 'exception' || events.icount !== machine.engine.icount)
      return false;
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
      this.estranged = this.broken = true;
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
    else if (stop === 'reset')
      this.over = { kind: 'shutdown', cause: this.machine.resetRequested ? 'guest-reset' : 'host-qmp-system-reset' };
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
    const found = this.searchBefore(end);
    if (found !== 'interrupted' && found !== 'failed') return this.goToFound(found);
    // As if nobody had asked to go back: who interrupted the search does not interrupt this.
    this.resolute = true;
    try {
      this.goTo(end);
    } finally {
      this.resolute = false;
    }
    return { kind: 'paused' };
  }

  /**
   * The last place before another one where going forward stops: looked for in one stretch after the other, from the end backwards. Stretches whose footprints say that there is nothing are
   * left out.
   */
  private searchBefore(end: Position): SearchOutcome {
    const untouched = this.trail!.untouched(this);
    const began = performance.now();
    let to = end;
    for (let asked = false; ; ) {
      const last = to.deliveries > 0 ? to.icount : to.icount - 1;
      const cleared = untouched(last);
      if (cleared < 0) return null;
      if (cleared < last) to = { icount: cleared + 1, deliveries: 0 };
      const from = this.trail!.startBefore(to.icount - 1);
      const alone = asked || performance.now() - began < (this.options.aloneMs ?? ALONE_MS);
      const stretches = alone ? [] : this.storedStretches(to).filter((s) => untouched(s.to.icount - 1) > s.from);
      if (stretches.length > 1) {
        asked = true;
        const found = this.options.searcher!.search(stretches, this);
        if (found !== 'failed') return found;
        continue;
      }
      const found = this.searchIn({ from, to });
      if (found !== null || from < 0) return found;
      to = { icount: from + 1, deliveries: 0 };
    }
  }

  /** The stretches between stored checkpoints, if the last of them ends here, and it is worth asking the searcher. */
  private storedStretches(to: Position): Stretch[] {
    const stored = this.trail!.storedBefore(to.icount);
    if (this.options.searcher === undefined || to.icount < (this.options.worthAsking ?? WORTH_ASKING) || stored.at(-1) !== to.icount - 1)
      return [];
    return stored.map((at, k) => ({ from: stored[k - 1] ?? -1, to: { icount: at + 1, deliveries: 0 } }));
  }

  /**
   * The last place in a stretch where going forward stops. Where it stops very often, what is left is halved, and the later half looked through first: stopping at each of a million places takes minutes.
   */
  searchIn({ from, to }: Stretch): SearchOutcome {
    if (from < 0) this.restoreBefore(BEGINNING);
    else this.restoreBefore({ icount: from + 1, deliveries: 0 });
    if (this.position.icount < from) {
      this.runFreely(from, () => this.machine.engine.icount >= from);
      if (this.wasInterrupted) return 'interrupted';
    }
    const { manyStops = MANY_STOPS } = this.options;
    let atBreakpoint = false;
    let found: Found | null = null;
    for (let stops = 0; ; ) {
      const { position: here } = this;
      // From a breakpoint by a step: each turn of a REP instruction is a place.
      const cause = atBreakpoint ? this.step() : this.runTo(to);
      if (this.wasInterrupted) return 'interrupted';
      if (cause.kind === 'failed') return 'failed';
      const { position } = this;
      const { touched } = this.stops;
      atBreakpoint = touched === null && this.stops.atBreakpoint && comparePositions(position, to) < 0;
      if (atBreakpoint || touched !== null) {
        if (position.icount > from) {
          found = { position, watchpoint: touched };
          this.trail!.pin(position.icount);
        }
        if (++stops >= manyStops && to.icount - position.icount > WORTH_HALVING) {
          return this.searchBehind(Math.max(position.icount - 1, from), to) ?? found;
        }
      }
      const stuck = !atBreakpoint && comparePositions(position, here) === 0;
      if (comparePositions(position, to) >= 0 || this.over !== null || stuck) return found;
    }
  }

  /** `searchIn`, the later half first. The machine stands just behind `from`. */
  private searchBehind(from: number, to: Position): SearchOutcome {
    this.trail!.keep();
    const middle = from + Math.floor((to.icount - from) / 2);
    return this.searchIn({ from: middle, to }) ?? this.searchIn({ from, to: { icount: middle + 1, deliveries: 0 } });
  }

  private runTo(to: Position): StopCause {
    return this.run(
      () => to.icount,
      () => comparePositions(this.position, to) >= 0,
    );
  }

  private goToFound(found: Found | null): StopCause {
    if (found === null) {
      this.restoreBefore(BEGINNING);
      return { kind: 'log-begin' };
    }
    const { position, watchpoint } = found;
    if (watchpoint === null) return this.goTo(position);
    const cause = this.goBefore(position);
    return cause.kind === 'debug' ? { kind: 'watchpoint', watchpoint } : cause;
  }

  /** Makes the machine anew, when there is no other way back. */
  private rewind(): void {
    this.now.close();
    this.now = this.begin();
  }

  /** Puts the machine to a moment before a place, or leaves it where it is, if that is one. How many deliveries there were is only known once an instruction was executed. */
  private restoreBefore({ icount }: Position): void {
    const { timeline } = this.now;
    try {
      const restored =
        icount > 0
          ? timeline!.approach(icount - 1, Number.POSITIVE_INFINITY, this.estranged)
          : timeline!.approach(0, this.firstEvents, this.estranged);
      if (!restored) return;
    } catch (e) {
      if (!(e instanceof UserError)) throw e;
      this.rewind();
      return;
    }
    const { stops } = this;
    this.over = null;
    this.estranged = this.broken = false;
    stops.rearm();
    stops.setDeliveries(-1, 0);
    stops.setWatchpoints(this.machine.cpu, this.watchpoints);
  }

  /** Runs without breakpoints and watchpoints. */
  private runFreely(until: number, arrived: () => boolean): StopCause {
    const { stops } = this;
    stops.suspendBreakpoints();
    stops.setWatchpoints(this.machine.cpu, []);
    try {
      return this.run(() => until, arrived);
    } finally {
      stops.resumeBreakpoints();
      stops.setWatchpoints(this.machine.cpu, this.watchpoints);
    }
  }

  /** Runs to shortly before an instruction count, and keeps moments on the way, the closer the nearer. False: it stopped before. */
  private climb(icount: number): boolean {
    for (const rung of this.trail!.rungs(this.position.icount, icount)) {
      this.runFreely(rung, () => this.machine.engine.icount >= rung);
      if (this.wasInterrupted || this.over !== null) return false;
      this.trail!.keep();
    }
    return true;
  }

  private goTo(target: Position): StopCause {
    const here = this.position;
    if (target.icount !== here.icount || comparePositions(here, target) > 0 || this.estranged) this.restoreBefore(target);
    if (!this.climb(target.icount)) return this.cause();
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
    // An INTO that is taken counts for several instructions: there is no place between them.
    for (let before = icount - 1; ; before--) {
      if (before < 0) return this.goTo(BEGINNING);
      const target = { icount: before, deliveries: 0 };
      if (comparePositions(this.position, target) > 0 || this.estranged) this.restoreBefore(target);
      if (!this.climb(before)) return this.cause();
      const cause = this.behindEventsAt(before);
      if (cause.kind !== 'debug' || comparePositions(this.position, position) < 0) return cause;
    }
  }

  /** Everything that happens at that instruction count has happened: the next thing is an instruction. */
  private behindEventsAt(icount: number): StopCause {
    let done = false;
    const cause = this.runFreely(icount, () => {
      const { timeline, machine } = this.now;
      done ||= machine.engine.icount >= icount && (timeline === null || timeline.events.icount > icount);
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
