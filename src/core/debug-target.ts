/** What debuggers and monitors see of a machine. All of it crosses threads, so these are plain values. */

/**
 * A place in the run where a debugger may stand: instructions executed, and how many interrupts and exceptions were delivered since. A stop is before whatever
 * happens next.
 */
export interface Position {
  readonly icount: number;
  readonly deliveries: number;
}

/** Negative, 0 or positive, as `a` comes before, at or behind `b`. */
export function comparePositions(a: Position, b: Position): number {
  return a.icount - b.icount || a.deliveries - b.deliveries;
}

/** A segment register with its hidden part; attributes as in the high doubleword of a descriptor. */
export interface SegmentRegister {
  readonly selector: number;
  readonly base: number;
  /** Bytes, the last one that belongs to it. */
  readonly limit: number;
  readonly attributes: number;
}

/** All registers of an i386; numbers unsigned. */
export interface X86Registers {
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly general: readonly number[];
  readonly eip: number;
  readonly eflags: number;
  /** ES CS SS DS FS GS. */
  readonly segments: readonly SegmentRegister[];
  readonly ldt: SegmentRegister;
  readonly task: SegmentRegister;
  readonly gdtBase: number;
  readonly gdtLimit: number;
  readonly idtBase: number;
  readonly idtLimit: number;
  readonly cr0: number;
  readonly cr2: number;
  readonly cr3: number;
  readonly cr4: number;
  readonly cr8: number;
  readonly efer: number;
  /** DR0 to DR7. */
  readonly debug: readonly number[];
  readonly cpl: number;
  readonly smm: boolean;
  readonly a20: boolean;
  readonly halted: boolean;
  readonly inhibitInterrupts: boolean;
  readonly fpuControl: number;
  /** TOP included. */
  readonly fpuStatus: number;
  /** One bit per physical register R0 to R7, set where it is in use. */
  readonly fpuInUse: number;
  /** R0 to R7: 10 bytes each, little-endian. */
  readonly fpuRegisters: readonly Uint8Array[];
  readonly mxcsr: number;
  /** XMM0 to XMM7, 16 bytes each. */
  readonly xmm: readonly Uint8Array[];
}

/** Accesses that a watchpoint stops at. */
export type WatchKind = 'write' | 'read' | 'access';

/** A range of linear addresses whose accesses a debugger wants to hear of. */
export interface Watchpoint {
  readonly kind: WatchKind;
  /** First byte, unsigned. */
  readonly address: number;
  readonly lengthBytes: number;
}

/** Why a machine that ran stands still now. */
export type StopCause =
  /** A step was made, or a breakpoint of the debugger was met. */
  | { readonly kind: 'debug' }
  | { readonly kind: 'watchpoint'; readonly watchpoint: Watchpoint }
  /** Somebody asked, or an instruction count was reached. */
  | { readonly kind: 'paused' }
  /** The recording begins here, or ends. */
  | { readonly kind: 'log-begin' | 'log-end' }
  /** The machine was switched off, or reset with --no-reboot. */
  | { readonly kind: 'shutdown'; readonly cause: string }
  /** The replay does not follow its log, or something failed. */
  | { readonly kind: 'failed'; readonly message: string };

/** A machine's standing, as `info status` and `info replay` tell it. */
export interface MachineStatus {
  readonly running: boolean;
  /** How it moves; null while it stands still. */
  readonly motion: Motion['kind'] | null;
  readonly mode: 'none' | 'record' | 'play';
  /** The log; null without one. */
  readonly filename: string | null;
  readonly position: Position;
  /** Instruction counts that a replay stops at, ascending. */
  readonly breaks: readonly number[];
}

/** Ways to move. */
export type Motion =
  | { readonly kind: 'continue' | 'step' | 'reverse-continue' | 'reverse-step' }
  | { readonly kind: 'seek'; readonly icount: number };

/** Why a motion could not begin. */
export type Refusal = 'running' | 'not-a-replay' | 'at-the-beginning' | 'out-of-reach';
