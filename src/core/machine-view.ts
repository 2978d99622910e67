import type { InputEvent } from './nondet.js';
import type { TimerList } from './timers.js';
import type { VirtualTime } from './virtual-time.js';

/** Why an execution slice ended. */
export type SliceEnd = 'budget' | 'halt' | 'kick' | 'shutdown';

/** The processor as a session drives it. Instruction counts are absolute, from the start of the recording. */
export interface Engine {
  /** Instructions executed; exact between slices. */
  readonly icount: number;
  /** The same, exact inside device handlers (the running instruction counts itself). */
  icountNow(): number;
  /** Executes at most `budget` instructions and stops exactly there, or earlier for the reason given; a trap that counts for several goes beyond. */
  run(budget: number): SliceEnd;
  /** Takes one pending interrupt now; false when there is none that can be taken. */
  takeInterrupt(): boolean;
  /** Executes one instruction that must raise an exception without counting; false when it did not. */
  provokeException(): boolean;
  /** Whether a halted CPU has something to wake for; true leaves HLT. */
  wake(): boolean;
  readonly halted: boolean;
  /** Between slices: the state of another moment is in place, and its count goes on from here. */
  setIcount(icount: number): void;
  /** Ends the running slice after the current block. */
  kick(): void;
}

/** Id of the BH event that stands for the power button: no instruction count. QEMU's logs have nothing of a power button. */
export const POWER_BUTTON = Number.MAX_SAFE_INTEGER;

/** Asynchronous events on their way from the outside to a device. */
export type AsyncEvent =
  | { kind: 'bh'; id: number }
  | { kind: 'bh-oneshot'; id: number }
  | { kind: 'input'; event: InputEvent }
  | { kind: 'input-sync' }
  | { kind: 'char-read'; device: number; bytes: Uint8Array }
  | { kind: 'block'; id: number }
  | { kind: 'net'; filter: number; flags: number; bytes: Uint8Array };

/** Why a machine stopped for good; names are QEMU's ShutdownCause. */
export type ShutdownCause =
  | 'none'
  | 'host-error'
  | 'host-qmp-quit'
  | 'host-qmp-system-reset'
  | 'host-signal'
  | 'host-ui'
  | 'guest-shutdown'
  | 'guest-reset'
  | 'guest-panic'
  | 'subsystem-reset'
  | 'snapshot-load';

/** A whole machine as a session drives it. */
export interface MachineView {
  readonly engine: Engine;
  readonly time: VirtualTime;
  readonly hostTimers: TimerList<bigint>;
  /** Hands an asynchronous event to its device; false when the board has nothing that it could be for. */
  deliver(event: AsyncEvent): boolean;
  /** The oldest request of disk 0-3 is done. */
  completeBlock(drive: number): void;
  /** Carries out the software reset of disk channel 0 or 1. */
  resetDiskChannel(channel: number): void;
  /** System reset of all parts. */
  reset(): void;
  /** A reset was requested by the guest (keyboard controller, port 92, port cf9, triple fault). */
  resetRequested: boolean;
}
