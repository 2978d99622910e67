/**
 * The 9-instruction memory loop as a multiboot guest, here, on QEMU with -icount shift=3, and on v86, interleaved in one run.
 * Each side runs a short and a long version; the difference leaves start-up out. Needs qemu-system-i386, SeaBIOS (for v86) and nasm. Run after `npm run build`:
 *   node dist/perf/memory-loop.js [rounds]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goal, median } from './figures.js';
import { builtProgram, needs } from './needs.js';
import { v86Program } from './v86.js';

const TURN_INSTRUCTIONS = 9 * 0x40000;
const rounds = Number(process.argv[2] ?? 3);
const main = builtProgram('memory-loop');
needs('nasm', 'nasm');
needs('qemu-system-i386', 'qemu-system-x86');
const root = new URL('../..', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'loop-'));

function guest(outer: number): string {
  const file = join(dir, `loop-${outer}.bin`);
  execFileSync('nasm', ['-f', 'bin', `-DOUTER=${outer}`, join(root, 'perf/guests/memory-loop.asm'), '-o', file]);
  return file;
}

function seconds(command: string, args: readonly string[]): number {
  const start = performance.now();
  const { error, status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (error !== undefined || (status ?? 3) > 1) throw new Error(`${command}: ${error?.message ?? `status ${status}`} ${stderr}`);
  return (performance.now() - start) / 1000;
}

const qemu = (file: string): number =>
  seconds('qemu-system-i386', [
    ...['-M', 'pc', '-m', '16', '-kernel', file, '-icount', 'shift=3', '-display', 'none', '-nodefaults', '-net', 'none'],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
  ]);
const ours = (file: string): number =>
  seconds(main, [
    ...['run', '--kernel', file, '--memory', '16M', '--nodefaults', '--icount', 'shift=3'],
    ...['--device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
  ]);

const v86 = (file: string): number => seconds(process.execPath, [v86Program(), '16', '.', 'multiboot', file]);

/** Each side with the turns of its short and of its long version. */
const sides = {
  palindrome: { run: ours, turns: [50, 1050] },
  QEMU: { run: qemu, turns: [50, 450] },
  v86: { run: v86, turns: [50, 1050] },
} as const;
type Side = keyof typeof sides;
const names = Object.keys(sides) as Side[];

function rate(name: Side): number {
  const { run, turns } = sides[name];
  const [short, long] = turns;
  const difference = run(guest(long)) - run(guest(short));
  return ((long - short) * TURN_INSTRUCTIONS) / difference / 1e6;
}

const results: Record<Side, number[]> = { palindrome: [], QEMU: [], v86: [] };
for (let i = 0; i < rounds; i++) {
  for (const name of names) results[name].push(rate(name));
  console.log(`round ${i + 1}: ${names.map((name) => `${name} ${results[name][i]!.toFixed(0)}`).join(', ')} million instructions/s`);
}
const medians = names.map((name) => `${name} ${median(results[name]).toFixed(0)}`);
console.log(`median: ${medians.join(', ')} million instructions/s (QEMU with -icount shift=3)`);
goal('times QEMU', median(results.palindrome) / median(results.QEMU), 'at least', 5);
goal('times v86', median(results.palindrome) / median(results.v86), 'at least', 1.5);
rmSync(dir, { recursive: true });
