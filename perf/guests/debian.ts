/**
 * Makes the Linux guest of the benchmarks in a folder: the kernel of Debian's installer (package debian-installer-12-netboot-i386) and its initrd with
 * scripts laid over it, which are started with rdinit=. With /script the whole run is 9.3 thousand million instructions long, seven eighths of them the kernel's boot; /long works
 * five times as long.
 *   npx tsx perf/guests/debian.ts FOLDER
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CpioFile, cpioArchive } from './cpio.js';

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
/** Arithmetic in the shell, md5sum, sha512sum and sort, so many times each. */
const script = (name: string, turns: number, md5MB: number, sha512MB: number, lines: number): string => `${MOUNTS}echo ${name}: begin
i=0
while [ $i -lt ${turns} ]; do i=$((i+1)); done
echo $i
dd if=/dev/zero bs=1M count=${md5MB} 2>/dev/null | md5sum
dd if=/dev/zero bs=1M count=${sha512MB} 2>/dev/null | sha512sum
seq 1 ${lines} | sort -r | md5sum
echo ${name}: end
poweroff -f
`;
const SCRIPT = script('script', 20_000, 10, 3, 8_000);
const LONG = script('long', 100_000, 48, 16, 40_000);

/** Writes linux and initrd.gz into the folder; Debian's own have to be there. `more` is laid over them too. */
export function makeDebianGuest(
  folder: string,
  scripts: Readonly<Record<string, string>> = {},
  more: readonly CpioFile[] = [],
): { kernel: string; initrd: string } {
  mkdirSync(folder, { recursive: true });
  const kernel = join(folder, 'linux');
  const initrd = join(folder, 'initrd.gz');
  const all = { small: SMALL, shell: SHELL, script: SCRIPT, long: LONG, ...scripts };
  const files = Object.entries(all).map(([name, text]) => ({ name, mode: 0o755, data: Buffer.from(text) }));
  copyFileSync(join(DEBIAN_I386, 'linux'), kernel);
  writeFileSync(initrd, Buffer.concat([readFileSync(join(DEBIAN_I386, 'initrd.gz')), gzipSync(cpioArchive([...files, ...more]))]));
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
