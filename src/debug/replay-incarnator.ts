import type { Job } from '../machine/job.js';
import { Timeline } from '../machine/timeline.js';
import type { Incarnation, Incarnator, Reins } from './incarnation.js';

/** Machines that replay the log of a job. */
export class ReplayIncarnator implements Incarnator {
  readonly mode = 'play';
  readonly filename: string;
  private readonly job: Omit<Job, 'control'>;

  constructor(job: Omit<Job, 'control'>) {
    this.job = job;
    this.filename = job.log!;
  }

  begin(reins: Reins): Incarnation {
    const { config, logFormat, strict, jit, inputs = [] } = this.job;
    const timeline = new Timeline({
      ...{ log: this.filename, config, logFormat, strict, jit, inputs },
      stopRequested: () => reins.paused(),
      onProgress: () => reins.progressed(),
      alreadyShown: (icount) => reins.alreadyShown(icount),
      // Somebody who goes back and forth in a recording watches data: a twentieth slower, but not a hundred times where the watched page is in use all the time.
      instruments: { stops: reins.stops, watchBytes: true },
    });
    const { machine, session } = timeline;
    return { machine, session, timeline, flush: () => {}, restored: () => timeline.displaced(), close: () => timeline.close() };
  }
}
