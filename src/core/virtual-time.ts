import type { Clock } from './clock.js';
import type { StatefulPart, StateSchema } from './state.js';
import { type Timer, TimerList } from './timers.js';

/**
 * Virtual time of an instruction-counted machine: (icount << shift) + bias, and the warp that moves the bias while the CPU sleeps.
 * Times in nanoseconds. The session decides when warps start and end; this part holds their state.
 */
export class VirtualTime implements Clock, StatefulPart {
  readonly schema: StateSchema = {
    name: 'virtual-time',
    version: 1,
    fields: { bias: 'int', warpStart: 'int', warpTimer: 'timer' },
  };
  /** Timers of virtual time (devices). */
  readonly timers = new TimerList<number>();
  /** Timers of virtual_rt (only the warp timer on this board). */
  readonly rtTimers = new TimerList<number>();
  /** Nanoseconds one instruction takes. */
  readonly nsPerInstruction: number;
  bias = 0;
  /** virtual_rt when the pending warp began; null: none. Starts at 0, so that the first account sets the bias (as QEMU with a fixed shift). */
  warpStart: number | null = 0;
  readonly warpTimer: Timer<number>;
  private icountNow: () => number = () => 0;

  constructor(shift: number, onWarpTimer: () => void) {
    this.nsPerInstruction = 2 ** shift;
    this.warpTimer = this.rtTimers.create('icount warp', onWarpTimer);
  }

  /** Connects the instruction counter (the engine's, exact inside device handlers). */
  countWith(icountNow: () => number): void {
    this.icountNow = icountNow;
  }

  nowNs(): number {
    return this.icountNow() * this.nsPerInstruction + this.bias;
  }

  timer(label: string, callback: () => void): Timer<number> {
    return this.timers.create(label, callback);
  }

  /** Instructions until the earliest timer is due: 0 when overdue, Infinity when none is armed. */
  instructionsToDeadline(): number {
    const deadline = this.timers.deadline;
    if (deadline === null) return Number.POSITIVE_INFINITY;
    const ns = deadline - this.nowNs();
    return ns <= 0 ? 0 : Math.ceil(ns / this.nsPerInstruction);
  }
}
