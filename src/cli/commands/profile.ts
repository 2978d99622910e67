import { existsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { CommandModule } from 'yargs';
import { EXIT_DIVERGENCE, UserError } from '../../core/errors.js';
import { cpuprofile } from '../../profile/formats/cpuprofile.js';
import { folded } from '../../profile/formats/folded.js';
import { html } from '../../profile/formats/html.js';
import { speedscope } from '../../profile/formats/speedscope.js';
import type { ProfileData } from '../../profile/profile-data.js';
import type { ProfiledResult } from '../../profile/profile-job.js';
import { execute, summarize } from '../execute.js';
import { machineOptions } from '../machine-options.js';
import { printLines } from '../print-lines.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';
import { sessionOptions } from '../session-options.js';
import { silentTargets } from '../terminal-targets.js';
import { writeLines } from '../write-lines.js';

const FORMATS = ['table', 'folded', 'speedscope', 'cpuprofile', 'html'] as const;
type Format = (typeof FORMATS)[number];

interface ProfileArguments extends ReplayArguments {
  readonly kernelSymbols?: string | undefined;
  readonly format: Format;
  readonly top: string;
  readonly output?: string | undefined;
}

const GROUP = 'Profile options:';
const MAX_TOP = 100_000;

/** `palindrome profile LOG`: replays a recording and says where its instructions were executed. */
export const profileCommand: CommandModule<object, ProfileArguments> = {
  command: 'profile <log>',
  describe: 'Replay LOG and say where its instructions were executed: functions, loops, TBs, flame graph',
  builder: (argv) =>
    sessionOptions(machineOptions(argv.positional('log', { type: 'string', demandOption: true, describe: 'Log file to replay' })))
      .option('kernel-symbols', {
        type: 'string',
        requiresArg: true,
        describe: "Names of the kernel's functions: System.map, /proc/kallsyms, or vmlinux (ELF)",
        group: GROUP,
      })
      .option('format', {
        choices: FORMATS,
        default: 'table' as const,
        describe: 'table: to be read; folded: for flamegraph.pl; speedscope, cpuprofile: for viewers; html: a flame graph',
        group: GROUP,
      })
      .option('top', { type: 'string', requiresArg: true, default: '20', describe: 'Functions, loops and TBs in the table', group: GROUP })
      .option('output', { type: 'string', alias: 'o', requiresArg: true, describe: 'Write to this file instead of stdout', group: GROUP })
      .hide('screenshot')
      .example('$0 profile linux.rr --kernel-symbols System.map', 'hot functions, loops and TBs of the whole recording')
      .example('$0 profile linux.rr --format html -o linux.html', 'a flame graph to be opened in a browser')
      .epilogue('Counts are exact: every instruction of the recording is counted once. Profiling changes nothing of the replay.') as never,
  handler: async (args) => {
    const top = topOf(args.top);
    const json = args.json ?? false;
    checkOutput(args, json);
    const job = replayJob(args);
    const kind = {
      module: new URL('../../profile/worker.js', import.meta.url),
      data: { profile: { symbols: args.kernelSymbols ?? null, top } },
    };
    const result = await execute<ProfiledResult>({ ...job, config: silentTargets(job.config) }, null, kind);
    const { profile, ...summary } = result;
    // It ended before there was a machine.
    if (profile === undefined) {
      summarize('profile', summary, json);
      return;
    }
    if (json && args.format === 'table' && args.output === undefined) {
      if (result.stop === 'divergence') process.exitCode = EXIT_DIVERGENCE;
      const { icount, digest, events, stop, wallSeconds, divergence } = summary;
      const { profileJson } = await import('../../profile/formats/table.js');
      await printLines([
        JSON.stringify({ command: 'profile', icount, digest, events, stop, wallSeconds, divergence, ...profileJson(profile, top) }),
      ]);
      return;
    }
    const lines = await linesOf(args.format, profile, `${basename(args.log)}: ${result.icount.toLocaleString('en-US')} instructions`, top);
    if (args.output === undefined) await printLines(lines);
    else writeLines('--output', args.output, lines);
    summarize('profile', summary, json);
  },
};

/** The disassembler of the table takes a tenth of a second to load: only who needs it waits for it. */
async function linesOf(format: Format, profile: ProfileData, title: string, top: number): Promise<Iterable<string>> {
  switch (format) {
    case 'table':
      return (await import('../../profile/formats/table.js')).table(profile, top);
    case 'folded':
      return folded(profile);
    case 'speedscope':
      return speedscope(profile, title);
    case 'cpuprofile':
      return cpuprofile(profile);
    case 'html':
      return html(profile, title);
  }
}

function topOf(text: string): number {
  const top = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(top >= 1 && top <= MAX_TOP)) throw new UserError('bad-option', `--top ${text}: expected a number from 1 to ${MAX_TOP}`);
  return top;
}

/** Refuses a file that could not be written before the replay begins. */
function checkOutput({ format, output, log }: ProfileArguments, json: boolean): void {
  if (output === undefined) {
    if (json && format !== 'table')
      throw new UserError('bad-option', `--json with --format ${format} needs --output: stdout has room for one of them`);
    return;
  }
  if (output === '') throw new UserError('bad-option', '--output: the file name is empty');
  if (!existsSync(dirname(output))) throw new UserError('file-io', `--output ${output}: no such folder`);
  if (existsSync(output) && !statSync(output).isFile()) throw new UserError('file-io', `--output ${output}: not a regular file`);
  if (existsSync(output) && existsSync(log) && [log, `${log}.json`].some((f) => existsSync(f) && sameFile(f, output)))
    throw new UserError('bad-option', `--output ${output} would overwrite the recording`);
}

function sameFile(a: string, b: string): boolean {
  const [x, y] = [statSync(a), statSync(b)];
  return x.dev === y.dev && x.ino === y.ino;
}
