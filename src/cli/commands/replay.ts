import type { CommandModule } from 'yargs';
import { UserError } from '../../core/errors.js';
import { checkScreenshot, execute, summarize, writeScreenshot } from '../execute.js';
import { machineOptions } from '../machine-options.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';
import { sessionOptions, untilIcount } from '../session-options.js';
import { stdinDevice } from '../stdin-device.js';
import { terminalTargets } from '../terminal-targets.js';

interface StatisticsArguments extends ReplayArguments {
  readonly stats?: boolean | undefined;
  readonly goLiveAt?: string | undefined;
  readonly fromStart?: boolean | undefined;
}

/** `palindrome replay LOG`: runs a recording again. */
export const replayCommand: CommandModule<object, StatisticsArguments> = {
  command: 'replay <log>',
  describe: 'Run the recording LOG again, to the same instruction',
  builder: (argv) =>
    sessionOptions(machineOptions(argv.positional('log', { type: 'string', demandOption: true, describe: 'Log file to replay' })))
      .option('go-live-at', {
        type: 'string',
        requiresArg: true,
        describe: 'Leave the log at this instruction and go on as a normal run, with the keyboard on the serial port',
      })
      .option('stats', { type: 'boolean', describe: 'Say where the instructions were executed, and what translation cost' })
      .option('from-start', { type: 'boolean', describe: 'With --until: run from the start, not from the nearest checkpoint' })
      .example('$0 replay boot.rr', 'the machine comes from boot.rr.json')
      .example('$0 replay boot.rr --until 5000000 --screenshot screen.png', 'the screen at that instruction')
      .example('$0 replay boot.rr --icount rrsnapshot=NAME', 'begin at a snapshot: see palindrome snapshot --help')
      .example('$0 replay boot.rr --go-live-at 5000000', 'take over from there; Ctrl-C ends it')
      .epilogue('Exit code 3: the replay diverged from its log.') as never,
  handler: async (args) => {
    const job = replayJob(args);
    checkScreenshot(args.screenshot, job.config);
    const goLiveAt = untilIcount(args.goLiveAt, '--go-live-at');
    if (goLiveAt !== null && job.until !== null && job.until < goLiveAt)
      throw new UserError('bad-option', `--until ${args.until} is before --go-live-at ${args.goLiveAt}`);
    const result = await execute(
      {
        ...job,
        config: terminalTargets(job.config, args.json ?? false),
        statistics: args.stats ?? false,
        goLiveAt,
        seek: !args.fromStart && !args.stats && goLiveAt === null && !job.snapshots?.first,
      },
      goLiveAt === null ? null : stdinDevice(job.config),
    );
    await writeScreenshot(args.screenshot, result);
    summarize('replay', result, args.json ?? false);
  },
};
