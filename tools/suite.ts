/**
 * Runs images of a public test suite in QEMU and here, and compares what they write to the first serial port and to port 0xe9, and how they exit.
 * An image is a multiboot kernel (--kernel), a hard disk with a boot sector (SeaBIOS starts it; wrap kernels that need firmware with GRUB) or a ROM. Build first (npm run build).
 *   npx tsx tools/suite.ts [--cpu qemu32|max] [--memory 128M] [--seconds 30] [--jit off|on|force] [--mask REGEXP] IMAGE...
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { MAIN } from './program.js';

const MULTIBOOT_MAGIC = 0x1badb002;
/** The multiboot header lies in a kernel's first 8 KiB. */
const MULTIBOOT_SPACE = 8192;
const BOOT_SIGNATURE = 0xaa55;
const SEABIOS = '/usr/share/seabios/bios-256k.bin';

const args = await yargs(hideBin(process.argv))
  .command('$0 <images..>', 'compare the output of test images with QEMU')
  .positional('images', { type: 'string', array: true, demandOption: true })
  .option('cpu', { choices: ['qemu32', 'max'] as const, default: 'max' as const })
  .option('memory', { type: 'string', default: '128M' })
  .option('seconds', { type: 'number', default: 30, describe: 'end a side that does not end by itself' })
  .option('jit', { choices: ['off', 'on', 'force'] as const, default: 'on' as const })
  .option('mask', { type: 'string', describe: 'what to leave out of the comparison (addresses, times)' })
  .parseAsync();
const mask = args.mask === undefined ? null : new RegExp(args.mask, 'g');

interface Outcome {
  readonly exit: string;
  readonly lines: readonly string[];
}

function isMultiboot(bytes: Buffer): boolean {
  const head = bytes.subarray(0, MULTIBOOT_SPACE);
  for (let at = 0; at + 4 <= head.length; at += 4) if (head.readUInt32LE(at) === MULTIBOOT_MAGIC) return true;
  return false;
}

/** The options that start an image. */
function start(image: string): string[] {
  const bytes = readFileSync(image);
  // GRUB's own image has a multiboot header too: first look whether it is a disk.
  if (bytes.readUInt16LE(510) === BOOT_SIGNATURE) return ['--bios', SEABIOS, '--drive', `file=${image},format=raw,snapshot=on`];
  return isMultiboot(bytes) ? ['--kernel', image] : ['--bios', image];
}

/** Runs one side until it ends, or is ended by SIGINT when its time is over. */
async function run(command: string, options: readonly string[], outputs: readonly string[]): Promise<Outcome> {
  const child = spawn(command, options, { stdio: ['ignore', 'pipe', 'ignore'] });
  let [late, summary] = [false, ''];
  const end = setTimeout(() => {
    late = true;
    child.kill('SIGINT');
  }, args.seconds * 1000);
  child.stdout.on('data', (data) => {
    summary += data;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(end);
  const text = outputs.map((file) => (existsSync(file) ? readFileSync(file, 'latin1') : '')).join('');
  const exit = /"exitValue":(\d+)/.exec(summary)?.[1] ?? status;
  return {
    exit: late ? 'stopped' : `exit ${exit}`,
    lines: text.split(/\r?\n/).map((line) => (mask === null ? line : line.replace(mask, '*'))),
  };
}

function sides(image: string, dir: string): [theirs: Promise<Outcome>, ours: Promise<Outcome>] {
  const common = ['-m', args.memory, '--cpu', args.cpu, '--nodefaults', ...start(image), '--no-reboot', '--icount', 'shift=3'];
  common.push('--device', 'isa-debug-exit,iobase=0xf4,iosize=4');
  const outputs = (side: string): string[] => ['serial', 'port'].map((name) => join(dir, `${side}-${name}`));
  const files = ([serial, port]: string[]): string[] => ['--serial', `file:${serial}`, '--debugcon', `file:${port}`];
  const [q, p] = [outputs('qemu'), outputs('ours')];
  const qemu = [...common, ...files(q), '-M', 'pc', '-display', 'none', '-net', 'none'];
  const ours = [...common, ...files(p)].map((option) => (option === `file:${p[1]}` ? `${option},iobase=0xe9` : option));
  return [run('qemu-system-i386', qemu, q), run(process.execPath, [MAIN, 'run', ...ours, '--jit', args.jit, '--json'], p)];
}

function verdict(theirs: Outcome, ours: Outcome): string | null {
  const at = theirs.lines.findIndex((line, i) => line !== ours.lines[i]);
  if (at >= 0) return `line ${at + 1}: QEMU "${theirs.lines[at]}", ours "${ours.lines[at] ?? ''}"`;
  if (ours.lines.length !== theirs.lines.length) return `ours goes on: "${ours.lines[theirs.lines.length]}"`;
  return ours.exit === theirs.exit ? null : `QEMU ends with ${theirs.exit}, ours with ${ours.exit}`;
}

let differing = 0;
for (const image of args.images) {
  const dir = mkdtempSync(join(tmpdir(), 'suite-'));
  try {
    const [theirs, ours] = await Promise.all(sides(image, dir));
    const count = (word: RegExp): number => ours.lines.filter((line) => word.test(line)).length;
    const difference = verdict(theirs, ours);
    if (difference !== null) differing++;
    const result = `${ours.exit}, ${count(/^PASS/)} PASS, ${count(/^FAIL/)} FAIL, ${count(/^SKIP/)} SKIP, ${ours.lines.length} lines`;
    console.log(`${basename(image)}: ${result}; ${difference === null ? 'as QEMU' : `differs at ${difference}`}`);
  } finally {
    rmSync(dir, { recursive: true });
  }
}
process.exitCode = differing === 0 ? 0 : 1;
