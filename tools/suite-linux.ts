/**
 * Runs programs of a public test suite (static, 32-bit, for Linux) under Debian's kernel in QEMU and here, and compares the exit status of each, and the length and MD5 of
 * what it writes. With --show, all the output of one program is printed, to be compared by eye. Needs debian-installer-12-netboot-i386; build first (npm run build).
 *   npx tsx tools/suite-linux.ts FOLDER [--cpu qemu32|max] [--minutes 8] [--jit off|on|force] [--only NAME...] [--show NAME]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { makeDebianGuest } from '../perf/guests/debian.js';
import { MAIN } from './program.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';

const args = await yargs(hideBin(process.argv))
  .command('$0 <folder>', 'compare the output of test programs with QEMU')
  .positional('folder', { type: 'string', demandOption: true })
  .option('cpu', { choices: ['qemu32', 'max'] as const, default: 'max' as const })
  .option('minutes', { type: 'number', default: 8 })
  .option('jit', { choices: ['off', 'on', 'force'] as const, default: 'on' as const })
  .option('only', { type: 'string', array: true })
  .option('show', { type: 'string' })
  .parseAsync();

const names = args.show !== undefined ? [args.show] : (args.only ?? readdirSync(args.folder).sort());
const show = args.show === undefined ? 'echo "$(wc -c < /tmp/out) bytes, MD5 $(md5sum < /tmp/out)"' : 'cat /tmp/out';
const SCRIPT = `#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /tmp
mount -t tmpfs none /tmp
ip link set lo up
cd /tmp
for i in ${names.join(' ')}; do
  /suite/$i > /tmp/out 2>&1
  echo "== $i: status $?"
  ${show}
done
echo "== end"
poweroff -f
`;

/** What the guest said of each program. */
function results(output: string): Map<string, string> {
  const parts = output.replaceAll('\r\n', '\n').split('== ').slice(1);
  return new Map(parts.map((part) => [part.split(/[:\n]/)[0]!, part.slice(part.indexOf(':') + 1).trim()]));
}

async function run(command: string, options: readonly string[], serial: string): Promise<Map<string, string>> {
  const child = spawn(command, options, { stdio: ['ignore', 'ignore', 'inherit'], timeout: args.minutes * 60_000 });
  await new Promise((resolve) => child.once('close', resolve));
  return results(readFileSync(serial, 'latin1'));
}

const dir = mkdtempSync(join(tmpdir(), 'suite-'));
try {
  const programs = names.map((name) => ({ name: `suite/${name}`, mode: 0o755, data: readFileSync(join(args.folder, name)) }));
  const guest = makeDebianGuest(dir, { suite_script: SCRIPT }, [{ name: 'suite', mode: 0o755, data: null }, ...programs]);
  const linux = [
    '--kernel',
    guest.kernel,
    '--initrd',
    guest.initrd,
    '--append',
    'console=ttyS0 rdinit=/suite_script norandmaps quiet panic=-1 cryptomgr.notests',
  ];
  const common = [...linux, '-m', '768M', '--cpu', args.cpu, '--nodefaults', '--no-reboot', '--icount', 'shift=3', '--serial'];
  const [q, p] = [join(dir, 'qemu'), join(dir, 'ours')];
  const qemu = [...common, `file:${q}`, '-M', 'pc', '-display', 'none', '-net', 'none'];
  const ours = [MAIN, 'run', ...common, `file:${p}`, '--bios', SEABIOS, '--jit', args.jit];
  const [theirs, our] = await Promise.all([run('qemu-system-i386', qemu, q), run(process.execPath, ours, p)]);
  for (const name of names) {
    const [a, b] = [theirs.get(name) ?? 'did not run', our.get(name) ?? 'did not run'];
    console.log(a === b ? `${name}: ${a}; as QEMU` : `${name}: DIFFERS\nQEMU: ${a}\nours: ${b}`);
    if (a !== b) process.exitCode = 1;
  }
} finally {
  rmSync(dir, { recursive: true });
}
