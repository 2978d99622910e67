// Oracle: QEMU run (7.2.22): Debian's installer kernel boots on both, and everything it says is the same but for dates and times; self-consistency of the replay.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeShellGuest } from '../../perf/guests/busybox.js';
import { DEBIAN_I386, makeDebianGuest } from '../../perf/guests/debian.js';
import { MAIN, palindrome, type Summary, temporaryFolder } from '../cli.js';
import { QEMU_PC } from '../machines.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
/** Says what Linux chose, works, waits for a line from its user, powers off. */
const SCRIPT = `#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
cat /sys/devices/system/clocksource/clocksource0/current_clocksource
cat /proc/ioports /proc/iomem
sed 's/ [0-9]\\+ / N /' /proc/interrupts
i=0
while [ $i -lt 2000 ]; do i=$((i+1)); done
dd if=/dev/zero bs=64k count=16 2>/dev/null | md5sum
dd if=/dev/zero bs=64k count=16 2>/dev/null | sha512sum
seq 1 2000 | sort -r | md5sum
echo judge: ready
read -r line
echo "judge: read $line"
poweroff -f
`;

/** What the script reads of /dev/zero. */
const ZEROS = Buffer.alloc(1 << 20);

/** What a kernel says that misses interrupts, or cannot do what it wants. */
const COMPLAINTS = /soft lockup|lost interrupt|nobody cared|(?<!mce: )unable to|rcu.*stall|BUG:|WARNING:|Call Trace/i;
/** What it chooses on QEMU's pc with -icount: these lines are compared with QEMU's as all others are. */
const CHOSEN = [
  /hpet0: 3 comparators, 64-bit 100\.000000 MHz counter/,
  /clocksource: Switched to clocksource \S+\r\n/,
  /IOAPIC\[0\]: apic_id 0, version 32, address 0xfec00000, GSI 0-23/,
  /\.\.TIMER: vector=0x30 apic1=0 pin1=2 apic2=-1 pin2=-1/,
  / IO-APIC +1-edge +i8042/,
  / IO-APIC +4-edge +ttyS0/,
  / Local timer interrupts/,
];

/** Dates, and what the kernel measures: timers come some instructions earlier or later from run to run. */
const MEASURED = /^(audit: type=|sched_clock: Marking stable|rtc_cmos .*setting system clock|tsc: Refined|clocksource: tsc: mask)/;

/**
 * Runs a program, types a line when the guest asks for it, and gives what the guest wrote. By way of a file: QEMU drops characters when a pipe is not read in time.
 */
async function typed(file: string, program: string, args: readonly string[]): Promise<string> {
  const stdout = openSync(file, 'w');
  const child = spawn(program, args, { stdio: ['pipe', stdout, 'inherit'], timeout: PATIENCE_MS });
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
  !requireTool('xz', 'xz-utils') ||
  !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386');

describe.skipIf(absent)('Debian with its serial console', () => {
  const folder = temporaryFolder();
  const log = join(folder, 'linux.rr');
  let recorded = '';

  it('says the same as in QEMU, its user included, and powers off', async () => {
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
      ...QEMU_PC,
      '-cpu',
      'qemu32',
      '-icount',
      'shift=3',
    ]);
    expect(recorded).toContain('judge: read what was typed');
    for (const sum of ['md5', 'sha512']) expect(recorded).toContain(createHash(sum).update(ZEROS).digest('hex'));
    expect(recorded).not.toMatch(COMPLAINTS);
    for (const chosen of CHOSEN) expect(recorded).toMatch(chosen);
    expect(lines(recorded)).toEqual(lines(theirs));
  });

  it('replays to the same end with the same output', () => {
    expect(existsSync(log)).toBe(true);
    const output = join(folder, 'replayed.txt');
    const args = [MAIN, 'replay', log, '--serial', `file:${output}`, '--json'];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE_MS });
    const { divergence, shutdownCause, digest } = JSON.parse(stdout) as Summary;
    expect({ divergence, shutdownCause, digest }).toEqual({
      divergence: null,
      shutdownCause: 'guest-shutdown',
      digest: (JSON.parse(readFileSync(`${log}.json`, 'utf8')) as { final: { digest: string } }).final.digest,
    });
    expect(readFileSync(output, 'latin1')).toBe(recorded);
  });

  it('has what its user typed in the log, and ends with SHUTDOWN and END', () => {
    const typedBytes = palindrome('log', 'events', log).stdout;
    expect(typedBytes.match(/CHAR_READ/g)?.length).toBeGreaterThan(0);
    const last = palindrome('log', 'dump', log).stdout.trimEnd().split('\n').slice(-2);
    expect(last.map((line) => /\b(SHUTDOWN|END)\b/.exec(line)?.[1])).toEqual(['SHUTDOWN', 'END']);
  });

  it("follows QEMU's own recording to its end with the same output", () => {
    const theirs = join(folder, 'theirs.rr');
    const output = join(folder, 'theirs.txt');
    const { kernel, initrd } = makeShellGuest(join(folder, 'small'), "dmesg\nsed 's/ [0-9]\\+ / N /' /proc/interrupts\npoweroff -f\n");
    const append = 'console=ttyS0 rdinit=/run quiet panic=-1 cryptomgr.notests';
    const options = ['-m', '256M', '--kernel', kernel, '--initrd', initrd, '--append', append, '--nodefaults', '--no-reboot'];
    const bare = [...QEMU_PC, '-cpu', 'qemu32', '-global', 'apic.vapic=off'];
    const qemu = [...options, ...bare, '-serial', `file:${output}`, '-icount', `shift=3,rr=record,rrfile=${theirs}`];
    expect(spawnSync('qemu-system-i386', qemu, { timeout: PATIENCE_MS }).status).toBe(0);
    const ours = join(folder, 'ours.txt');
    const args = [MAIN, 'replay', theirs, ...options, '--bios', SEABIOS, '-L', '/usr/share/qemu', '--serial', `file:${ours}`, '--json'];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE_MS });
    expect(JSON.parse(stdout)).toMatchObject({ divergence: null, stop: 'shutdown', shutdownCause: 'guest-shutdown' });
    expect(readFileSync(ours, 'latin1')).toBe(readFileSync(output, 'latin1'));
  });
});
