import { type EventSink, NullSink } from '../../replay/event-sink.js';
import type { HostEnvironment, HostRequest } from '../../replay/host.js';
import { LogWriter } from '../../replay/log/writer.js';
import { RecordSession } from '../../replay/record-session.js';
import { digestMachine } from '../core/digest.js';
import type { Job } from '../machine/job.js';
import { NewRecording } from '../machine/new-recording.js';
import { PcMachine } from '../machine/pc.js';
import { recordingEnd, writeSidecar } from '../machine/sidecar.js';
import type { Incarnation, Incarnator, Reins } from './incarnation.js';

/** How often a recording is made readable by others. */
const FLUSH_INTERVAL_MS = 100;

/** What a live machine under a debugger has of the outside. */
export interface LiveSurroundings {
  readonly host: Pick<HostEnvironment, 'wallNs' | 'monotonicNs' | 'random'>;
  /** How long the machine was kept from running. */
  stoodStillNs(): number;
  takeInputs(): HostRequest[];
  sleep(milliseconds: number): void;
}

/** A machine that runs, or is recorded, while somebody may stop it; its clocks stand still meanwhile. */
export class LiveIncarnator implements Incarnator {
  readonly mode: 'none' | 'record';
  readonly filename: string | null;
  private readonly job: Omit<Job, 'control'>;
  private readonly surroundings: LiveSurroundings;

  constructor(job: Omit<Job, 'control'>, surroundings: LiveSurroundings) {
    this.job = job;
    this.surroundings = surroundings;
    this.mode = job.kind === 'record' ? 'record' : 'none';
    this.filename = job.log;
  }

  begin(reins: Reins): Incarnation {
    const { job } = this;
    const files = job.log === null || job.sidecar === undefined ? null : new NewRecording(job.log, job.sidecar);
    const log = files === null ? null : new LogWriter(files, job.logFormat);
    const sink: EventSink = log ?? new NullSink();
    let machine: PcMachine | null = null;
    let flushed = performance.now();
    const session = new RecordSession(
      this.host(),
      sink,
      {
        shift: job.config.shift,
        noReboot: job.config.noReboot,
        asyncFirst: job.logFormat === '7.2',
        pauseRequested: () => reins.paused(),
        onProgress: () => {
          const now = performance.now();
          if (now - flushed < FLUSH_INTERVAL_MS) return;
          flushed = now;
          sink.flush();
          machine?.flushOutputs();
        },
      },
      (device) => machine?.canReceive(device) ?? 0,
    );
    const built = new PcMachine(job.config, session, job.jit, undefined, { stops: reins.stops });
    machine = built;
    files?.begin();
    return { machine: built, session, timeline: null, close: () => this.close(built, log) };
  }

  /** Ends the recording in good order. */
  private close(machine: PcMachine, log: LogWriter | null): void {
    const { job } = this;
    if (log !== null) {
      const { icount } = machine.engine;
      log.finish(icount);
      log.close();
      const digest = digestMachine(machine.parts, machine.memory.u8).total;
      writeSidecar(job.log!, { ...job.sidecar!, final: recordingEnd(job.log!, { icount, events: log.events, digest }) });
    }
    machine.close();
  }

  private host(): HostEnvironment {
    const { host, stoodStillNs, takeInputs, sleep } = this.surroundings;
    return {
      wallNs: () => host.wallNs(),
      monotonicNs: () => host.monotonicNs() - stoodStillNs(),
      random: (lengthBytes) => host.random(lengthBytes),
      poll: () => takeInputs(),
      wait: (ns) => sleep(ns === null ? Number.POSITIVE_INFINITY : ns / 1e6),
    };
  }
}
