import type { CommandModule } from 'yargs';
import type { ServiceConfig } from '../debug-services.js';
import { machineOptions } from '../machine-options.js';
import { NetworkEnds } from '../network-ends.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';
import { onStopSignal } from '../stop-signals.js';
import { terminalTargets } from '../terminal-targets.js';

interface DebugArguments extends ReplayArguments {
  readonly gdb: string;
  readonly qmp?: string | undefined;
  readonly monitor?: string | undefined;
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
        describe:
          'Where gdb connects: tcp:HOST:PORT (port 0: any free one), unix:PATH, none, or stdio (in gdb: target remote | palindrome debug LOG --gdb stdio)',
      })
      .option('monitor', { type: 'string', requiresArg: true, describe: "QEMU's human monitor: stdio, tcp:HOST:PORT or unix:PATH" })
      .option('qmp', { type: 'string', requiresArg: true, describe: "QEMU's machine protocol: tcp:HOST:PORT or unix:PATH" })
      .option('jit', {
        choices: ['off', 'on', 'force'] as const,
        default: 'on' as const,
        describe: 'Interpret only, translate hot code, or translate everything at once',
      })
      .example('$0 debug boot.rr', 'then, in gdb: target remote :1234')
      .example('$0 debug boot.rr --monitor stdio', 'with a monitor in this terminal: replay_seek, info registers, x, help')
      .epilogue(
        'In gdb: stepi, continue, break, watch and hbreak as usual; reverse-stepi, reverse-continue and reverse-finish go back; monitor COMMAND reaches the monitor. The guest is the recorded one at every instruction: breakpoints and steps change nothing.',
      ) as never,
  handler: async (args) => {
    const { DebugServices } = await import('../debug-services.js');
    const { MachineThread } = await import('../../debug/machine-thread.js');
    const services = await wanted(args);
    const job = replayJob(args);
    // What gdb speaks on is no place for what the guest says.
    const piped = services.some(({ kind, where }) => kind === 'gdb' && where === 'stdio');
    const networks = new NetworkEnds(job.config);
    const machine = new MachineThread({ ...job, config: networks.connect(terminalTargets(job.config, piped)) });
    networks.serve(
      (requests) => machine.call('input', { requests }),
      (text) => process.stderr.write(`debug: ${text}\n`),
    );
    const quit = (): void => void machine.call('quit', {}).catch(() => {});
    const running = new DebugServices(machine, quit);
    const endSignals = onStopSignal(() => running.control.end('host-signal'));
    try {
      running.openPipes(services);
      await Promise.race([machine.ready, machine.ended]);
      running.begin();
      for (const service of services) say(service, await running.open(service));
      await machine.ended;
    } finally {
      networks.close();
      running.close();
      endSignals();
    }
  },
};

async function wanted({ gdb, monitor, qmp }: DebugArguments): Promise<ServiceConfig[]> {
  const { gdbService, monitorService, refuseTwoTerminals } = await import('../debug-services.js');
  const services: (ServiceConfig | null)[] = [
    gdbService('--gdb', gdb),
    monitor === undefined ? null : monitorService('--monitor', 'readline', monitor),
    qmp === undefined ? null : monitorService('--qmp', 'control', qmp),
  ];
  const wanted = services.filter((s) => s !== null);
  refuseTwoTerminals(wanted);
  return wanted;
}

function say(service: ServiceConfig, address: string | null): void {
  if (address === null) return;
  // An address as gdb's `target remote` takes it.
  if (service.kind === 'gdb') process.stderr.write(`debug: gdb can connect with: target remote ${address.replace(/^(tcp|unix):/, '')}\n`);
  else process.stderr.write(`debug: ${service.option} at ${address}\n`);
}
