import type { Argv, CommandModule } from 'yargs';
import { decodeEvent } from '../../../replay/log/events.js';
import { CHECKPOINT_NAMES, CLOCK_NAMES, EventKind, eventName, isAsync, KIND_NAMES } from '../../../replay/log/kinds.js';
import { type LogCursor, openLog } from '../../../replay/log/reader.js';
import { type LogStat, statLog } from '../../../replay/log/stat.js';
import type { LogFormat } from '../../../replay/log/tables.js';
import { eventJson, eventLine, isExternal } from '../../../replay/log/text.js';
import { UserError } from '../../core/errors.js';
import { convertRecording } from '../../machine/convert-recording.js';
import { printLines } from '../print-lines.js';

interface LogArguments {
  readonly log: string;
  readonly json?: boolean | undefined;
}

interface DumpArguments extends Omit<LogArguments, 'log'> {
  readonly log?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly kind?: readonly string[] | undefined;
}

interface ConvertArguments {
  readonly in: string;
  readonly out: string;
  readonly format: LogFormat;
}

function logArgument<T>(argv: Argv<T>): Argv<T & LogArguments> {
  return argv
    .positional('log', { type: 'string', demandOption: true, describe: 'Log file, by palindrome or QEMU' })
    .option('json', { type: 'boolean', describe: 'Print JSON, one object a line' }) as unknown as Argv<T & LogArguments>;
}

/** `palindrome log stat LOG`. */
const statCommand: CommandModule<object, LogArguments> = {
  command: 'stat <log>',
  describe: 'Say what a log holds: version, instructions, events by kind',
  builder: (argv) => logArgument(argv).example('$0 log stat boot.rr --json', 'one line of JSON'),
  handler: async ({ log, json }) => {
    const cursor = openLog(log);
    try {
      const stat = statLog(cursor);
      await printLines(json ? [JSON.stringify(stat)] : statLines(stat));
    } finally {
      cursor.close();
    }
  },
};

function statLines(stat: LogStat): string[] {
  const ending = stat.complete
    ? 'complete'
    : `unfinished${stat.cutOffBytes > 0 ? `, ${stat.cutOffBytes} bytes of a half-written event` : ''}`;
  const lines = [
    `version       ${stat.version} (generation ${stat.generation}, QEMU ${stat.release})`,
    `instructions  ${stat.instructions}`,
    `events        ${stat.events}`,
    `bytes         ${stat.bytes}`,
    `ends          ${stat.endsWithEnd ? 'with END' : 'without END'} (${ending})`,
  ];
  const width = Math.max(0, ...Object.keys(stat.kinds).map((name) => name.length));
  for (const [name, count] of Object.entries(stat.kinds)) lines.push(`  ${name.padEnd(width)}  ${count}`);
  return lines;
}

/** `palindrome log dump LOG`. */
const dumpCommand: CommandModule<object, DumpArguments> = {
  command: 'dump [log]',
  describe: 'Print events, one a line: index, byte offset, instruction count, name, arguments',
  builder: (argv) =>
    logArgument(argv)
      .option('from', { type: 'string', requiresArg: true, describe: 'First instruction count to print' })
      .option('to', { type: 'string', requiresArg: true, describe: 'Last instruction count to print' })
      .option('kind', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'Only these, e.g. CLOCK_HOST, CHECKPOINT, ASYNC',
      })
      .example('$0 log dump boot.rr --from 1000000 --to 1001000', 'events between two instructions')
      .example('$0 log dump boot.rr --kind CLOCK_HOST', 'reads of the wall clock') as never,
  handler: async ({ log, json, from, to, kind }) => {
    const first = icountOption('--from', from, 0);
    const last = icountOption('--to', to, Number.POSITIVE_INFINITY);
    if (last < first) throw new UserError('bad-option', `--to ${to} is before --from ${from}`);
    const wanted = kindFilter(log === undefined ? kind?.slice(0, -1) : kind);
    await printEvents(log ?? kind?.at(-1) ?? missingLog(), json ?? false, last, (c) => c.icount >= first && (wanted === null || wanted(c)));
  },
};

