import type { DebugStops } from '../../jit/x86/debug-stops.js';
import type { Session } from '../../replay/session.js';
import type { MachineStatus } from '../core/debug-target.js';
import type { PcMachine } from '../machine/pc.js';
import type { Timeline } from '../machine/timeline.js';

/** A machine under a debugger, with the session that runs it. */
export interface Incarnation {
  readonly machine: PcMachine;
  readonly session: Session;
  /** The recording that it replays, to be gone about in; null: the machine is live. */
  readonly timeline: Timeline | null;
  /** What was recorded reaches the log. */
  flush(): void;
  /** The machine was put into a saved state. */
  restored(): void;
  close(): void;
}

/** What an incarnation asks of its debugger while it runs. */
export interface Reins {
  readonly stops: DebugStops;
  /** Between slices: whether to stand still now. */
  paused(): boolean;
  /** Between slices of a replay. */
  progressed(): void;
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

/** Makes a live machine of one that replays. */
export interface GoingLive extends Incarnator {
  /** Ends the old machine. */
  goOn(old: Incarnation, reins: Reins): Incarnation;
}
