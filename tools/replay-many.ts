/**
 * Replays a recording many times, several at once so that the machine is busy, and tells how many reached the same end: instructions, events, digest, serial output.
 * Build first (npm run build).
 *   npx tsx tools/replay-many.ts LOG [--times 20] [--at-once 3] [--jit on] [--node PROGRAM] [--until ICOUNT]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { MAIN } from './program.js';

const args = await yargs(hideBin(process.argv))
  .command('$0 <log>', 'replay a recording many times')
  .positional('log', { type: 'string', demandOption: true })
  .option('times', { type: 'number', default: 20 })
  .option('at-once', { type: 'number', default: 3 })
  .option('jit', { choices: ['off', 'on', 'force'] as const, default: 'on' as const })
  .option('node', { type: 'string', default: process.execPath })
  .option('until', { type: 'number' })
  .parseAsync();

const dir = mkdtempSync(join(tmpdir(), 'replays-'));

/** One replay: how it ended, in a line. */
async function replay(number: number): Promise<string> {
  const serial = join(dir, `serial-${number}`);
  const until = args.until === undefined ? [] : ['--until', String(args.until)];
  const options = ['replay', args.log, '--jit', args.jit, '--serial', `file:${serial}`, '--json', ...until];
  const child = spawn(args.node, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (!output.startsWith('{')) return `exit ${status}`;
  const { icount, events, digest, stop, divergence } = JSON.parse(output) as Record<string, unknown>;
  const text = createHash('md5').update(readFileSync(serial)).digest('hex');
  return `exit ${status}, ${stop}, instructions ${icount}, events ${events}, digest ${digest}, serial output ${text}${divergence === null ? '' : ', DIVERGED'}`;
}

const ends = new Map<string, number>();
let next = 0;
async function worker(): Promise<void> {
  while (next < args.times) {
    const number = next++;
    const end = await replay(number);
    ends.set(end, (ends.get(end) ?? 0) + 1);
    console.log(`replay ${number + 1}: ${end}`);
  }
}
await Promise.all(Array.from({ length: args.atOnce }, worker));
for (const [end, count] of ends) console.log(`${count} of ${args.times}: ${end}`);
process.exitCode = ends.size === 1 && [...ends.keys()][0]!.startsWith('exit 0') ? 0 : 1;
rmSync(dir, { recursive: true });
