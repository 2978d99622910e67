import { snapshotTable } from '../../machine/snapshot-table.js';
import { CommandError, type MachineControl } from '../machine-control.js';
import type { CommandGroup } from './command.js';
import { lines } from './command.js';

/** savevm, loadvm, delvm. */
export function snapshotCommands(control: MachineControl): CommandGroup {
  return {
    commands: [
      {
        names: 'savevm',
        parameters: 'tag',
        help: 'save a VM snapshot. If no tag is provided, a new snapshot is created',
        run: async (line) => {
          const name = line.optionalString();
          line.end();
          await control.saveSnapshot(name);
          return '';
        },
      },
      {
        names: 'loadvm',
        parameters: 'tag',
        help: 'restore a VM snapshot from its tag',
        run: async (line) => {
          const name = line.string();
          line.end();
          await control.loadSnapshot(name);
          return '';
        },
      },
      {
        names: 'delvm',
        parameters: 'tag',
        help: 'delete a VM snapshot from its tag',
        run: async (line) => {
          const name = line.string();
          line.end();
          await control.deleteSnapshot(name);
          return '';
        },
      },
    ],
    infos: [
      {
        names: 'snapshots',
        parameters: '',
        help: 'show the currently saved VM snapshots',
        run: async (line) => {
          line.end();
          const entries = await control.machine.call('snapshots', {}).catch((e: Error) => {
            throw new CommandError(e.message);
          });
          if (entries.length === 0) return 'There is no snapshot available.\n';
          // Numbers of snapshots may differ from disk to disk, and QEMU shows none.
          return lines(['List of snapshots present on all disks:', ...snapshotTable(entries.map((entry) => ({ ...entry, id: '--' })))]);
        },
      },
    ],
  };
}
