import { changeButtons, moveMouse, pressKeys } from '../key-events.js';
import { CommandError, type MachineControl } from '../machine-control.js';
import type { CommandGroup } from './command.js';

/** Keyboard and mouse. */
export function inputCommands(control: MachineControl): CommandGroup {
  let buttons = 0;
  return {
    commands: [
      {
        names: 'sendkey',
        parameters: 'keys [hold_ms]',
        help: "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)",
        run: async (line) => {
          const names = line.string().split('-');
          if (!line.ended) line.integer(await control.machine.call('registers', {}));
          line.end();
          const keys = pressKeys(names);
          if (!Array.isArray(keys)) throw new CommandError(`invalid parameter: ${keys.unknown}`);
          await control.send(keys);
          return '';
        },
      },
      {
        names: 'mouse_move',
        parameters: 'dx dy [dz]',
        help: 'send mouse move events',
        run: async (line) => {
          const [dx, dy, dz] = [line.string(), line.string(), line.optionalString() ?? '0'];
          line.end();
          await control.send(moveMouse(leadingNumber(dx), leadingNumber(dy), leadingNumber(dz)));
          return '';
        },
      },
      {
        names: 'mouse_button',
        parameters: 'state',
        help: 'change mouse button state (1=L, 2=R, 4=M)',
        run: async (line) => {
          const to = line.integer(await control.machine.call('registers', {})) | 0;
          line.end();
          await control.send(changeButtons(buttons, to));
          buttons = to;
          return '';
        },
      },
    ],
    infos: [],
  };
}

/** As C's strtol: what does not begin with a number is 0. */
function leadingNumber(text: string): number {
  const [, sign, digits] = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(text) ?? [];
  if (digits === undefined) return 0;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return (sign === '-' ? -value : value) | 0;
}
