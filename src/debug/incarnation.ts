import type { DebugStops } from '../../jit/x86/debug-stops.js';
import type { EventSource } from '../../replay/event-source.js';
import type { Session } from '../../replay/session.js';
import type { MachineStatus } from '../core/debug-target.js';
import type { PcMachine } from '../machine/pc.js';

/** A machine under a debugger, with the session that runs it. Going back in a replay makes a new one. */
export interface Incarnation {
  readonly machine: PcMachine;
  readonly session: Session;
  /** The log that is replayed; null: the machine is live. */
  readonly events: EventSource | null;
  close(): void;
}

/** What an incarnation asks of its debugger while it runs. */
export interface Reins {
  readonly stops: DebugStops;
  /** Between slices: whether to stand still now. */
  paused(): boolean;
  /** What the guest writes to the outside at this instruction count has been seen before. */
  alreadyShown(icount: number): boolean;
}

/** Makes machines for a debugger. */
export interface Incarnator {
  readonly mode: MachineStatus['mode'];
  readonly filename: string | null;
  /** A machine at its first instruction. */
  begin(reins: Reins): Incarnation;
}
