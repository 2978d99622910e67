import { type EventSink, NullSink } from '../../replay/event-sink.js';
import type { HostEnvironment, HostRequest } from '../../replay/host.js';
import { LogWriter } from '../../replay/log/writer.js';
import { RecordSession } from '../../replay/record-session.js';
import type { Session } from '../../replay/session.js';
import { digestMachine } from '../core/digest.js';
import { takeFirstSnapshot } from '../machine/first-snapshot.js';
import { goLive } from '../machine/go-live.js';
import type { Job } from '../machine/job.js';
import { NewRecording } from '../machine/new-recording.js';
import { PcMachine } from '../machine/pc.js';
import { seldom } from '../machine/seldom.js';
import { recordingEnd, writeSidecar } from '../machine/sidecar.js';
import type { GoingLive, Incarnation, Reins } from './incarnation.js';

/** What a live machine under a debugger has of the outside. */
export interface LiveSurroundings {
  readonly host: Pick<HostEnvironment, 'wallNs' | 'monotonicNs' | 'random'>;
  /** How long the machine was kept from running. */
  stoodStillNs(): number;
  takeInputs(): HostRequest[];
  sleep(milliseconds: number): void;
}

/** A machine that runs, or is recorded, while somebody may stop it; its clocks stand still meanwhile. */
export class LiveIncarnator implements GoingLive {
  readonly mode: 'none' | 'record';
  readonly filename: string | null;
  private readonly job: Omit<Job, 'control'>;
  private readonly surroundings: LiveSurroundings;
  /** Between the host's clock and what the machine was told: it may have been put into a state from before. */
  private aheadNs = 0;

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
    const host = this.host();
    const session = new RecordSession(
      host,
      sink,
      {
        shift: job.config.shift,
        noReboot: job.config.noReboot,
        asyncFirst: job.logFormat === '7.2',
        pauseRequested: () => reins.paused(),
        onProgress: seldom(() => {
          sink.flush();
          machine?.flushOutputs();
        }),
      },
      (device) => machine?.canReceive(device) ?? 0,
    );
    const built = new PcMachine(job.config, session, job.jit, undefined, { stops: reins.stops });
    machine = built;
    files?.begin();
    takeFirstSnapshot(job, built, session, sink);
    const flush = (): void => sink.flush();
    return {
      machine: built,
      session,
      timeline: null,
      flush,
      restored: () => this.restored(session, host),
      close: () => this.close(built, log),
    };
  }

  /** Nothing is recorded from there on. */
  goOn(old: Incarnation, reins: Reins): Incarnation {
    let machine: PcMachine | null = null;
    const live = goLive(old, this.host(), {
      jit: this.job.jit,
      onProgress: seldom(() => machine?.flushOutputs()),
      pauseRequested: () => reins.paused(),
      stops: reins.stops,
    });
    const built = live.machine;
    machine = built;
    const { session, host } = live;
    return {
      machine: built,
      session,
      timeline: null,
      flush: () => {},
      restored: () => this.restored(session, host),
      close: () => built.close(),
    };
  }

  /** Its clock goes on from where it was. */
  private restored(session: Session, host: HostEnvironment): void {
    this.aheadNs += Number(session.save().virtualRtNs) - host.monotonicNs();
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
      monotonicNs: () => host.monotonicNs() - stoodStillNs() + this.aheadNs,
      random: (lengthBytes) => host.random(lengthBytes),
      poll: () => takeInputs(),
      wait: (ns) => sleep(ns === null ? Number.POSITIVE_INFINITY : ns / 1e6),
    };
  }
}
