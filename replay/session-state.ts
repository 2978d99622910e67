import { UserError } from '../src/core/errors.js';
import type { StatefulPart, StateSchema } from '../src/core/state.js';
import type { LogPosition } from './event-source.js';
import { SHUTDOWN_CAUSES } from './log/kinds.js';

/** `SessionState.previous` of an event that is no checkpoint. */
export const OTHER_EVENT = 0xff;

/** What a session knows at a moment between slices, besides the parts of its machine: how far it is in its log, and what the strict order of the log needs. */
export class SessionState implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'session',
    version: 1,
    fields: {
      icount: 'int',
      logOffset: 'int',
      logIcount: 'int',
      logEvents: 'int',
      hostClockNs: 'i64',
      virtualRtNs: 'i64',
      previous: 'int',
      cause: 'int',
      resetRequested: 'bool',
    },
  };
  icount = 0;
  /** Where the log goes on: see LogPosition. All 0 in a run without a log. */
  logOffset = 0;
  logIcount = 0;
  logEvents = 0;
  /** The clocks as they were last read. */
  hostClockNs = 0n;
  virtualRtNs = 0n;
  /** The event before, if no instruction was executed since: a checkpoint id or OTHER_EVENT. */
  previous: number | null = null;
  /** The shutdown that was asked for, by its place in SHUTDOWN_CAUSES. */
  cause: number | null = null;
  resetRequested = false;

  get position(): LogPosition {
    return { offset: this.logOffset, icount: this.logIcount, events: this.logEvents };
  }

  set position({ offset, icount, events }: LogPosition) {
    this.logOffset = offset;
    this.logIcount = icount;
    this.logEvents = events;
  }

  /** The bytes may be a stranger's. */
  afterRestore(): void {
    const counts = [this.icount, this.logOffset, this.logIcount, this.logEvents];
    const known = this.cause === null || SHUTDOWN_CAUSES[this.cause] !== undefined;
    if (counts.some((n) => n === null || n < 0) || this.logIcount > this.icount || !known)
      throw new UserError('snapshot-corrupt', 'saved state: its place in the log makes no sense');
  }
}
