import type { EventSource } from '../../replay/event-source.js';
import { LogEventSource } from '../../replay/log/event-source.js';
import { type ReplayOptions, ReplaySession } from '../../replay/replay-session.js';
import type { Job } from '../machine/job.js';
import { PcMachine } from '../machine/pc.js';
import type { Incarnation, Incarnator, Reins } from './incarnation.js';

/** A replay whose guest says everything once, however often it goes through the same instructions. */
class QuietReplay extends ReplaySession {
  private readonly reins: Reins;

  constructor(source: EventSource, options: ReplayOptions, reins: Reins) {
    super(source, options);
    this.reins = reins;
  }

  override charWrite(bytes: Uint8Array, send: (bytes: Uint8Array) => void): number {
    return super.charWrite(bytes, this.reins.alreadyShown(this.icountNow()) ? () => {} : send);
  }
}

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
    const { job } = this;
    const events = new LogEventSource(this.filename, job.logFormat);
    const { strict } = job;
    const options = { shift: job.config.shift, noReboot: job.config.noReboot, strict, stopRequested: () => reins.paused() };
    const session = new QuietReplay(events, options, reins);
    const config = { ...job.config, unlatchedI8042: !strict && events.generation === 'A' };
    try {
      const machine = new PcMachine(config, session, job.jit, undefined, { stops: reins.stops });
      return { machine, session, events, close: () => closeBoth(events, machine) };
    } catch (e) {
      events.close();
      throw e;
    }
  }
}

function closeBoth(events: LogEventSource, machine: PcMachine): void {
  events.close();
  machine.close();
}
