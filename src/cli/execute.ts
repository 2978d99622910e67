import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { reason } from '../../replay/log/input.js';
import { EXIT_DIVERGENCE, UserError } from '../core/errors.js';
import type { CheckpointReport } from '../machine/checkpoint-maker.js';
import type { MachineConfig } from '../machine/config.js';
import type { Job, JobResult } from '../machine/job.js';
import { networkWarnings } from '../machine/network-options.js';
import { openKeyboard } from './keyboard.js';
import { NetworkEnds } from './network-ends.js';
import { statisticsLines } from './print-statistics.js';
import { showProgress } from './progress.js';
import { RunningJob, type WorkerKind } from './run-in-worker.js';
import { onStopSignal } from './stop-signals.js';

/** Runs a job with everything a terminal user expects around it: progress, Ctrl-C, the keyboard on the serial port, the host's networks. */
export async function execute<Result extends JobResult = JobResult>(
  job: Omit<Job, 'control'>,
  stdinDevice: number | null,
  kind?: WorkerKind,
): Promise<Result> {
  const live = job.kind !== 'replay';
  const networks = new NetworkEnds(live || typeof job.goLiveAt === 'number' ? job.config : { ...job.config, networks: [] });
  if (live) for (const text of networkWarnings(job.config)) complain(text);
  try {
    if (live) await networks.start();
    return await executeWith(networks, job, stdinDevice, kind);
  } finally {
    networks.close();
  }
}

function complain(text: string): void {
  process.stderr.write(`palindrome: ${text}\n`);
}

async function executeWith<Result extends JobResult>(
  networks: NetworkEnds,
  job: Omit<Job, 'control'>,
  stdinDevice: number | null,
  kind?: WorkerKind,
): Promise<Result> {
  const running = new RunningJob<Result>({ ...job, config: networks.connect(job.config) }, kind);
  networks.serve((requests) => {
    for (const request of requests) running.send(request);
    return undefined;
  }, complain);
  const typed = (bytes: Buffer): void => running.send({ kind: 'chars', device: stdinDevice!, bytes: new Uint8Array(bytes) });
  const endInput = stdinDevice === null ? () => {} : openKeyboard(typed, true);
  // Somebody who types at the guest's console sees that, and nothing else.
  const endProgress = stdinDevice !== null && process.stdin.isTTY ? () => {} : showProgress(running);
  const endSignals = onStopSignal(() => running.send({ kind: 'stop' }));
  try {
    return withDoubts(await running.result, job);
  } finally {
    endSignals();
    endInput();
    endProgress();
  }
}

/** A replay that diverged without a LOG.json: mostly, the log is of another machine. */
function withDoubts<Result extends JobResult>(result: Result, { kind, strict, log }: Omit<Job, 'control'>): Result {
  if (kind !== 'replay' || strict || result.divergence === null) return result;
  const doubt = `${log} has no LOG.json that says what machine it is of: was it recorded on the one that the options describe?`;
  return { ...result, warnings: [...(result.warnings ?? []), doubt] };
}

/** Refuses a picture that could not be written, before the machine runs. */
export function checkScreenshot(path: string | undefined, config: MachineConfig): void {
  if (path === undefined) return;
  if (!config.vga) throw new UserError('not-supported', `--screenshot ${path}: this machine has no display`);
  if (!existsSync(dirname(path))) throw new UserError('file-io', `--screenshot ${path}: no such folder`);
}

/** Writes the picture that a job returned. */
export async function writeScreenshot(path: string | undefined, result: JobResult): Promise<void> {
  if (path === undefined) return;
  if (result.screen === null) throw new UserError('not-supported', `--screenshot ${path}: this machine has no display`);
  const { width, height, rgba } = result.screen;
  const { PNG } = await import('pngjs');
  const png = new PNG({ width, height });
  png.data = Buffer.from(rgba);
  try {
    writeFileSync(path, PNG.sync.write(png));
  } catch (e) {
    throw new UserError('file-io', `--screenshot ${path}: ${reason(e)}`);
  }
}

/** Prints how a run ended: one line of JSON on stdout, or words on stderr. Sets the exit code of a divergence. */
export function summarize(command: string, result: JobResult, json: boolean): void {
  if (result.stop === 'divergence') process.exitCode = EXIT_DIVERGENCE;
  if (json) {
    const { screen, parts, ...rest } = result;
    process.stdout.write(
      `${JSON.stringify({ command, ...rest, screen: screen === null ? undefined : { width: screen.width, height: screen.height } })}\n`,
    );
    return;
  }
  for (const warning of result.warnings ?? []) process.stderr.write(`palindrome: ${warning}\n`);
  process.stderr.write(`${describe(command, result)}\n`);
  const { statistics, wallSeconds } = result;
  if (statistics !== undefined) process.stderr.write(`${statisticsLines(statistics, wallSeconds).join('\n')}\n`);
}

function describe(command: string, r: JobResult): string {
  const rate = r.icount / 1e6 / Math.max(r.wallSeconds, 1e-3);
  const lines = [
    `${command}: ${endInWords(r)}`,
    `  instructions  ${r.icount.toLocaleString('en-US')} in ${r.wallSeconds.toFixed(2)} s (${rate.toFixed(1)} million/s)`,
    `  events        ${r.events.toLocaleString('en-US')}`,
    `  digest        ${r.digest}`,
  ];
  if (r.startedAt !== undefined && r.startedAt > 0) lines.push(`  from          the checkpoint at ${r.startedAt.toLocaleString('en-US')}`);
  if (r.checkpoints !== undefined) lines.push(...checkpointLines(r.checkpoints));
  if (r.exitValue !== null) lines.push(`  exit value    ${r.exitValue}`);
  return lines.join('\n');
}

function checkpointLines({ made, bytes, failure, longestMs }: CheckpointReport): string[] {
  const cost = `${made} made (${bytes.toLocaleString('en-US')} bytes; longest stop ${longestMs.toFixed(0)} ms)`;
  return [`  checkpoints   ${failure === null ? cost : `${cost}; no more were made: ${failure}`}`];
}

function endInWords(r: JobResult): string {
  switch (r.stop) {
    case 'shutdown':
      return `the machine shut down (${r.shutdownCause ?? 'no cause'})`;
    case 'reset':
      return 'the guest asked for a reset';
    case 'end-of-log':
      return 'reached the end of the log';
    case 'until':
      return 'reached the instruction count asked for';
    case 'signal':
      return 'stopped on request';
    case 'divergence': {
      const d = r.divergence!;
      return `DIVERGED at instruction ${d.icount}: the log holds ${d.expected}; the machine ${d.found}`;
    }
  }
}
