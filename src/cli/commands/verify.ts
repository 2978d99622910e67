import { availableParallelism } from 'node:os';
import type { CommandModule } from 'yargs';
import { EXIT_DIVERGENCE, UserError } from '../../core/errors.js';
import type { Cause } from '../../verify/diagnose.js';
import type { Difference } from '../../verify/segment.js';
import type { Finding, VerifyResult } from '../../verify/verify.js';
import { machineOptions } from '../machine-options.js';
import { printLines } from '../print-lines.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';
import { sessionOptions } from '../session-options.js';
import { onStopSignal } from '../stop-signals.js';

interface VerifyArguments extends ReplayArguments {
  readonly workers?: string | undefined;
  readonly jobs?: boolean | undefined;
}

const MAX_WORKERS = 256;
const CAUSES: Readonly<Record<Cause, string>> = {
  translation: 'translated code does something else than the interpreter',
  nondeterminism: 'two replays differ: the machine has learnt something that is not in the log',
  log: 'the bytes of the log are not those that were recorded',
  checkpoint: 'the checkpoint is wrong: the one behind it agrees with the replay',
  recording: 'all replays agree with each other, but not with what was recorded',
  unknown: 'it did not happen again',
};

/** `palindrome verify LOG`: replays all segments between checkpoints in parallel and compares each with what was recorded. */
export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify <log>',
  describe: 'Replay LOG in parallel from its checkpoints, and compare all of the machine at each',
  builder: (argv) =>
    sessionOptions(machineOptions(argv.positional('log', { type: 'string', demandOption: true, describe: 'The recording' })))
      .option('workers', { type: 'string', requiresArg: true, describe: 'Machines at a time (default: one per processor)' })
      .option('jobs', {
        type: 'boolean',
        describe: 'Only print the segments, one a line: each is a job for palindrome-segment, on any machine that has the files',
      })
      .hide('until')
      .hide('screenshot')
      .example('$0 verify boot.rr --workers 4', 'four segments at a time')
      .epilogue('Exit code 3: a segment is not what was recorded; the first instruction that differs is named.') as never,
  handler: async (args) => {
    // These hold all of a machine, which the other commands leave to its thread: 0.2 s.
    const { planVerification } = await import('../../verify/plan.js');
    const { segmentJob, unheard } = await import('../../verify/segment-job.js');
    const { verify } = await import('../../verify/verify.js');
    const { log, config, inputs = [], logFormat, strict, jit, final } = replayJob({ ...args, json: true });
    const recording = { log: log!, config: unheard(config), inputs, logFormat, strict, jit, final };
    if (args.jobs) {
      const { segments } = planVerification(recording);
      await printLines(segments.map((segment) => JSON.stringify(segmentJob(recording, segment))));
      return;
    }
    const stop = new AbortController();
    const endSignals = onStopSignal(() => stop.abort());
    const quiet = !process.stderr.isTTY;
    const onProgress = (places: readonly number[], done: number, segments: number): void => {
      if (quiet) return;
      const at = places.map((icount) => (icount / 1e6).toFixed(0)).join(', ');
      process.stderr.write(`\r\x1b[K${done} of ${segments} segments | workers at ${at} M instructions`);
    };
    const result = await verify(recording, { workers: workersOf(args.workers), onProgress, signal: stop.signal });
    if (!quiet) process.stderr.write('\r\x1b[K');
    endSignals();
    if (result.findings.length > 0) process.exitCode = EXIT_DIVERGENCE;
    else if (result.stopped) process.exitCode = 130;
    await printLines(args.json ? [JSON.stringify({ command: 'verify', ...result })] : lines(result));
  },
};

function workersOf(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_WORKERS)
    throw new UserError('bad-option', `--workers ${text}: expected a number from 1 to ${MAX_WORKERS}`);
  return number;
}

function lines(r: VerifyResult): string[] {
  const head = r.findings.length > 0 ? 'NOT what was recorded' : r.stopped ? 'stopped on request' : 'everything is as recorded';
  return [
    ...r.warnings.map((w) => `warning: ${w}`),
    `verify: ${head}`,
    `  instructions  ${r.instructions.toLocaleString('en-US')} verified`,
    `  segments      ${r.verified} of ${r.segments}`,
    `  time          ${r.wallSeconds.toFixed(2)} s with ${r.workers} workers (speed-up ${r.speedUp.toFixed(2)})`,
    ...r.findings.flatMap(findingLines),
  ];
}

function findingLines({ segment, outcome, failure, diagnosis }: Finding): string[] {
  const { fromIcount, toIcount } = segment;
  const where = `instructions ${fromIcount} to ${toIcount ?? 'the end'}`;
  if (outcome === null) return [`  ${where}: not verified: ${failure}`];
  const { divergence } = outcome;
  const found = [`  ${where}: differs`];
  if (divergence !== null)
    found.push(`    at instruction ${divergence.icount} the log holds ${divergence.expected}; the machine ${divergence.found}`);
  if (outcome.logChanged) found.push(`    bytes ${segment.logFrom} to ${segment.logTo} of the log are not those that were recorded`);
  found.push(...outcome.differences.map((d) => differenceLine(d, 'recorded', 'replayed')));
  if (failure !== null) found.push(`    ${failure}`);
  if (diagnosis === null) return found;
  found.push(`    cause: ${CAUSES[diagnosis.cause]}`);
  if (diagnosis.icount !== null) found.push(`    first difference behind instruction ${diagnosis.icount}`);
  if (diagnosis.tb !== null) {
    const { lines: code, index } = diagnosis.tb;
    found.push('    TB:', ...code.map((line, k) => `    ${k === index ? '>' : ' '} ${line}`));
  }
  if (diagnosis.differences !== outcome.differences && diagnosis.icount !== null)
    found.push(...diagnosis.differences.map((d) => differenceLine(d, 'interpreter', 'other')));
  return found;
}

function differenceLine({ where, what, recorded, found }: Difference, left: string, right: string): string {
  return `    ${where} ${what}: ${left} ${recorded}, ${right} ${found}`;
}
