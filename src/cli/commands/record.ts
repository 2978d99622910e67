import type { CommandModule } from 'yargs';
import { checkpointInterval, RECORDING_INTERVAL } from '../../machine/checkpoint-interval.js';
import { configure, type MachineArguments } from '../../machine/config.js';
import { planRecording } from '../../machine/new-recording.js';
import { recordingEnd, writeSidecar } from '../../machine/sidecar.js';
import { checkScreenshot, execute, summarize, writeScreenshot } from '../execute.js';
import { machineOptions } from '../machine-options.js';
import { type SessionArguments, sessionOptions, untilIcount } from '../session-options.js';
import { stdinDevice } from '../stdin-device.js';
import { terminalTargets } from '../terminal-targets.js';

interface RecordArguments extends MachineArguments, SessionArguments {
  readonly log: string;
  readonly logFormat: '5.2' | '7.2';
  readonly checkpointEvery: string;
}

/** `palindrome record LOG`: runs a machine and writes its log, with LOG.json beside it. */
export const recordCommand: CommandModule<object, RecordArguments> = {
  command: 'record <log>',
  describe: 'Run a machine and record it into LOG (and LOG.json)',
  builder: (argv) =>
    sessionOptions(machineOptions(argv.positional('log', { type: 'string', demandOption: true, describe: 'Log file to write' })))
      .option('log-format', {
        type: 'string',
        choices: ['5.2', '7.2'] as const,
        default: '5.2' as const,
        describe: 'QEMU release whose log format is written (5.2: with EVENT_ASYNC)',
      })
      .option('checkpoint-every', {
        type: 'string',
        requiresArg: true,
        default: RECORDING_INTERVAL,
        describe:
          'Distance of checkpoints (LOG.checkpoints): instructions (50M), guest time (1s), auto (12M, but 25 ms at least between two), or off',
      })
      .example('$0 record boot.rr --bios bios-256k.bin --memory 64M', 'record a firmware boot; Ctrl-C ends it')
      .epilogue('A recording that is interrupted stays readable up to its last event.') as never,
  handler: async (args) => {
    const { snapshots: asked, ...config } = configure(args);
    const { log, logFormat } = args;
    const checkpoints = checkpointInterval('--checkpoint-every', args.checkpointEvery);
    const { sidecar, snapshots } = planRecording(log, config, logFormat, asked);
    checkScreenshot(args.screenshot, config);
    const job = {
      kind: 'record',
      config: terminalTargets(config, args.json ?? false),
      log,
      logFormat,
      sidecar,
      checkpoints,
      until: untilIcount(args.until),
      jit: args.jit,
      screenshot: args.screenshot !== undefined,
      strict: true,
      final: null,
      ...(asked === undefined ? {} : { snapshots }),
    } as const;
    const result = await execute(job, stdinDevice(config));
    writeSidecar(log, { ...sidecar, final: recordingEnd(log, result) });
    await writeScreenshot(args.screenshot, result);
    summarize('record', result, args.json ?? false);
  },
};
