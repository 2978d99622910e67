import { charDeviceLines, MICE } from '../char-devices.js';
import { ArgumentError } from '../command-line.js';
import { driveLines } from '../drive-text.js';
import type { MachineControl } from '../machine-control.js';
import { writeScreen } from '../screen-file.js';
import { type Command, type CommandGroup, lines } from './command.js';

/** What the machine consists of, and its screen. */
export function machineCommands(control: MachineControl): CommandGroup {
  const { machine } = control;
  return {
    commands: [
      {
        names: 'screendump',
        parameters: 'filename [-f format] [device [head]]',
        help: "save screen from head 'head' of display device 'device' in specified format 'format' as image 'filename'. Formats are 'png' and 'ppm'; without -f the name's ending decides, and ppm is written for others",
        run: async (line) => {
          const path = line.string('filename');
          const format = line.flagValue('f');
          const device = line.optionalString();
          line.end();
          await writeScreen(control, path, { format, device });
          return '';
        },
      },
    ],
    infos: [
      {
        names: 'mtree',
        parameters: '[-f][-d][-o][-D]',
        help: 'show what is at which memory address and I/O port now (the options change nothing)',
        run: async (line) => {
          for (const letter of 'fdoD') line.flag(letter, 'fdoD');
          line.end();
          return lines(await machine.call('describe', { what: 'addresses' }));
        },
      },
      described('qtree', 'show device tree', () => machine.call('describe', { what: 'devices' })),
      described('network', 'show the network state', () => machine.call('describe', { what: 'networks' })),
      {
        names: 'block',
        parameters: '[-n] [-v] [device]',
        help: 'show info of one block device or all block devices (-n: show named nodes; -v: show details)',
        run: async (line) => {
          for (const letter of 'nv') line.flag(letter, 'nv');
          const device = line.optionalString();
          line.end();
          const drives = await control.drives();
          const shown = device === null ? drives : drives.filter((d) => d.device === device);
          if (device !== null && shown.length === 0) throw new ArgumentError(`Device '${device}' not found`);
          return lines(driveLines(shown));
        },
      },
      described('chardev', 'show the character devices', () => charDeviceLines(control.charDevices)),
      described('mice', 'show which guest mouse is receiving events', () => MICE.map(({ index, name }) => `* Mouse #${index}: ${name}`)),
      described('version', 'show the version of QEMU that is spoken here', () => ['7.2.22 (palindrome)']),
      described('name', 'show the current VM name', () => (control.name === null ? [] : [control.name])),
    ],
  };
}

function described(names: string, help: string, text: () => Promise<readonly string[]> | readonly string[]): Command {
  return {
    names,
    parameters: '',
    help,
    run: async (line) => {
      line.end();
      return lines(await text());
    },
  };
}
