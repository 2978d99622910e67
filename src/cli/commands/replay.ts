import type { CommandModule } from 'yargs';
import { checkScreenshot, execute, summarize, writeScreenshot } from '../execute.js';
import { machineOptions } from '../machine-options.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';
import { sessionOptions } from '../session-options.js';
import { terminalTargets } from '../terminal-targets.js';

interface StatisticsArguments extends ReplayArguments {
  readonly stats?: boolean | undefined;
}

/** `palindrome replay LOG`: runs a recording again. */
export const replayCommand: CommandModule<object, StatisticsArguments> = {
  command: 'replay <log>',
  describe: 'Run the recording LOG again, to the same instruction',
  builder: (argv) =>
    sessionOptions(machineOptions(argv.positional('log', { type: 'string', demandOption: true, describe: 'Log file to replay' })))
      .option('stats', { type: 'boolean', describe: 'Say where the instructions were executed, and what translation cost' })
      .example('$0 replay boot.rr', 'the machine comes from boot.rr.json')
      .example('$0 replay boot.rr --until 5000000 --screenshot screen.png', 'the screen at that instruction')
      .epilogue('Exit code 3: the replay diverged from its log.') as never,
  handler: async (args) => {
    const job = replayJob(args);
    checkScreenshot(args.screenshot, job.config);
    const result = await execute(
      { ...job, config: terminalTargets(job.config, args.json ?? false), statistics: args.stats ?? false },
      null,
    );
    await writeScreenshot(args.screenshot, result);
    summarize('replay', result, args.json ?? false);
  },
};
