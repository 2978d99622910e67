/**
 * Makes the Linux guest of the benchmarks in a folder: the kernel of Debian's installer (package debian-installer-12-netboot-i386) and its initrd with two
 * scripts, /small and /long, laid over it; they are started with rdinit=.
 *   npx tsx perf/guests/debian.ts FOLDER
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type CpioFile, cpioArchive, cpioContents } from './cpio.js';

export const DEBIAN_I386 = '/usr/lib/debian-installer/images/12/i386/text/debian-installer/i386';

const MOUNTS = `#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
`;
const SMALL = `${MOUNTS}echo small: begin
uname -a
cat /sys/devices/system/clocksource/clocksource0/current_clocksource
cat /proc/interrupts | sed 's/ [0-9]\\+ / N /'
dmesg
echo small: end
poweroff -f
`;
/** Asks for a line and does what it says; for tests of typing. */
const SHELL = `${MOUNTS}echo shell: ready
sh
poweroff -f
`;
const LONG = `${MOUNTS}echo long: begin
i=0
while [ $i -lt 100000 ]; do i=$((i+1)); done
echo $i
dd if=/dev/zero bs=1M count=48 2>/dev/null | md5sum
dd if=/dev/zero bs=1M count=16 2>/dev/null | sha512sum
seq 1 40000 | sort -r | md5sum
echo long: end
poweroff -f
`;

/** Writes linux and initrd.gz into the folder; Debian's own have to be there. `more` is laid over them too. */
export function makeDebianGuest(
  folder: string,
  scripts: Readonly<Record<string, string>> = {},
  more: readonly CpioFile[] = [],
): { kernel: string; initrd: string } {
  mkdirSync(folder, { recursive: true });
  const kernel = join(folder, 'linux');
  const initrd = join(folder, 'initrd.gz');
  const all = { small: SMALL, shell: SHELL, long: LONG, ...scripts };
  const files = Object.entries(all).map(([name, text]) => ({ name, mode: 0o755, data: Buffer.from(text) }));
  copyFileSync(join(DEBIAN_I386, 'linux'), kernel);
  writeFileSync(initrd, Buffer.concat([readFileSync(join(DEBIAN_I386, 'initrd.gz')), gzipSync(cpioArchive([...files, ...more]))]));
  return { kernel, initrd };
}

/** What of Debian's initrd the shell needs. */
const SHELL_FILES = ['bin/busybox', 'lib/i386-linux-gnu/libc.so.6', 'lib/i386-linux-gnu/ld-linux.so.2'];
const SHELL_FOLDERS = ['bin', 'lib', 'lib/i386-linux-gnu', 'proc', 'sys', 'dev', 'tmp'];
const APPLETS = ['sh', 'mount', 'cat', 'echo', 'dd', 'md5sum', 'sleep', 'poweroff', 'dmesg', 'tr', 'seq', 'sort'];

/** The same kernel with an initrd of nothing but a shell and one script, /run: boots in a third of the instructions. */
export function makeShellGuest(folder: string, script: string): { kernel: string; initrd: string } {
  mkdirSync(folder, { recursive: true });
  const kernel = join(folder, 'linux');
  const initrd = join(folder, 'shell.gz');
  const whole = cpioContents(gunzipSync(readFileSync(join(DEBIAN_I386, 'initrd.gz'))), SHELL_FILES);
  const link = (name: string, target: string): CpioFile => ({ name, mode: 0o120777, data: Buffer.from(target) });
  const files = [
    ...SHELL_FOLDERS.map((name) => ({ name, mode: 0o755, data: null })),
    ...[...whole].map(([name, data]) => ({ name, mode: 0o755, data })),
    link('lib/ld-linux.so.2', 'i386-linux-gnu/ld-linux.so.2'),
    ...APPLETS.map((name) => link(`bin/${name}`, 'busybox')),
    { name: 'run', mode: 0o755, data: Buffer.from(`${MOUNTS}${script}`) },
  ];
  copyFileSync(join(DEBIAN_I386, 'linux'), kernel);
  writeFileSync(initrd, gzipSync(cpioArchive(files)));
  return { kernel, initrd };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const folder = process.argv[2];
  if (folder === undefined || !existsSync(DEBIAN_I386)) {
    console.error('usage: npx tsx perf/guests/debian.ts FOLDER   (needs Debian package debian-installer-12-netboot-i386)');
    process.exit(1);
  }
  makeDebianGuest(folder);
}
