import type { CommandLine } from '../command-line.js';

/** A command of the human monitor. */
export interface Command {
  /** Its name and its aliases, `cont|c`. */
  readonly names: string;
  readonly parameters: string;
  readonly help: string;
  /** Takes its arguments from the line, carries it out, and gives what it says, every line ended. Throws ArgumentError, CommandError, UserError. */
  readonly run: (line: CommandLine) => Promise<string> | string;
}

/** Commands of one kind, and what `info` shows of it. */
export interface CommandGroup {
  readonly commands: readonly Command[];
  readonly infos: readonly Command[];
}

/** What a command is called by. */
export function namesOf({ names }: Command): string[] {
  return names.split('|');
}

/** Every line ended. */
export function lines(text: readonly string[]): string {
  return text.map((line) => `${line}\n`).join('');
}

/** A command without arguments that says nothing. */
export function silent(action: () => Promise<unknown> | unknown): Command['run'] {
  return async (line) => {
    line.end();
    await action();
    return '';
  };
}
