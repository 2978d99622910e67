import type { CommandModule } from 'yargs';
import { UserError } from '../../core/errors.js';
import { configure, type MachineArguments } from '../../machine/config.js';
import { checkScreenshot, execute, summarize, writeScreenshot } from '../execute.js';
import { machineOptions } from '../machine-options.js';
import { type SessionArguments, sessionOptions, untilIcount } from '../session-options.js';
import { stdinDevice } from '../stdin-device.js';
import { terminalTargets } from '../terminal-targets.js';

/** `palindrome run`: a machine without a log. */
export const runCommand: CommandModule<object, MachineArguments & SessionArguments> = {
  command: 'run',
  describe: 'Run a machine without recording it',
  builder: (argv) =>
    sessionOptions(machineOptions(argv)).example('$0 run --bios bios-256k.bin --memory 64M --debugcon stdio', 'watch SeaBIOS boot'),
  handler: async (args) => {
    const { snapshots, ...config } = configure(args);
    if (snapshots?.first) throw new UserError('bad-option', '--icount rrsnapshot= is for record and replay: a run has no log');
    checkScreenshot(args.screenshot, config);
    const job = {
      kind: 'run',
      config: terminalTargets(config, args.json ?? false),
      log: null,
      logFormat: '5.2',
      until: untilIcount(args.until),
      jit: args.jit,
      screenshot: args.screenshot !== undefined,
      strict: true,
      final: null,
    } as const;
    const result = await execute(job, stdinDevice(config));
    await writeScreenshot(args.screenshot, result);
    summarize('run', result, args.json ?? false);
  },
};
