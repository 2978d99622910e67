import { existsSync, rmSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import type { EngineOptions } from '../../jit/x86/engine.js';
import { CheckpointStore } from '../../replay/checkpoints/store.js';
import { type EventSink, NullSink } from '../../replay/event-sink.js';
import type { HostRequest } from '../../replay/host.js';
import { LogWriter } from '../../replay/log/writer.js';
import { RecordSession } from '../../replay/record-session.js';
import { LogCut, type ReplaySession } from '../../replay/replay-session.js';
import type { RunResult } from '../../replay/session.js';
import { FileLock } from '../block/file-lock.js';
import { DivergenceError, UserError } from '../core/errors.js';
import { checkpointsPath, knownPages } from './checkpoint-files.js';
import type { CheckpointInterval } from './checkpoint-interval.js';
import { CheckpointMaker, type CheckpointReport } from './checkpoint-maker.js';
import { digestInParallel } from './digest-in-parallel.js';
import { takeFirstSnapshot } from './first-snapshot.js';
import { goLive } from './go-live.js';
import { hashFile } from './hash-file.js';
import { ControlBlock, type DivergenceReport, type Job, type JobResult } from './job.js';
import { LiveHost } from './live-host.js';
import { NewRecording } from './new-recording.js';
import { openReplay } from './open-replay.js';
import { PcMachine } from './pc.js';
import { recordingIdentity } from './recording-identity.js';
import { runStatistics } from './run-statistics.js';
import { seldom } from './seldom.js';
import { SnapshotStore } from './snapshot-store.js';
import { Timeline } from './timeline.js';

/** What watches a replay. */
export type Instruments = Pick<EngineOptions, 'observer' | 'stops' | 'watchBytes'>;

/** Builds the machine of a job, runs it to its end and describes how it ended. Runs in the worker. */
export function runJob(job: Job, requests: MessagePort, instruments: Instruments = {}): JobResult {
  const control = new ControlBlock(job.control);
  const started = performance.now();
  if (job.kind !== 'replay') return record(job, control, requests, started);
  // A snapshot is the same state wherever the replay came from.
  const near = job.seek === true || (typeof job.snapshots?.last === 'string' && !job.snapshots.first);
  return near && job.until !== null
    ? seek(job, job.until, control, requests, started)
    : replay(job, control, requests, started, instruments);
}

function record(job: Job, control: ControlBlock, requests: MessagePort, started: number): JobResult {
  let maker: CheckpointMaker | null = null;
  const makeRoom = (): boolean => maker?.giveUp() ?? false;
  const files = job.log === null || job.sidecar === undefined ? null : new NewRecording(job.log, job.sidecar, makeRoom);
  const logSink = files === null ? null : new LogWriter(files, job.logFormat);
  const sink: EventSink = logSink ?? new NullSink();
  let machine: PcMachine | null = null;
  const show = seldom(() => {
    sink.flush();
    machine?.flushOutputs();
  });
  // Before anything of an older recording is touched.
  const lock = files === null ? null : FileLock.take(checkpointsPath(job.log!));
  const session = new RecordSession(
    new LiveHost(requests, control),
    sink,
    {
      shift: job.config.shift,
      noReboot: job.config.noReboot,
      asyncFirst: job.logFormat === '7.2',
      onProgress: (icount, events) => {
        control.report(icount, events, job.until ?? 0);
        maker?.progressed(() => sink.flush());
        show();
      },
    },
    (device) => machine?.canReceive(device) ?? 0,
  );
  try {
    machine = new PcMachine(job.config, session, job.jit);
    files?.begin();
    takeFirstSnapshot(job, machine, session, sink);
    maker = checkpointsOfRecording(job, machine, session, sink);
    const result = session.run(job.until);
    logSink?.finish(result.icount);
    const checkpoints = maker?.finish();
    maker = null;
    return describe(job, machine, { ...result, events: sink.events }, null, started, checkpoints);
  } finally {
    maker?.finish();
    lock?.release();
    logSink?.close();
    machine?.close();
  }
}

/** The store of an older recording goes; the new one's first checkpoint is its start. */
function checkpointsOfRecording(job: Job, machine: PcMachine, session: RecordSession, sink: EventSink): CheckpointMaker | null {
  const { log, sidecar, checkpoints, config } = job;
  if (log === null || sidecar === undefined) return null;
  rmSync(checkpointsPath(log), { force: true });
  if (checkpoints === undefined || checkpoints === null) return null;
  sink.flush();
  const maker = new CheckpointMaker(machine, session, { log, config, inputs: sidecar.inputs }, checkpoints, {
    extend: false,
    atOnce: false,
  });
  maker.start();
  return maker;
}

/** To an instruction from the nearest checkpoint. */
function seek(job: Job, until: number, control: ControlBlock, requests: MessagePort, started: number): JobResult {
  const host = new LiveHost(requests, control);
  const timeline = new Timeline({
    ...job,
    log: job.log!,
    inputs: job.inputs ?? [],
    stopRequested: () => host.poll().some((r) => r.kind === 'stop'),
    onProgress: (icount, events) => control.report(icount, events, until),
  });
  try {
    const followed = follow(() => timeline.seek(until), timeline.session);
    takeLastSnapshot(job, timeline.machine, timeline.session, followed);
    const { result, divergence } = followed;
    const { startedAt, complaints } = timeline;
    return { ...describe(job, timeline.machine, result, divergence, started), startedAt, warnings: complaints };
  } finally {
    timeline.close();
  }
}

function replay(job: Job, control: ControlBlock, requests: MessagePort, started: number, instruments: Instruments): JobResult {
  const host = new LiveHost(requests, control);
  const until = job.goLiveAt ?? job.until;
  const total = Math.min(until ?? Number.POSITIVE_INFINITY, job.final?.icount ?? Number.POSITIVE_INFINITY);
  const typedAhead: HostRequest[] = [];
  let machine: PcMachine | null = null;
  let checkpoints: CheckpointReport | undefined;
  const { source, session, build } = openReplay({
    ...job,
    log: job.log!,
    stopRequested: () => {
      const asked = host.poll();
      if (asked.length > 0) typedAhead.push(...asked.filter((r) => r.kind !== 'stop'));
      return asked.some((r) => r.kind === 'stop');
    },
    onProgress: (icount, events) => control.report(icount, events, Number.isFinite(total) ? total : 0),
  });
  try {
    const followed = follow(() => {
      const watchBytes = job.checkpoints !== undefined && job.checkpoints !== null;
      machine = build({ watchBytes, statistics: job.statistics, now: () => performance.now(), ...instruments });
      if (job.snapshots?.first) new SnapshotStore(job.snapshots.store).load(job.snapshots.first, machine, session, job.log!);
      if (job.checkpoints === undefined || job.checkpoints === null) return session.run(until);
      const lock = FileLock.take(checkpointsPath(job.log!));
      let maker: CheckpointMaker | null = null;
      try {
        maker = checkpointsOfReplay(job, machine, session, job.checkpoints);
        return runInStretches(session, maker, until);
      } finally {
        checkpoints = maker?.finish();
        lock?.release();
      }
    }, session);
    const { result, divergence } = followed;
    if (machine !== null) takeLastSnapshot(job, machine, session, followed);
    if (divergence !== null || result.stop === 'signal' || typeof job.goLiveAt !== 'number')
      return describe(job, machine, result, divergence, started, checkpoints);
    mustBeAt('--go-live-at', job.goLiveAt, followed);
    host.keep(typedAhead);
    const show = seldom(() => machine?.flushOutputs());
    const old: PcMachine = machine!;
    const onProgress = (icount: number, events: number): void => {
      control.report(icount, events, job.until ?? 0);
      show();
    };
    const live = goLive({ machine: old, session, close: () => old.close() }, host, { jit: job.jit, onProgress });
    machine = live.machine;
    return describe({ ...job, final: null }, machine, live.session.run(job.until), null, started);
  } finally {
    source.close();
    (machine as PcMachine | null)?.close();
  }
}

/** `snapshot create`: the replay has come to where it was to stop. Throws UserError when it has not. */
function takeLastSnapshot({ log, snapshots, until }: Job, machine: PcMachine, session: ReplaySession, followed: Followed): void {
  const { divergence, result } = followed;
  if (divergence !== null || result.stop === 'signal' || typeof snapshots?.last !== 'string') return;
  mustBeAt('--at', until!, followed);
  new SnapshotStore(snapshots.store).save(snapshots.last, machine, session, log!, Date.now());
}

/** Refuses to go on from another moment than the one asked for. */
function mustBeAt(option: string, icount: number, { result, whole }: Followed): void {
  if (result.icount === icount && whole) return;
  throw new UserError(
    'bad-option',
    `${option} ${icount}: the recording ${result.icount < icount ? 'ends' : 'begins'} at instruction ${result.icount}`,
  );
}

interface Followed {
  readonly result: RunResult;
  readonly divergence: DivergenceReport | null;
  /** The machine stands between two slices; false where the log was cut off in the middle of something. */
  readonly whole: boolean;
}

/** Goes on with a store that is there. Throws UserError when it is damaged or another recording's. */
function checkpointsOfReplay(
  job: Job,
  machine: PcMachine,
  session: ReplaySession,
  interval: NonNullable<CheckpointInterval>,
): CheckpointMaker {
  const { config, inputs = [] } = job;
  const log = job.log!;
  const path = checkpointsPath(log);
  const extend = existsSync(path);
  // Refuses what the thread could not go on with.
  if (extend) new CheckpointStore(path, recordingIdentity(log, config, inputs), knownPages(config, inputs)).close();
  const maker = new CheckpointMaker(machine, session, { log, config, inputs }, interval, { extend, atOnce: true });
  maker.start();
  return maker;
}

function runInStretches(session: ReplaySession, maker: CheckpointMaker, until: number | null): RunResult {
  for (;;) {
    if (maker.failure !== null) throw new UserError('file-io', maker.failure);
    const { icount } = session.standing();
    const stretch = icount + maker.distance;
    const result = session.run(until === null || stretch < until ? stretch : until);
    if (result.stop !== 'until' || result.icount === until) return result;
    maker.progressed(() => {});
  }
}

/** Runs a replay; a divergence becomes part of the result. */
function follow(run: () => RunResult, session: ReplaySession): Followed {
  try {
    return { result: run(), divergence: null, whole: true };
  } catch (e) {
    if (e instanceof LogCut) return { result: session.standing('end-of-log'), divergence: null, whole: false };
    if (!(e instanceof DivergenceError)) throw e;
    return { result: session.standing(), divergence: { icount: e.icount, expected: e.expected, found: e.found }, whole: false };
  }
}

function describe(
  job: Job,
  machine: PcMachine | null,
  result: RunResult,
  divergence: DivergenceReport | null,
  started: number,
  checkpoints?: CheckpointReport,
): JobResult {
  const wallSeconds = (performance.now() - started) / 1000;
  const statistics = machine === null ? null : runStatistics(machine.engine, result.events, wallSeconds);
  const digest = machine === null ? null : digestInParallel(machine.parts, machine.memory.u8);
  const found = divergence ?? finalDifference(job, result, digest?.total ?? '');
  return {
    icount: result.icount,
    digest: digest?.total ?? '',
    parts: digest?.parts ?? {},
    events: result.events,
    stop: found === null ? result.stop : 'divergence',
    shutdownCause: result.shutdownCause,
    exitValue: machine?.exitValue ?? null,
    divergence: found,
    wallSeconds,
    screen: job.screenshot ? (machine?.screen() ?? null) : null,
    ...(statistics === null ? {} : { statistics }),
    ...(checkpoints === undefined ? {} : { checkpoints }),
  };
}

/** What LOG.json says of the end of a recording that was replayed to its end. */
function finalDifference(job: Job, result: RunResult, digest: string): DivergenceReport | null {
  const { final } = job;
  if (final === null || result.stop === 'until' || result.stop === 'signal') return null;
  const { icount } = result;
  if (icount !== final.icount) return { icount, expected: `an end at instruction ${final.icount} (LOG.json)`, found: `ended at ${icount}` };
  if (result.events !== final.events)
    return { icount, expected: `${result.events} events, but ${final.events} were recorded (LOG.json)`, found: 'followed them to the end' };
  if (digest !== final.digest) return { icount, expected: `a machine of digest ${final.digest} (LOG.json)`, found: `has digest ${digest}` };
  if (hashFile('log', job.log!).sha256 !== final.log)
    return { icount, expected: 'other bytes than were recorded (SHA-256 in LOG.json)', found: 'did not notice the change' };
  return null;
}
