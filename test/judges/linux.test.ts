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
import { endWithTest } from '../processes.js';
import { PATIENCE_MS, requireTool } from '../tools.js';
import { CHOSEN, COMPLAINTS, kernelLines, withoutFirmware } from './kernel-log.js';

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

/**
 * Runs a program, types a line when the guest asks for it, and gives what the guest wrote. By way of a file: QEMU drops characters when a pipe is not read in time.
 */
async function typed(file: string, program: string, args: readonly string[]): Promise<string> {
  const stdout = openSync(file, 'w');
  const child = endWithTest(spawn(program, args, { stdio: ['pipe', stdout, 'inherit'], timeout: PATIENCE_MS }));
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

const absent =
  !requireTool('qemu-system-i386', 'qemu-system-x86') ||
  !requireTool(SEABIOS, 'seabios') ||
  !requireTool('xz', 'xz-utils') ||
  !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386');

describe.skipIf(absent)('Debian with its serial console', () => {
  const folder = temporaryFolder();
  const log = join(folder, 'linux.rr');
  /** What it wrote: recorded through SeaBIOS, and in QEMU. */
  let [recorded, theirs] = ['', ''];
  let options: string[] = [];

  /** Records the guest with its user; gives what it wrote. */
  const record = (name: string, ...firmware: string[]): Promise<string> =>
    typed(join(folder, `${name}.txt`), process.execPath, [MAIN, 'record', join(folder, `${name}.rr`), ...options, ...firmware]);

  /** What is asked of it without QEMU. */
  function expectHealthy(output: string): void {
    expect(output).toContain('judge: read what was typed');
    for (const sum of ['md5', 'sha512']) expect(output).toContain(createHash(sum).update(ZEROS).digest('hex'));
    expect(output).not.toMatch(COMPLAINTS);
    for (const chosen of CHOSEN) expect(output).toMatch(chosen);
  }

  it('says the same as in QEMU, its user included, and powers off', async () => {
    const { kernel, initrd } = makeDebianGuest(folder, { judge: SCRIPT });
    // Where the kernel puts itself depends on the time otherwise.
    const append = 'console=ttyS0 nokaslr rdinit=/judge panic=-1';
    const files = ['--kernel', kernel, '--initrd', initrd, '--append', append];
    options = ['-m', '256M', ...files, '--nodefaults', '--serial', 'stdio', '--no-reboot'];
    recorded = await record('linux', '--bios', SEABIOS);
    const qemu = [...options, ...QEMU_PC, '-cpu', 'qemu32', '-icount', 'shift=3'];
    theirs = await typed(join(folder, 'theirs-typed.txt'), 'qemu-system-i386', qemu);
    expectHealthy(recorded);
    expect(kernelLines(recorded)).toEqual(kernelLines(theirs));
  });

  it('says the same when it is started directly, but for what it reports of firmware', async () => {
    const direct = await record('direct', '--checkpoint-every', 'off');
    expectHealthy(direct);
    const expected = kernelLines(theirs);
    expect(withoutFirmware(kernelLines(direct))).toEqual(withoutFirmware(expected));
    expect(withoutFirmware(expected).length).toBeGreaterThan(expected.length - 20);
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
    for (const recording of [log, join(folder, 'direct.rr')]) {
      const typedBytes = palindrome('log', 'events', recording).stdout;
      expect(typedBytes.match(/CHAR_READ/g)?.length).toBeGreaterThan(0);
      const last = palindrome('log', 'dump', recording).stdout.trimEnd().split('\n').slice(-2);
      expect(last.map((line) => /\b(SHUTDOWN|END)\b/.exec(line)?.[1])).toEqual(['SHUTDOWN', 'END']);
    }
  });

  it("follows QEMU's own recording to its end with the same output", () => {
    const qemuLog = join(folder, 'theirs.rr');
    const output = join(folder, 'theirs.txt');
    const { kernel, initrd } = makeShellGuest(join(folder, 'small'), "dmesg\nsed 's/ [0-9]\\+ / N /' /proc/interrupts\npoweroff -f\n");
    const append = 'console=ttyS0 rdinit=/run quiet panic=-1 cryptomgr.notests';
    const options = ['-m', '256M', '--kernel', kernel, '--initrd', initrd, '--append', append, '--nodefaults', '--no-reboot'];
    const bare = [...QEMU_PC, '-cpu', 'qemu32', '-global', 'apic.vapic=off'];
    const qemu = [...options, ...bare, '-serial', `file:${output}`, '-icount', `shift=3,rr=record,rrfile=${qemuLog}`];
    expect(spawnSync('qemu-system-i386', qemu, { timeout: PATIENCE_MS }).status).toBe(0);
    const ours = join(folder, 'ours.txt');
    const args = [MAIN, 'replay', qemuLog, ...options, '--bios', SEABIOS, '-L', '/usr/share/qemu', '--serial', `file:${ours}`, '--json'];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE_MS });
    expect(JSON.parse(stdout)).toMatchObject({ divergence: null, stop: 'shutdown', shutdownCause: 'guest-shutdown' });
    expect(readFileSync(ours, 'latin1')).toBe(readFileSync(output, 'latin1'));
  });
});