/** `--kind A B LOG` takes LOG for one more kind: it is the last. */
function missingLog(): never {
  throw new UserError('bad-option', 'log dump: which log? See palindrome log dump --help.');
}

/** `palindrome log events LOG`. */
const eventsCommand: CommandModule<object, LogArguments> = {
  command: 'events <log>',
  describe: 'Print what came from outside: keys, mouse, characters, packets, random numbers',
  builder: (argv) => logArgument(argv).example('$0 log events boot.rr', 'keys typed, characters received'),
  handler: ({ log, json }) => printEvents(log, json ?? false, Number.POSITIVE_INFINITY, isExternal),
};

/** `palindrome log convert IN OUT`. */
const convertCommand: CommandModule<object, ConvertArguments> = {
  command: 'convert <in> <out>',
  describe: 'Rewrite a log (and its LOG.json) in the format of another QEMU release, where the meaning allows',
  builder: (argv) =>
    argv
      .positional('in', { type: 'string', demandOption: true, describe: 'Log file to read' })
      .positional('out', { type: 'string', demandOption: true, describe: 'Log file to write' })
      .option('format', {
        type: 'string',
        choices: ['5.2', '7.2'] as const,
        demandOption: true,
        describe: 'QEMU release whose format is written',
      })
      .example('$0 log convert boot.rr new.rr --format 7.2', 'for QEMU 7.2 and later') as never,
  handler: async (args) => {
    const done = convertRecording(args.in, args.out, args.format);
    await printLines([`${args.out}: ${done.eventsWritten} events, ${done.instructions} instructions, format ${args.format}`]);
  },
};

/** `palindrome log ...`: reads and converts recordings without running them. */
export const logCommand: CommandModule = {
  command: 'log',
  describe: 'Read and convert recordings',
  builder: (argv) =>
    argv
      .command(statCommand)
      .command(dumpCommand)
      .command(eventsCommand)
      .command(convertCommand)
      .example('$0 log stat boot.rr', 'what a recording holds')
      .example('$0 log dump boot.rr --from 1000000 --to 1001000', 'events between two instructions')
      .demandCommand(1, 'Which log command? See palindrome log --help.'),
  handler: () => {},
};

async function printEvents(log: string, json: boolean, last: number, wanted: (c: LogCursor) => boolean): Promise<void> {
  const cursor = openLog(log);
  try {
    await printLines(eventLines(cursor, json, last, wanted));
  } finally {
    cursor.close();
  }
}

/** Lines of the wanted events up to instruction `last`. */
function* eventLines(c: LogCursor, json: boolean, last: number, wanted: (c: LogCursor) => boolean): Generator<string> {
  while (c.next() && c.icount <= last) {
    if (wanted(c)) yield json ? eventJson(c, decodeEvent(c)) : eventLine(c, decodeEvent(c));
  }
}

function icountOption(name: string, text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  const value = /^[\d_,]+$/.test(text) ? Number(text.replaceAll(/[,_]/g, '')) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new UserError('bad-option', `${name} ${text}: expected an instruction count`);
  return value;
}

/** Names and groups of --kind, in either case, with - or _; the async kinds also without ASYNC_. Null: no filter. */
function kindFilter(names: readonly string[] | undefined): ((c: LogCursor) => boolean) | null {
  if (names === undefined) return null;
  const tests = names.flatMap((n) => n.split(',')).map(kindTest);
  return (c) => tests.some((test) => test(c));
}

function kindTest(text: string): (c: LogCursor) => boolean {
  const name = text
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^EVENT_/, '');
  if (name === 'ASYNC') return (c) => isAsync(c.kind);
  const kind = KIND_NAMES.findIndex((n) => n === name || n === `ASYNC_${name}`);
  if (kind >= 0) return (c) => c.kind === kind;
  if (!CLOCK_NAMES.includes(name) && !CHECKPOINT_NAMES.includes(name)) {
    const known = [...KIND_NAMES.slice(0, EventKind.NONE), 'ASYNC', ...CLOCK_NAMES, ...CHECKPOINT_NAMES];
    throw new UserError('bad-option', `--kind ${text}: no such event; there are ${known.join(', ')}`);
  }
  return (c) => eventName(c.kind, c.sub) === name;
}
