import type { CommandModule } from 'yargs';
import { MachineThread } from '../../debug/machine-thread.js';
import { GdbServer } from '../../gdb/gdb-server.js';
import { listen, parseListenAddress } from '../listen.js';
import { machineOptions } from '../machine-options.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';

interface DebugArguments extends ReplayArguments {
  readonly gdb: string;
}

/** `palindrome debug LOG`: a recording under a debugger, forwards and backwards. */
export const debugCommand: CommandModule<object, DebugArguments> = {
  command: 'debug <log>',
  describe: 'Step through the recording LOG with gdb, forwards and backwards',
  builder: (argv) =>
    machineOptions(argv.positional('log', { type: 'string', demandOption: true, describe: 'Log file to debug' }))
      .option('gdb', {
        type: 'string',
        requiresArg: true,
        default: 'tcp:127.0.0.1:1234',
        describe: 'Where gdb connects: tcp:HOST:PORT (port 0: any free one) or unix:PATH',
      })
      .option('jit', {
        choices: ['off', 'on', 'force'] as const,
        default: 'on' as const,
        describe: 'Interpret only, translate hot code, or translate everything at once',
      })
      .example('$0 debug boot.rr', 'then, in gdb: target remote :1234')
      .example('$0 debug boot.rr --gdb unix:/tmp/gdb.socket', 'on a socket that only you can reach')
      .epilogue(
        'In gdb: stepi, continue, break, watch and hbreak as usual; reverse-stepi, reverse-continue and reverse-finish go back. The guest is the recorded one at every instruction: breakpoints and steps change nothing.',
      ) as never,
  handler: async (args) => {
    const address = parseListenAddress('--gdb', args.gdb);
    const machine = new MachineThread(replayJob(args));
    const quit = (): void => void machine.call('quit', {}).catch(() => {});
    const server = new GdbServer(machine, { monitor: null, quit });
    process.on('SIGINT', quit).on('SIGTERM', quit);
    try {
      await Promise.race([machine.ready, machine.ended]);
      process.stderr.write(`debug: gdb can connect with: target remote ${gdbTarget(await listen('--gdb', server.listener, address))}\n`);
      await machine.ended;
    } finally {
      server.close();
      process.off('SIGINT', quit).off('SIGTERM', quit);
    }
  },
};

/** An address as gdb's `target remote` takes it. */
function gdbTarget(address: string): string {
  return address.replace(/^(tcp|unix):/, '');
}
