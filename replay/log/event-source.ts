import { UserError } from '../../src/core/errors.js';
import type { ShutdownCause } from '../../src/core/machine-view.js';
import type { EventSource, LogPosition, ReplayEvent } from '../event-source.js';
import { decodeEvent, type LogEvent } from './events.js';
import { EventKind } from './kinds.js';
import { type LogCursor, openLog } from './reader.js';
import { FORMAT_NUMBERING, hexVersion, type LogFormat } from './tables.js';

const INTERRUPT: ReplayEvent = { kind: 'interrupt' };
const EXCEPTION: ReplayEvent = { kind: 'exception' };
const END: ReplayEvent = { kind: 'end' };
const CUT: ReplayEvent = { kind: 'cut' };

/** A log as a replaying session reads it: one event ahead, INSTRUCTION events folded into the positions of the others. */
export class LogEventSource implements EventSource {
  current: ReplayEvent = CUT;
  icount = 0;
  consumed = -1;
  oddInstruction = false;
  private instructionEvents = 0;
  /** Of the current event, before its INSTRUCTION events: file offset and instruction count. */
  private beginOffset = 0;
  private beginIcount = 0;
  private readonly cursor: LogCursor;

  /**
   * @param unfinishedAs the format of a log that was cut off (version 0)
   * @throws UserError; 'log-version' also for formats whose events mean something else than those of QEMU 5.1 and later
   */
  constructor(path: string, unfinishedAs?: LogFormat) {
    this.cursor = openLog(path, { unfinishedAs });
    const { version, release } = this.cursor.numbering;
    if (version < FORMAT_NUMBERING['5.2'].version) {
      this.close();
      throw new UserError(
        'log-version',
        `${path}: log version ${hexVersion(version)} (QEMU ${release}) can be read, not replayed; 5.1 and later can`,
      );
    }
    this.advance();
  }

  close(): void {
    this.cursor.close();
  }

  /** A: QEMU 5.1 to 7.0; B: 7.1 and later. */
  get generation(): 'A' | 'B' {
    return this.cursor.numbering.generation;
  }

  /** Steps to the next event that is not INSTRUCTION; stays at `cut`, which also stands behind END. */
  advance(): void {
    const { cursor } = this;
    if (this.consumed >= 0 && this.current === CUT) return;
    this.consumed += 1 + this.instructionEvents;
    this.instructionEvents = 0;
    this.beginOffset = cursor.nextOffset;
    this.beginIcount = cursor.icount;
    let more = cursor.next();
    for (; more && cursor.kind === EventKind.INSTRUCTION; more = cursor.next()) this.instructionEvents++;
    this.current = more ? decode(cursor) : CUT;
    this.icount = cursor.icount;
    this.oddInstruction = this.instructionEvents > 1;
  }

  get position(): LogPosition {
    return { offset: this.beginOffset, icount: this.beginIcount, events: this.consumed };
  }

  seek(position: LogPosition): void {
    this.cursor.seek(position.offset, position.icount, position.events - 1);
    this.consumed = position.events - 1;
    this.instructionEvents = 0;
    this.current = END;
    this.advance();
  }
}

function decode(cursor: LogCursor): ReplayEvent {
  switch (cursor.kind) {
    case EventKind.INTERRUPT:
      return INTERRUPT;
    case EventKind.EXCEPTION:
      return EXCEPTION;
    case EventKind.END:
      return END;
    case EventKind.CHECKPOINT:
      return { kind: 'checkpoint', id: cursor.sub };
    default:
      return other(decodeEvent(cursor));
  }
}

function other(e: LogEvent): ReplayEvent {
  switch (e.kind) {
    case 'clock':
    case 'async':
    case 'char-write':
    case 'random':
    case 'audio-out':
    case 'audio-in':
      return e;
    case 'shutdown':
      return { kind: 'shutdown', cause: e.cause as ShutdownCause };
    default:
      return { kind: 'other', name: e.kind.toUpperCase().replaceAll('-', '_') };
  }
}
