import type { Timer } from './timers.js';

/** Virtual time, from the instruction count: (icount << shift) + bias. The only time a device sees besides Nondet's. */
export interface Clock {
  /** Nanoseconds of virtual time now; exact inside port and MMIO handlers (the accessing instruction counts itself). */
  nowNs(): number;
  /** A timer on the virtual clock. */
  timer(label: string, callback: () => void): Timer<number>;
}

/** The wall clock as the guest's RTC sees it. Every `nowNs` is one non-deterministic read (a CLOCK event of the log). */
export interface HostClock {
  /** UTC nanoseconds since 1970. */
  nowNs(): bigint;
  timer(label: string, callback: () => void): Timer<bigint>;
}
