import { ArgumentError, type CommandLine } from '../command-line.js';
import { CommandError, type MachineControl } from '../machine-control.js';
import { eventsAround, eventsBetween, MAX_EVENTS } from '../replay-events.js';
import { type CommandGroup, lines, silent } from './command.js';

/** Commands for the recording that is replayed. */
export function replayCommands(control: MachineControl): CommandGroup {
  return {
    commands: [
      {
        names: 'replay_break',
        parameters: 'icount...',
        help: 'set breakpoint at the specified instruction count (or several)',
        run: async (line) => {
          const icounts = [await icount(control, line)];
          while (!line.ended) icounts.push(await icount(control, line));
          await control.replayBreak(icounts);
          return '';
        },
      },
      {
        names: 'replay_delete_break',
        parameters: '',
        help: 'remove replay breakpoint',
        run: silent(() => control.replayDeleteBreak()),
      },
      {
        names: 'replay_seek',
        parameters: 'icount',
        help: 'replay execution to the specified instruction count',
        run: async (line) => {
          const to = await icount(control, line);
          line.end();
          await control.replaySeek(to);
          return '';
        },
      },
      {
        names: 'replay_events',
        parameters: '[-e] [from [to]]',
        help: `show events of the log: around this instruction, from one on, or between two; at most ${MAX_EVENTS} (-e: only what came from outside)`,
        run: (line) => events(control, line),
      },
      {
        names: 'when',
        parameters: '',
        help: 'show the instruction count, and nothing else',
        run: async (line) => {
          line.end();
          return `${(await control.status()).position.icount}\n`;
        },
      },
    ],
    infos: [
      {
        names: 'replay',
        parameters: '',
        help: 'show record/replay information',
        run: async (line) => {
          line.end();
          const { mode, filename, position } = await control.status();
          if (mode === 'none') return 'Record/replay is not active\n';
          return `${mode === 'record' ? 'Recording' : 'Replaying'} execution '${filename}': instruction count = ${position.icount}\n`;
        },
      },
    ],
  };
}

/** An instruction count: an expression, or a number with commas or underscores. */
async function icount(control: MachineControl, line: CommandLine): Promise<number> {
  const grouped = line.matching(/\d+(?:[,_]\d+)+(?!\S)/y);
  if (grouped !== null) return safe(BigInt(grouped.replaceAll(/[,_]/g, '')));
  return safe(line.expression(await control.machine.call('registers', {})));
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new ArgumentError('number too large');
  return number;
}

async function events(control: MachineControl, line: CommandLine): Promise<string> {
  const outside = line.flag('e');
  const from = line.ended ? null : await icount(control, line);
  const to = line.ended ? null : await icount(control, line);
  line.end();
  const { mode, filename, position } = await control.status();
  if (mode === 'none') throw new CommandError('Record/replay is not active');
  if (to !== null && to < from!) throw new CommandError(`${to} is before ${from}`);
  return lines(
    from === null
      ? await eventsAround(filename!, position.icount, outside)
      : await eventsBetween(filename!, from, to ?? Number.POSITIVE_INFINITY, outside),
  );
}
