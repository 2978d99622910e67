import { existsSync } from 'node:fs';
import type { Argv, CommandModule } from 'yargs';
import type { SnapshotEntry } from '../../block/qcow2/snapshot-table.js';
import { UserError } from '../../core/errors.js';
import type { MachineConfig } from '../../machine/config.js';
import { readSidecar } from '../../machine/sidecar.js';
import { refuseSnapshotFile, snapshotFile } from '../../machine/snapshot-files.js';
import { checkSnapshotName, SnapshotStore } from '../../machine/snapshot-store.js';
import { snapshotTable } from '../../machine/snapshot-table.js';
import { execute, summarize } from '../execute.js';
import { machineOptions } from '../machine-options.js';
import { printLines } from '../print-lines.js';
import { type ReplayArguments, replayJob } from '../replay-job.js';
import { sessionOptions, untilIcount } from '../session-options.js';
import { silentTargets } from '../terminal-targets.js';

interface StoreArguments {
  readonly log: string;
  readonly store?: string | undefined;
  readonly json?: boolean | undefined;
}

interface NamedArguments extends StoreArguments {
  readonly name: string;
}

interface CreateArguments extends ReplayArguments, NamedArguments {
  readonly at: string;
}

function storeArguments<T>(argv: Argv<T>): Argv<T & StoreArguments> {
  return argv
    .positional('log', { type: 'string', demandOption: true, describe: 'Log file of the recording' })
    .option('store', {
      type: 'string',
      requiresArg: true,
      describe: 'qcow2 image with the snapshots (else what LOG.json says, else LOG.qcow2)',
    })
    .option('json', { type: 'boolean', describe: 'Print JSON' }) as unknown as Argv<T & StoreArguments>;
}

const NAME = { type: 'string', demandOption: true, describe: 'Name of the snapshot' } as const;

/** The image with the snapshots of a recording, for reading. */
function storeOf({ log, store }: StoreArguments): string {
  return snapshotFile(log, store ?? null, readSidecar(log));
}

/** The same for writing, which a LOG.json of a stranger must not lead astray. */
function writableStoreOf(args: StoreArguments, config: MachineConfig | null): string {
  const file = storeOf(args);
  const machine = config ?? readSidecar(args.log)?.machine ?? null;
  if (machine !== null) refuseSnapshotFile(file, args.log, machine, args.store !== undefined);
  return file;
}

/** `palindrome snapshot list LOG`. */
const listCommand: CommandModule<object, StoreArguments> = {
  command: 'list <log>',
  describe: 'Print the snapshots of a recording as QEMU does, ICOUNT being the instruction each was taken at',
  builder: (argv) => storeArguments(argv).example('$0 snapshot list boot.rr --json', 'one object a line'),
  handler: async (args) => {
    const file = storeOf(args);
    const entries = args.store === undefined && !existsSync(file) ? [] : new SnapshotStore(file).list();
    await printLines(args.json ? entries.map((entry) => JSON.stringify(described(entry))) : snapshotTable(entries));
  },
};

function described({ id, name, vmStateBytes, dateSeconds, dateNanoseconds, vmClockNs, icount }: SnapshotEntry): object {
  return { id, name, vmStateBytes, date: new Date(dateSeconds * 1000 + dateNanoseconds / 1e6).toISOString(), vmClockNs, icount };
}

/** `palindrome snapshot create LOG NAME --at N`. */
const createCommand: CommandModule<object, CreateArguments> = {
  command: 'create <log> <name>',
  describe: 'Replay the recording to an instruction and keep the state of the machine there',
  builder: (argv) =>
    sessionOptions(machineOptions(storeArguments(argv).positional('name', NAME)))
      .option('at', { type: 'string', demandOption: true, requiresArg: true, describe: 'Instruction count to replay to' })
      .hide('until')
      .hide('screenshot')
      .example('$0 snapshot create boot.rr login --at 5000000', 'into boot.rr.qcow2, which is made if need be')
      .epilogue('A snapshot of that name is replaced. To begin a replay there: palindrome replay LOG --icount rrsnapshot=NAME') as never,
  handler: async (args) => {
    checkSnapshotName(args.name);
    const job = replayJob(args);
    const at = untilIcount(args.at, '--at');
    const file = writableStoreOf(args, job.config);
    // What is wrong with the image shows before the replay.
    SnapshotStore.orNew(file).list();
    const snapshots = { store: file, given: args.store !== undefined, first: job.snapshots?.first ?? null, last: args.name };
    const result = await execute({ ...job, config: silentTargets(job.config), until: at, snapshots }, null);
    if (args.json || result.stop === 'divergence') return summarize('snapshot create', result, args.json ?? false);
    if (result.stop === 'signal') throw new UserError('bad-option', `interrupted at instruction ${result.icount}; nothing was kept`);
    await printLines([`${file}: snapshot ${args.name} at instruction ${result.icount}`]);
  },
};

/** `palindrome snapshot delete LOG NAME`. */
const deleteCommand: CommandModule<object, NamedArguments> = {
  command: 'delete <log> <name>',
  describe: 'Forget a snapshot',
  builder: (argv) => storeArguments(argv).positional('name', NAME) as never,
  handler: (args) => new SnapshotStore(writableStoreOf(args, null)).delete(args.name),
};

/** `palindrome snapshot ...`: states of a recorded machine that are kept in a qcow2 image. */
export const snapshotCommand: CommandModule = {
  command: 'snapshot',
  describe: 'Keep, list and forget states of a recorded machine (in a qcow2 image)',
  builder: (argv) =>
    argv
      .command(listCommand)
      .command(createCommand)
      .command(deleteCommand)
      .example('$0 record boot.rr --bios bios-256k.bin --icount shift=3,rrsnapshot=start', 'with a snapshot at the start')
      .example('$0 snapshot create boot.rr late --at 5000000', 'one more, later')
      .example('$0 snapshot list boot.rr', 'what there is')
      .demandCommand(1, 'Which snapshot command? See palindrome snapshot --help.'),
  handler: () => {},
};
