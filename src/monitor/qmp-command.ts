import type { QmpArguments } from './qmp-arguments.js';

/** A command of the machine protocol: takes its arguments, carries itself out, and gives what it returns (undefined: nothing). Throws QmpError, CommandError, UserError. */
export type QmpCommand = (args: QmpArguments) => Promise<unknown> | unknown;

/** A command without arguments. */
export function plain(run: () => Promise<unknown> | unknown): QmpCommand {
  return (args) => {
    args.end();
    return run();
  };
}
