import { CS, EIP, SEG_BASE } from '../../jit/x86/regs.js';
import { comparePositions, type Position, type StopCause, type Watchpoint } from '../../src/core/debug-target.js';
import type { Debugger } from '../../src/debug/debugger.js';

interface Access {
  readonly address: number;
  readonly size: number;
  readonly write: boolean;
}

/** A place of a run, and the accesses to memory made on the way to it from the place before. */
export interface Place extends Position {
  /** Linear address of what comes next. */
  readonly address: number;
  readonly accesses: readonly Access[];
  /** What comes next is an interrupt, not the instruction. */
  interrupted: boolean;
}

const EVERYWHERE: Watchpoint = { kind: 'access', address: 0, lengthBytes: 1 << 24 };

/** Where a debugger stands. */
export function placeOf(d: Debugger): Omit<Place, 'accesses' | 'interrupted'> {
  const { r } = d.machine.cpu;
  return { ...d.position, address: (r[EIP]! + r[SEG_BASE + CS]!) >>> 0 };
}

/** Goes through a whole recording by single steps, and writes down where it came. */
export function traceAll(d: Debugger): KnownRun {
  let accesses: Access[] = [];
  const accessed = d.stops.accessed.bind(d.stops);
  d.stops.accessed = (_, laddr, size, write) => void accesses.push({ address: laddr >>> 0, size, write });
  d.setWatchpoints([EVERYWHERE]);
  const { engine } = d.machine;
  const take = engine.takeInterrupt.bind(engine);
  let interrupted = false;
  engine.takeInterrupt = () => {
    interrupted = true;
    return take();
  };
  const places: Place[] = [{ ...placeOf(d), accesses, interrupted }];
  for (;;) {
    accesses = [];
    interrupted = false;
    const last = places.at(-1)!;
    const cause = d.move({ kind: 'step' });
    const place = { ...placeOf(d), accesses, interrupted: false };
    last.interrupted = interrupted && place.icount === last.icount;
    const moved = comparePositions(place, last) > 0;
    if (moved) places.push(place);
    if (cause.kind === 'debug') continue;
    d.stops.accessed = accessed;
    d.setWatchpoints([]);
    return new KnownRun(places, cause, moved);
  }
}

/** What a debugger must do, as a trace of the whole run tells it. */
export class KnownRun {
  readonly places: readonly Place[];
  breakpoints: readonly number[] = [];
  watchpoints: readonly Watchpoint[] = [];
  /** Index of the place where it stands. */
  at = 0;
  private readonly end: StopCause;
  private readonly overAtLast: boolean;

  /**
   * @param end why a run to the end stops
   * @param overAtLast it is over where it comes to the last place, not with what comes next
   */
  constructor(places: readonly Place[], end: StopCause, overAtLast: boolean) {
    this.places = places;
    this.end = end;
    this.overAtLast = overAtLast;
  }

  /** From its beginning once more. */
  again(): KnownRun {
    return new KnownRun(this.places, this.end, this.overAtLast);
  }

  private get isLast(): boolean {
    return this.at === this.places.length - 1;
  }

  get here(): Place {
    return this.places[this.at]!;
  }

  private touched({ accesses }: Place): Watchpoint | null {
    for (const { address, size, write } of accesses)
      for (const w of this.watchpoints)
        if (w.kind !== (write ? 'read' : 'write') && address + size > w.address && address < w.address + w.lengthBytes) return w;
    return null;
  }

  private isBreakpoint({ address, interrupted }: Place): boolean {
    return !interrupted && this.breakpoints.includes(address);
  }

  step(): StopCause {
    if (this.isLast) return this.end;
    const watchpoint = this.touched(this.places[++this.at]!);
    if (watchpoint !== null) return { kind: 'watchpoint', watchpoint };
    return this.isLast && this.overAtLast ? this.end : { kind: 'debug' };
  }

  continue(): StopCause {
    for (;;) {
      if (!(this.isLast && this.overAtLast) && this.isBreakpoint(this.here)) return { kind: 'debug' };
      const cause = this.step();
      if (cause.kind !== 'debug') return cause;
    }
  }

  reverseStep(): StopCause {
    this.at--;
    return { kind: 'debug' };
  }

  reverseContinue(): StopCause {
    for (; this.at > 0; this.at--) {
      const watchpoint = this.touched(this.here);
      if (watchpoint !== null) {
        this.at--;
        return { kind: 'watchpoint', watchpoint };
      }
      if (this.isBreakpoint(this.places[this.at - 1]!)) return this.reverseStep();
    }
    return { kind: 'log-begin' };
  }

  /** Only to instruction counts at which the processor does not sleep. */
  seek(icount: number): StopCause {
    this.at = this.places.findIndex((p) => p.icount >= icount);
    return { kind: 'paused' };
  }
}
