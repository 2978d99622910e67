import type { MachineControl } from '../machine-control.js';
import { type CommandGroup, silent } from './command.js';

/** Commands that let the machine run, stop, step, or end. */
export function executionCommands(control: MachineControl): CommandGroup {
  return {
    commands: [
      { names: 'cont|c', parameters: '', help: 'resume emulation', run: silent(() => control.cont()) },
      { names: 'stop|s', parameters: '', help: 'stop emulation', run: silent(() => control.stop()) },
      { names: 'quit|q', parameters: '', help: 'quit the emulator', run: silent(() => control.end('host-qmp-quit')) },
      {
        names: 'step',
        parameters: '',
        help: 'execute one instruction or take one interrupt',
        run: silent(() => control.move({ kind: 'step' })),
      },
      {
        names: 'reverse_step',
        parameters: '',
        help: 'go back by one instruction or interrupt',
        run: silent(() => control.move({ kind: 'reverse-step' })),
      },
      { names: 'system_reset', parameters: '', help: 'reset the system', run: silent(() => control.reset()) },
      { names: 'system_powerdown', parameters: '', help: 'send system power down event', run: silent(() => control.powerDown()) },
      {
        names: 'go_live',
        parameters: '',
        help: 'leave the recording here: the machine goes on by itself, with live devices, when it is let run',
        run: silent(() => control.goLive()),
      },
    ],
    infos: [
      {
        names: 'status',
        parameters: '',
        help: 'show the current VM status (running|paused)',
        run: async (line) => {
          line.end();
          const state = await control.runState();
          if (state === 'running') return 'VM status: running\n';
          return `VM status: paused${state === 'paused' ? '' : ` (${state})`}\n`;
        },
      },
    ],
  };
}
