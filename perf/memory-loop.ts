/**
 * The 9-instruction memory loop as a multiboot guest, here and on QEMU with -icount shift=3, interleaved in one run.
 * Each side runs a short and a long version; the difference leaves start-up out. Needs qemu-system-i386 and nasm. Run after `npm run build`:
 *   node dist/perf/memory-loop.js [rounds]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtProgram, needs } from './needs.js';

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
  const { error, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (error !== undefined) throw new Error(`${command}: ${error.message} ${stderr}`);
  return (performance.now() - start) / 1000;
}

const qemu = (file: string): number =>
  seconds('qemu-system-i386', [
    ...['-M', 'pc', '-m', '16', '-kernel', file, '-icount', 'shift=3', '-display', 'none', '-nodefaults', '-net', 'none'],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
  ]);
const ours = (file: string): number =>
  seconds(process.execPath, [
    ...[main, 'run', '--kernel', file, '--memory', '16M', '--nodefaults', '--icount', 'shift=3'],
    ...['--device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
  ]);

function rate(run: (file: string) => number, short: number, long: number): number {
  const difference = run(guest(long)) - run(guest(short));
  return ((long - short) * TURN_INSTRUCTIONS) / difference / 1e6;
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const results: { ours: number[]; qemu: number[] } = { ours: [], qemu: [] };
for (let i = 0; i < rounds; i++) {
  results.ours.push(rate(ours, 50, 1050));
  results.qemu.push(rate(qemu, 50, 450));
  console.log(`round ${i + 1}: palindrome ${results.ours[i]!.toFixed(0)}, QEMU ${results.qemu[i]!.toFixed(0)} million instructions/s`);
}
const [a, b] = [median(results.ours), median(results.qemu)];
console.log(`median: palindrome ${a.toFixed(0)}, QEMU -icount shift=3 ${b.toFixed(0)}, ratio ${(a / b).toFixed(2)}`);
rmSync(dir, { recursive: true });
