import type { Argv } from 'yargs';
import { UserError } from '../core/errors.js';
import type { JitMode } from '../machine/job.js';

/** Options that every command that runs a machine takes. */
export interface SessionArguments {
  readonly until?: string | undefined;
  readonly jit: JitMode;
  readonly json?: boolean | undefined;
  readonly screenshot?: string | undefined;
}

const GROUP = 'Run options:';

export function sessionOptions<T>(argv: Argv<T>): Argv<T & SessionArguments> {
  return argv
    .option('until', { type: 'string', requiresArg: true, describe: 'Stop at this instruction count', group: GROUP })
    .option('jit', {
      choices: ['off', 'on', 'force'] as const,
      default: 'on' as const,
      describe: 'Interpret only, translate hot code, or translate everything at once',
      group: GROUP,
    })
    .option('screenshot', { type: 'string', requiresArg: true, describe: 'Write the screen at the end to this PNG file', group: GROUP })
    .option('json', { type: 'boolean', describe: 'Print the summary as one line of JSON on stdout', group: GROUP }) as unknown as Argv<
    T & SessionArguments
  >;
}

/** Decodes --until, or another option that gives an instruction count; commas and underscores between digits are allowed. */
export function untilIcount(text: string | undefined, option = '--until'): number | null {
  if (text === undefined) return null;
  const value = /^\d[\d_,]*$/.test(text) ? Number(text.replaceAll(/[,_]/g, '')) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new UserError('bad-option', `${option} ${text}: expected an instruction count`);
  return value;
}
