import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { EXIT_USER_ERROR, UserError } from '../core/errors.js';
import { checkpointCommand } from './commands/checkpoint.js';
import { debugCommand } from './commands/debug.js';
import { demoCommand } from './commands/demo.js';
import { logCommand } from './commands/log.js';
import { profileCommand } from './commands/profile.js';
import { recordCommand } from './commands/record.js';
import { replayCommand } from './commands/replay.js';
import { runCommand } from './commands/run.js';
import { snapshotCommand } from './commands/snapshot.js';
import { verifyCommand } from './commands/verify.js';

/** One line for what the user can mend; the whole stack for what is our fault. */
function fail(error: unknown): never {
  if (error instanceof UserError) {
    process.stderr.write(`palindrome: ${error.message}\n`);
    process.exit(EXIT_USER_ERROR);
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`palindrome: internal error, please report it\n${stack}\n`);
  process.exit(1);
}

process.stdout.on('error', (e: NodeJS.ErrnoException) => {
  if (e.code !== 'EPIPE') fail(new UserError('file-io', `stdout: ${e.message}`));
});

/** What yargs has to say about the arguments. */
function inOneLine(message: string): string {
  if (message.startsWith('Not enough non-option arguments')) return 'a file name is missing; add --help to see what the command takes';
  const line = message.replace(/\s*\n\s*/g, ' ');
  const lacking = /^(?:Not enough arguments following|Missing required argument): (\S+)$/.exec(line);
  if (lacking !== null) return line.startsWith('Not') ? `--${lacking[1]} needs a value` : `--${lacking[1]} is missing`;
  const choice = /^Invalid values: Argument: (\S+), Given: "(.*)", Choices: (.*)$/.exec(line);
  if (choice !== null) return `--${choice[1]} ${choice[2]}: known are ${choice[3]!.replaceAll('"', '')}`;
  return line;
}

/** The options that may be given several times, as the command declares them. */
function lists(): readonly string[] {
  return (parser as unknown as { getOptions(): { readonly array: readonly string[] } }).getOptions().array;
}

/** yargs makes an array of an option that was given twice; here that is a mistake. */
function onlyOnce(args: Record<string, unknown>): void {
  const several = lists();
  for (const [name, value] of Object.entries(args)) {
    // yargs gives each by the name in camel case, too.
    const declared = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (name !== '_' && Array.isArray(value) && !several.includes(declared))
      throw new UserError('bad-option', `--${name} is given more than once`);
  }
}

/** An empty word is no file's name. */
function fileNames(args: Record<string, unknown>): void {
  for (const name of ['log', 'in', 'out']) if (args[name] === '') throw new UserError('bad-option', 'a file name is empty');
  for (const name of ['bios', 'vgabios', 'kernel', 'initrd', 'screenshot', 'keep'])
    if (args[name] === '') throw new UserError('bad-option', `--${name}: the file name is empty`);
}

const parser = yargs(hideBin(process.argv))
  .parserConfiguration({ 'boolean-negation': false })
  .scriptName('palindrome')
  .usage('$0 COMMAND: record a whole machine once, replay it to the exact instruction')
  .command(runCommand)
  .command(recordCommand)
  .command(replayCommand)
  .command(debugCommand)
  .command(profileCommand)
  .command(snapshotCommand)
  .command(verifyCommand)
  .command(checkpointCommand)
  .command(logCommand)
  .command(demoCommand)
  .demandCommand(1, 'Which command? See palindrome --help.')
  .strict()
  .locale('en')
  .alias('h', 'help')
  .middleware(onlyOnce, true)
  .middleware(fileNames)
  .example('$0 record boot.rr --bios bios-256k.bin --memory 64M', 'record a firmware boot; Ctrl-C ends it')
  .example('$0 replay boot.rr', 'run it again, to the same instruction')
  .example('$0 log stat boot.rr', 'what the recording holds')
  .epilogue('palindrome COMMAND --help lists the options of a command.')
  .wrap(Math.min(110, process.stderr.columns ?? 110))
  .fail((message, error) =>
    fail(error === undefined || error.name === 'YError' ? new UserError('bad-option', inOneLine(error?.message ?? message)) : error),
  );

/**
 * yargs lays out a command's help each time the command runs, in case it asks for it afterwards: 0.2 s, while the machine's thread starts. None of ours does; --help and
 * errors are not concerned.
 */
function withoutUnreadHelp(instance: object): void {
  const { getInternalMethods } = instance as { getInternalMethods?: () => { getUsageInstance(): { cacheHelpMessage(): void } } };
  const usage = getInternalMethods?.call(instance).getUsageInstance();
  if (usage !== undefined) usage.cacheHelpMessage = () => {};
}

withoutUnreadHelp(parser);
try {
  await parser.parseAsync();
} catch (error) {
  fail(error);
}
