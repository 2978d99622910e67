import type { AsyncEvent } from '../../src/core/machine-view.js';
import type { InputEvent } from '../../src/core/nondet.js';
import { EventKind, type LogShutdownCause, SHUTDOWN_CAUSES } from './kinds.js';
import type { LogCursor } from './reader.js';

/** One event of a log, decoded. Its position is the cursor's (index, offset, icount). */
export type LogEvent =
  | { kind: 'instruction'; count: number }
  | { kind: 'interrupt' }
  | { kind: 'exception' }
  /** @property checkpoint in generation A the checkpoint it was drained at, else null */
  | { kind: 'async'; checkpoint: number | null; event: AsyncEvent }
  | { kind: 'shutdown'; cause: LogShutdownCause }
  /** @property result what the back-end's last write returned; -1: it would have blocked. offset: bytes accepted in all */
  | { kind: 'char-write'; result: number; offset: number }
  | { kind: 'char-read-all'; bytes: Uint8Array }
  | { kind: 'char-read-all-error'; result: number }
  /** @property played frames that the host played in one audio tick */
  | { kind: 'audio-out'; played: number }
  /** @property samples 16 bytes for each recorded frame: left and right as 64-bit numbers */
  | { kind: 'audio-in'; recorded: number; writePosition: number; samples: Uint8Array }
  | { kind: 'random'; result: number; bytes: Uint8Array }
  | { kind: 'clock'; id: number; ns: bigint }
  | { kind: 'checkpoint'; id: number }
  | { kind: 'end' };

const K = EventKind;

/** Decodes the cursor's current event; its bytes are copies. Throws UserError 'log-corrupt' for numbers beyond 2^53 where no recorder writes such. */
export function decodeEvent(c: LogCursor): LogEvent {
  switch (c.kind) {
    case K.INSTRUCTION:
      return { kind: 'instruction', count: c.count };
    case K.INTERRUPT:
      return { kind: 'interrupt' };
    case K.EXCEPTION:
      return { kind: 'exception' };
    case K.SHUTDOWN:
      return { kind: 'shutdown', cause: SHUTDOWN_CAUSES[c.sub]! };
    case K.CHAR_WRITE:
      return { kind: 'char-write', result: c.int32At(0), offset: c.int32At(4) };
    case K.CHAR_READ_ALL:
      return { kind: 'char-read-all', bytes: c.payload().slice() };
    case K.CHAR_READ_ALL_ERROR:
      return { kind: 'char-read-all-error', result: c.int32At(0) };
    case K.AUDIO_OUT:
      return { kind: 'audio-out', played: counter(c, 0) };
    case K.AUDIO_IN:
      return { kind: 'audio-in', recorded: counter(c, 0), writePosition: counter(c, 1), samples: c.payload().slice() };
    case K.RANDOM:
      return { kind: 'random', result: c.int32At(0), bytes: c.payload().slice() };
    case K.CLOCK:
      return { kind: 'clock', id: c.sub, ns: c.int64At(0) };
    case K.CHECKPOINT:
      return { kind: 'checkpoint', id: c.sub };
    case K.END:
      return { kind: 'end' };
    default:
      return { kind: 'async', checkpoint: c.checkpoint < 0 ? null : c.checkpoint, event: asyncEvent(c) };
  }
}

function asyncEvent(c: LogCursor): AsyncEvent {
  switch (c.kind) {
    case K.BH:
      return { kind: 'bh', id: safe(c, 0) };
    case K.BH_ONESHOT:
      return { kind: 'bh-oneshot', id: safe(c, 0) };
    case K.INPUT:
      return { kind: 'input', event: inputEvent(c) };
    case K.INPUT_SYNC:
      return { kind: 'input-sync' };
    case K.CHAR_READ:
      return { kind: 'char-read', device: c.byteAt(0), bytes: c.payload().slice() };
    case K.BLOCK:
      return { kind: 'block', id: safe(c, 0) };
    default:
      return { kind: 'net', filter: c.byteAt(0), flags: c.int32At(1) >>> 0, bytes: c.payload().slice() };
  }
}

/** LOG format section "INPUT": a kind, then what that kind needs. */
function inputEvent(c: LogCursor): InputEvent {
  const code = c.int32At(0) >>> 0;
  switch (code) {
    case 0:
      if (c.int32At(4) === 0) return { kind: 'key-number', number: c.int64At(8), down: c.byteAt(16) !== 0 };
      return { kind: 'key', qcode: c.int32At(8) >>> 0, down: c.byteAt(12) !== 0 };
    case 1:
      return { kind: 'button', button: c.int32At(4) >>> 0, down: c.byteAt(8) !== 0 };
    case 2:
    case 3:
      return { kind: code === 2 ? 'rel' : 'abs', axis: c.int32At(4) >>> 0, value: safe(c, 8) };
    case 4:
      return {
        kind: 'mtt',
        type: c.int32At(4) >>> 0,
        slot: safe(c, 8),
        trackingId: safe(c, 16),
        axis: c.int32At(24) >>> 0,
        value: safe(c, 28),
      };
    default:
      return { kind: 'unknown', code };
  }
}

/** An audio counter: 4 or 8 bytes, by release. */
function counter(c: LogCursor, which: 0 | 1): number {
  const width = c.numbering.audioCounterBytes;
  return width === 8 ? safe(c, 8 * which) : c.int32At(4 * which) >>> 0;
}

function safe(c: LogCursor, at: number): number {
  const value = c.int64At(at);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : c.corrupt(`a number of ${value}`);
}
