import type { AsyncEvent, ShutdownCause } from '../src/core/machine-view.js';

/** One event of a log as a replaying session sees it; INSTRUCTION events are folded into the positions of the others. */
export type ReplayEvent =
  | { kind: 'interrupt' }
  | { kind: 'exception' }
  | { kind: 'checkpoint'; id: number }
  | { kind: 'clock'; id: number; ns: bigint }
  /** @property checkpoint in the older generation the checkpoint it was drained under, else null */
  | { kind: 'async'; checkpoint: number | null; event: AsyncEvent }
  | { kind: 'char-write'; result: number; offset: number }
  | { kind: 'random'; result: number; bytes: Uint8Array }
  | { kind: 'audio-out'; played: number }
  /** @property samples 16 bytes for each recorded frame: left, then right, big-endian */
  | { kind: 'audio-in'; recorded: number; writePosition: number; samples: Uint8Array }
  | { kind: 'shutdown'; cause: ShutdownCause }
  | { kind: 'end' }
  /** The log stops without END: a recording that was cut off. */
  | { kind: 'cut' }
  /** An event that this machine has no device for. */
  | { kind: 'other'; name: string };

/** A place in a log between two events, from which it can be read on without its beginning. */
export interface LogPosition {
  /** File offset of the next event. */
  readonly offset: number;
  /** Instructions executed up to the event before. */
  readonly icount: number;
  /** Events before it, INSTRUCTION events included. */
  readonly events: number;
}

/** Reads a log event by event. */
export interface EventSource {
  /** The event due next. */
  readonly current: ReplayEvent;
  /** Instruction count at which it is due. */
  readonly icount: number;
  /** Events consumed so far, INSTRUCTION events included. */
  readonly consumed: number;
  /** Two INSTRUCTION events stood in a row before the current event, or one counted 0 (our recorder never writes that). */
  readonly oddInstruction: boolean;
  advance(): void;
  /** Behind the last consumed event. */
  readonly position: LogPosition;
  /** Goes on from a position of this log. Throws UserError when it cannot be one. */
  seek(position: LogPosition): void;
}

/** An event in the words of a divergence report. */
export function describeEvent(e: ReplayEvent): string {
  switch (e.kind) {
    case 'checkpoint':
      return `CHECKPOINT ${CHECKPOINT_NAMES[e.id] ?? e.id}`;
    case 'clock':
      return `CLOCK ${e.id === 0 ? 'host' : 'virtual_rt'} ${e.ns}`;
    case 'async':
      return `ASYNC ${e.event.kind}`;
    case 'char-write':
      return `CHAR_WRITE (${e.result}, ${e.offset})`;
    case 'random':
      return `RANDOM of ${e.bytes.length} bytes`;
    case 'audio-out':
      return `AUDIO_OUT of ${e.played} frames`;
    case 'audio-in':
      return `AUDIO_IN of ${e.recorded} frames`;
    case 'shutdown':
      return `SHUTDOWN ${e.cause}`;
    case 'cut':
      return 'no more events (it was cut off)';
    case 'other':
      return e.name;
    default:
      return e.kind.toUpperCase();
  }
}

const CHECKPOINT_NAMES = [
  'CLOCK_WARP_START',
  'CLOCK_WARP_ACCOUNT',
  'RESET_REQUESTED',
  'SUSPEND_REQUESTED',
  'CLOCK_VIRTUAL',
  'CLOCK_HOST',
  'CLOCK_VIRTUAL_RT',
  'INIT',
  'RESET',
];
