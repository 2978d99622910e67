import { existsSync } from 'node:fs';
import type { Argv, CommandModule } from 'yargs';
import { CheckpointStore, type StoredCheckpoint } from '../../../replay/checkpoints/store.js';
import { UserError } from '../../core/errors.js';
import { checkpointsPath, knownPages } from '../../machine/checkpoint-files.js';
import { ADDED_INTERVAL, checkpointInterval } from '../../machine/checkpoint-interval.js';
import { recordingIdentity } from '../../machine/recording-identity.js';
import { execute, summarize } from '../execute.js';
import { machineOptions } from '../machine-options.js';
import { printLines } from '../print-lines.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';
import { sessionOptions } from '../session-options.js';

interface AddArguments extends ReplayArguments {
  readonly every: string;
}

const log = <T>(argv: Argv<T>): Argv<T & ReplayArguments> =>
  sessionOptions(
    machineOptions(argv.positional('log', { type: 'string', demandOption: true, describe: 'The recording' }) as never),
  ) as never;

const add: CommandModule<object, AddArguments> = {
  command: 'add <log>',
  describe: 'Replay LOG and put checkpoints beside it',
  builder: (argv) =>
    log(argv)
      .option('every', {
        type: 'string',
        requiresArg: true,
        default: ADDED_INTERVAL,
        describe: 'Their distance: instructions (50M), guest time (1s), or auto (12M)',
      })
      .example('$0 checkpoint add boot.rr', 'from then on any instruction is reached within some tenths of a second')
      .epilogue('Checkpoints that are there stay. Ctrl-C keeps those made so far.') as never,
  handler: async (args) => {
    const checkpoints = checkpointInterval('--every', args.every);
    if (checkpoints === null) throw new UserError('bad-option', `--every ${args.every}: there would be none to add`);
    const result = await execute({ ...replayJob({ ...args, json: true }), checkpoints }, null);
    const failure = result.checkpoints?.failure ?? null;
    if (failure !== null) throw new UserError('file-io', failure);
    summarize('checkpoint add', result, args.json ?? false);
  },
};

interface ListArguments extends ReplayArguments {
  readonly digests: boolean;
}

const list: CommandModule<object, ListArguments> = {
  command: 'list <log>',
  describe: 'Say which checkpoints LOG has',
  builder: (argv) =>
    log(argv).option('digests', {
      type: 'boolean',
      default: false,
      describe: 'Give the digest of the machine at each, as replay --until prints it there (reads the whole store)',
    }) as never,
  handler: async (args) => {
    const { config, inputs = [] } = replayJob(args);
    const path = checkpointsPath(args.log);
    if (!existsSync(path)) {
      await printLines(args.json ? [JSON.stringify({ checkpoints: [], bytes: 0, damages: [] })] : [`${path}: there is none`]);
      return;
    }
    const store = new CheckpointStore(path, recordingIdentity(args.log, config, inputs), knownPages(config, inputs));
    try {
      await printLines(args.json ? [jsonLine(store, args.digests)] : table(store, args.digests));
    } finally {
      store.close();
    }
  },
};

function jsonLine(store: CheckpointStore, digests: boolean): string {
  const checkpoints = store.checkpoints.map((c) => ({
    icount: c.icount,
    timeNs: c.timeNs,
    events: c.position.events,
    ...(digests ? { digest: store.digest(c) } : {}),
  }));
  return JSON.stringify({ checkpoints, bytes: store.bytes, damages: store.scrub().damages });
}

function table(store: CheckpointStore, digests: boolean): string[] {
  const row = (c: StoredCheckpoint): string =>
    `${c.icount.toLocaleString('en-US').padStart(20)}  ${(c.timeNs / 1e9).toFixed(3).padStart(12)} s  ${String(c.position.events).padStart(10)}${digests ? `  ${store.digest(c) ?? '-'}` : ''}`;
  const head = `${'instructions'.padStart(20)}  ${'guest time'.padStart(14)}  ${'events'.padStart(10)}${digests ? '  digest' : ''}`;
  const foot = `${store.checkpoints.length} checkpoints, ${store.bytes.toLocaleString('en-US')} bytes`;
  return [head, ...store.checkpoints.map(row), foot, ...store.scrub().damages.map((d) => `damaged: ${d}`)];
}

/** `palindrome checkpoint`: the checkpoints beside a log. */
export const checkpointCommand: CommandModule = {
  command: 'checkpoint',
  describe: 'Make and list checkpoints of a recording: places that can be reached at once',
  builder: (argv) => argv.command(add).command(list).demandCommand(1, 'Which command? See palindrome checkpoint --help.'),
  handler: () => {},
};
