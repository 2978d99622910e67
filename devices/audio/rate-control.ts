import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { mulDiv, NS_PER_SECOND } from '../../src/core/units.js';

/** More than that is no backlog, but a clock that has jumped. */
const MAX_BACKLOG_FRAMES = 65536;

/** How many frames a back-end that keeps pace with virtual time takes or gives: those of the time since it was started, less those it had. */
export class RateControl implements StatefulPart {
  readonly schema: StateSchema = { name: 'audio-rate-control', version: 1, fields: { startNs: 'int', frames: 'int' } };
  startNs = 0;
  /** Taken or given since then. */
  frames = 0;
  private readonly rateHz: number;

  constructor(rateHz: number) {
    this.rateHz = rateHz;
  }

  start(nowNs: number): void {
    this.startNs = nowNs;
    this.frames = 0;
  }

  /** Takes as many frames as are due, `most` at the most. A backlog of more than a second is forgotten. */
  take(nowNs: number, most: number): number {
    let due = mulDiv(nowNs - this.startNs, this.rateHz, NS_PER_SECOND) - this.frames;
    if (due < 0 || due > MAX_BACKLOG_FRAMES) {
      this.start(nowNs);
      due = 0;
    }
    const taken = Math.min(due, most);
    this.frames += taken;
    return taken;
  }
}
