import { CommandError, type MachineControl } from './machine-control.js';
import type { QmpArguments } from './qmp-arguments.js';
import { plain, type QmpCommand } from './qmp-command.js';

const MAX_DEVICES = 64;
/** What QEMU's jobs may be told, and these cannot do. */
const VERBS = ['cancel', 'pause', 'resume', 'complete', 'finalize'];

/** snapshot-save, -load and -delete, and the jobs that they are. */
export function snapshotCommands(control: MachineControl): Record<string, QmpCommand> {
  const { jobs } = control;
  const start = (args: QmpArguments, type: string, work: (tag: string, devices: readonly string[]) => Promise<void>): void => {
    const [id, tag] = [args.string('job-id'), args.string('tag')];
    const devices = args.strings('devices', MAX_DEVICES);
    args.end();
    jobs.start(id, type, async () => {
      await checkDevices(control, devices);
      await work(tag, devices);
    });
  };
  const stateful =
    (type: string, work: typeof save): QmpCommand =>
    (args) => {
      const vmstate = args.string('vmstate');
      start(args, type, (tag, devices) => work(control, tag, devices, vmstate));
    };
  const byId =
    (act: (id: string) => void): QmpCommand =>
    (args) => {
      const id = args.string('id');
      args.end();
      act(id);
    };
  return {
    'snapshot-save': stateful('snapshot-save', save),
    'snapshot-load': stateful('snapshot-load', load),
    'snapshot-delete': (args) => start(args, 'snapshot-delete', (tag) => control.deleteSnapshot(tag)),
    'query-jobs': plain(() => jobs.list),
    'job-dismiss': byId((id) => jobs.dismiss(id)),
    ...Object.fromEntries(VERBS.map((verb) => [`job-${verb}`, byId((id) => jobs.refuse(id, verb))])),
  };
}

/** As QEMU: the machine stands still meanwhile, and a snapshot of that name is not replaced. Throws CommandError, UserError. */
async function save(control: MachineControl, tag: string, devices: readonly string[], vmstate: string): Promise<void> {
  const there = await control.machine.call('snapshots', {});
  if (there.some(({ name }) => name === tag)) throw new CommandError(`Snapshot '${tag}' already exists in one or more devices`);
  await checkPlace(control, devices, vmstate);
  const { running } = await control.status();
  await control.stop();
  try {
    await control.saveSnapshot(tag);
  } finally {
    if (running) await control.cont();
  }
}

async function load(control: MachineControl, tag: string, devices: readonly string[], vmstate: string): Promise<void> {
  const there = await control.machine.call('snapshots', {});
  if (there.some(({ name }) => name === tag)) await checkPlace(control, devices, vmstate);
  await control.loadSnapshot(tag);
}

/** Throws CommandError, with QEMU's words. */
async function checkDevices(control: MachineControl, devices: readonly string[]): Promise<void> {
  if (devices.length === 0) throw new CommandError('At least one device is required for snapshot');
  const nodes = (await control.drives()).map(({ nodeName }) => nodeName);
  const unknown = devices.find((name) => !nodes.includes(name));
  if (unknown !== undefined) throw new CommandError(`No block device node '${unknown}'`);
}

/** The state of the machine goes where it always goes: only that node is right. Throws CommandError, with QEMU's words. */
async function checkPlace(control: MachineControl, devices: readonly string[], vmstate: string): Promise<void> {
  const place = (await control.drives()).find(({ nodeName }) => nodeName === vmstate);
  if (place === undefined || !devices.includes(vmstate)) throw new CommandError(`vmstate block device '${vmstate}' does not exist`);
  if (place.attached) throw new CommandError(`vmstate block device '${vmstate}' does not support snapshots`);
}
