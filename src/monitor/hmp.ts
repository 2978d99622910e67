import { UserError } from '../core/errors.js';
import { ArgumentError, CommandLine } from './command-line.js';
import { type Command, type CommandGroup, namesOf } from './commands/command.js';
import { executionCommands } from './commands/execution.js';
import { inputCommands } from './commands/input.js';
import { machineCommands } from './commands/machine.js';
import { memoryCommands } from './commands/memory.js';
import { replayCommands } from './commands/replay.js';
import { snapshotCommands } from './commands/snapshots.js';
import { CommandError, type MachineControl, ReportedError } from './machine-control.js';

/** Longest command line that is taken. */
export const MAX_LINE_BYTES = 4096;

/** QEMU's human monitor: a line in, text out. */
export class HumanMonitor {
  private readonly commands: readonly Command[];
  private readonly infos: readonly Command[];

  constructor(control: MachineControl) {
    const groups: CommandGroup[] = [
      executionCommands(control),
      replayCommands(control),
      snapshotCommands(control),
      inputCommands(control),
      memoryCommands(control),
      machineCommands(control),
    ];
    this.infos = sorted(groups.flatMap((g) => g.infos));
    this.commands = sorted([
      ...groups.flatMap((g) => g.commands),
      { names: 'help|?', parameters: '[cmd]', help: 'show the help', run: (line) => this.help(line.rest()) },
      { names: 'info', parameters: '[subcommand]', help: 'show various information about the system state', run: () => this.help('info') },
    ]);
  }

  /** Executes a line; gives what it says, every line ended. Never fails. */
  async execute(line: string): Promise<string> {
    const [first, behind] = word(line.slice(0, MAX_LINE_BYTES));
    if (first === '') return '';
    if (first !== 'info' || behind.trim() === '') return this.carryOut(this.commands, first, behind, '');
    const [second, rest] = word(behind);
    return this.carryOut(this.infos, second, rest, 'info ');
  }

  /** Names that the last word of a line may become. */
  completions(line: string): string[] {
    const words = line.trimStart().split(/\s+/);
    const of = words.length === 1 ? this.commands : words.length === 2 && words[0] === 'info' ? this.infos : [];
    return of.flatMap(namesOf).filter((name) => name.startsWith(words.at(-1)!));
  }

  private async carryOut(commands: readonly Command[], name: string, rest: string, prefix: string): Promise<string> {
    const command = commands.find((c) => namesOf(c).includes(name));
    if (command === undefined) return `unknown command: '${prefix}${name}'\n`;
    try {
      return await command.run(new CommandLine(command.names, rest));
    } catch (e) {
      const { message } = e as Error;
      if (e instanceof ArgumentError) return `${message}\nTry "help ${prefix}${name}" for more information\n`;
      return e instanceof ReportedError || (e instanceof UserError && !(e instanceof CommandError))
        ? `Error: ${message}\n`
        : `${message}\n`;
    }
  }

  private help(wanted: string): string {
    const [first, behind] = word(wanted);
    const [second] = word(behind);
    const listed = first === 'info' ? this.infos : this.commands;
    const name = first === 'info' ? second : first;
    const prefix = first === 'info' ? 'info ' : '';
    const shown = name === '' ? listed : listed.filter((c) => namesOf(c).includes(name));
    if (shown.length === 0) return `unknown command: '${prefix}${name}'\n`;
    return shown.map((c) => `${prefix}${c.names} ${c.parameters} -- ${c.help}\n`).join('');
  }
}

/** The name that a line begins with, and the rest. As in QEMU, a format may follow a name without a blank. */
function word(line: string): [string, string] {
  const [, name, rest] = /^\s*([^\s/]*)([\s\S]*)$/.exec(line) as unknown as [string, string, string];
  return name === '' && rest.startsWith('/') ? [rest.trim(), ''] : [name, rest];
}

function sorted(commands: readonly Command[]): Command[] {
  return [...commands].sort((a, b) => (a.names < b.names ? -1 : 1));
}
