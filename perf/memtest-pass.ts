/**
 * memtest86+ runs the whole of its first pass on 16 MiB, here and in QEMU with -icount shift=7: wall time, instructions, errors found.
 * Needs qemu-system-i386, SeaBIOS and what tools/fetch-debian-i386.sh brings. Run after `npm run build`:
 *   node dist/perf/memtest-pass.js
 * With shift=7 the bit fade test, which waits for minutes of guest time, takes few instructions.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MEMTEST, MEMTEST_APPEND, MemtestScreen } from './guests/memtest.js';
import { builtProgram, needs } from './needs.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const main = builtProgram('memtest-pass');
needs(BIOS, 'seabios');
needs('qemu-system-i386', 'qemu-system-x86');
needs(MEMTEST, 'memtest86+ by tools/fetch-debian-i386.sh');
const dir = mkdtempSync(join(tmpdir(), 'memtest-'));
const machine = ['-m', '16M', '--nodefaults', '--kernel', MEMTEST, '--append', MEMTEST_APPEND, '--icount', 'shift=7'];

/** Waits until the screen says that a pass is complete, ends the program and says how it went. */
async function firstPass(name: string, child: ChildProcess, output: string, icount: () => number): Promise<number> {
  const start = performance.now();
  const ended = new Promise((resolve) => child.once('close', resolve));
  const screen = (): MemtestScreen => new MemtestScreen(existsSync(output) ? readFileSync(output, 'latin1') : '');
  while (child.exitCode === null && (screen().states.at(-1)?.passes ?? 0) === 0) await sleep(500);
  const seconds = (performance.now() - start) / 1000;
  child.kill('SIGINT');
  await ended;
  const { states, rows } = screen();
  const { passes, errors } = states.at(-1) ?? { passes: 0, errors: 0 };
  const tests = [...new Set(states.map(({ test }) => test))];
  console.log(`${name}: ${passes} pass complete in ${seconds.toFixed(1)} s, ${errors} errors; tests seen: ${tests.join('; ')}`);
  console.log(rows.slice(0, 9).join('\n'));
  if (icount() > 0) console.log(`${name}: ${icount()} instructions`);
  return seconds;
}

const [ours, theirs] = [join(dir, 'ours'), join(dir, 'theirs')];
const args = ['run', ...machine, '--bios', BIOS, '--serial', `file:${ours}`, '--json'];
const palindrome = spawn(main, args, { stdio: ['ignore', 'pipe', 'ignore'] });
let summary = '';
palindrome.stdout?.on('data', (text: Buffer) => {
  summary += text.toString();
});
const ourSeconds = await firstPass('palindrome', palindrome, ours, () => (JSON.parse(summary) as { icount: number }).icount);
const bare = ['-M', 'pc', '-cpu', 'qemu32', '-display', 'none', '-net', 'none', '-serial', `file:${theirs}`];
const qemu = spawn('qemu-system-i386', [...machine, ...bare], { stdio: 'ignore' });
const theirSeconds = await firstPass('QEMU', qemu, theirs, () => 0);
console.log(`ratio ${(ourSeconds / theirSeconds).toFixed(2)}`);
rmSync(dir, { recursive: true });
