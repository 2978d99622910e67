// Oracle: QEMU run (7.2.22): Debian's installer kernel boots on both, and everything it says is the same but for dates and times; self-consistency of the replay.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEBIAN_I386, makeDebianGuest } from '../../perf/guests/debian.js';
import { MAIN, temporaryFolder } from '../cli.js';
import { requireTool } from '../tools.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const MINUTES = 60_000;
/** Says what Linux chose, waits for a line from its user, powers off. */
const SCRIPT = `#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
cat /sys/devices/system/clocksource/clocksource0/current_clocksource
cat /proc/ioports /proc/iomem
sed 's/ [0-9]\\+ / N /' /proc/interrupts
echo judge: ready
read -r line
echo "judge: read $line"
poweroff -f
`;

/** Dates, and what the kernel measures: timers come some instructions earlier or later from run to run. */
const MEASURED = /^(audit: type=|sched_clock: Marking stable|rtc_cmos .*setting system clock|tsc: Refined|clocksource: tsc: mask)/;

/**
 * Runs a program, types a line when the guest asks for it, and gives what the guest wrote. By way of a file: QEMU drops characters when a pipe is not read in time.
 */
async function typed(file: string, program: string, args: readonly string[]): Promise<string> {
  const stdout = openSync(file, 'w');
  const child = spawn(program, args, { stdio: ['pipe', stdout, 'inherit'], timeout: 20 * MINUTES });
  const output = (): string => readFileSync(file, 'latin1');
  const watch = setInterval(() => {
    if (!output().includes('judge: ready\r\n')) return;
    clearInterval(watch);
    child.stdin!.write('what was typed\n');
  }, 200);
  const status = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  closeSync(stdout);
  expect(status, output().slice(-400)).toBe(0);
  return output();
}

/** The lines from the kernel's first on, without dates and times. */
function lines(output: string): string[] {
  return output
    .slice(output.indexOf('[    0.000000]'))
    .split('\r\n')
    .map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''))
    .filter((line) => !MEASURED.test(line));
}

const absent =
  !requireTool('qemu-system-i386', 'qemu-system-x86') ||
  !requireTool(SEABIOS, 'seabios') ||
  !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386');

describe.skipIf(absent)('Debian with its serial console', () => {
  const folder = temporaryFolder();
  const log = join(folder, 'linux.rr');
  let recorded = '';

  it(
    'says the same as in QEMU, its user included, and powers off',
    async () => {
      const { kernel, initrd } = makeDebianGuest(folder, { judge: SCRIPT });
      // Where the kernel puts itself depends on the time otherwise.
      const append = 'console=ttyS0 nokaslr rdinit=/judge panic=-1';
      const options = [
        '-m',
        '256M',
        '--kernel',
        kernel,
        '--initrd',
        initrd,
        '--append',
        append,
        '--nodefaults',
        '--serial',
        'stdio',
        '--no-reboot',
      ];
      recorded = await typed(join(folder, 'ours-typed.txt'), process.execPath, [MAIN, 'record', log, ...options, '--bios', SEABIOS]);
      const theirs = await typed(join(folder, 'theirs-typed.txt'), 'qemu-system-i386', [
        ...options,
        '-M',
        'pc',
        '-cpu',
        'qemu32',
        '-display',
        'none',
        '-net',
        'none',
        '-icount',
        'shift=3',
      ]);
      expect(recorded).toContain('judge: read what was typed');
      expect(recorded).not.toMatch(/soft lockup|lost interrupt/i);
      expect(lines(recorded)).toEqual(lines(theirs));
    },
    30 * MINUTES,
  );

  it(
    'replays to the same end with the same output',
    () => {
      expect(existsSync(log)).toBe(true);
      const output = join(folder, 'replayed.txt');
      const args = [MAIN, 'replay', log, '--serial', `file:${output}`, '--json'];
      const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20 * MINUTES });
      expect(JSON.parse(stdout)).toMatchObject({ divergence: null, shutdownCause: 'guest-shutdown' });
      expect(readFileSync(output, 'latin1')).toBe(recorded);
    },
    30 * MINUTES,
  );

  it(
    "follows QEMU's own recording to its end with the same output",
    () => {
      const theirs = join(folder, 'theirs.rr');
      const output = join(folder, 'theirs.txt');
      const { kernel, initrd } = makeDebianGuest(folder, { judge: `${SCRIPT.slice(0, SCRIPT.indexOf('echo judge: ready'))}poweroff -f\n` });
      const append = 'console=ttyS0 rdinit=/judge quiet panic=-1';
      const options = ['-m', '256M', '--kernel', kernel, '--initrd', initrd, '--append', append, '--nodefaults', '--no-reboot'];
      const bare = ['-M', 'pc', '-cpu', 'qemu32', '-display', 'none', '-net', 'none', '-global', 'apic.vapic=off'];
      const qemu = [...options, ...bare, '-serial', `file:${output}`, '-icount', `shift=3,rr=record,rrfile=${theirs}`];
      expect(spawnSync('qemu-system-i386', qemu, { timeout: 20 * MINUTES }).status).toBe(0);
      const ours = join(folder, 'ours.txt');
      const args = [MAIN, 'replay', theirs, ...options, '--bios', SEABIOS, '-L', '/usr/share/qemu', '--serial', `file:${ours}`, '--json'];
      const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20 * MINUTES });
      expect(JSON.parse(stdout)).toMatchObject({ divergence: null, stop: 'shutdown', shutdownCause: 'guest-shutdown' });
      expect(readFileSync(ours, 'latin1')).toBe(readFileSync(output, 'latin1'));
    },
    30 * MINUTES,
  );
});
