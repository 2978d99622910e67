/**
 * Interrupt requests a controller makes of the processor. The numbers are those of the processor's own request word (jit/x86/cpu.ts, REQUEST_*),
 * so that a board can pass them through.
 */
export const REQUEST_HARD = 1;
export const REQUEST_NMI = 2;
export const REQUEST_SMI = 4;
export const REQUEST_INIT = 8;
export const REQUEST_SIPI = 16;
/** "Look at the local APIC again": made instead of HARD when the change comes from outside the CPU's own thread of events. */
export const REQUEST_POLL = 32;

/** The processor as its interrupt controllers see it. */
export interface CpuRequests {
  raise(requests: number): void;
  lower(requests: number): void;
  /**
   * Whether the present event belongs to the CPU's side of the log (instructions, virtual-clock timers, and, from QEMU 7.1 on, queued input)
   * and not to the main loop's (host-clock and virtual_rt timers, resets, requests before the machine runs).
   */
  onCpuSide(): boolean;
}
