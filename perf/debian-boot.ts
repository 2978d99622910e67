/**
 * A Debian i386 kernel boots, works through a shell script and powers off: recorded and replayed here and by QEMU with -icount shift=3, interleaved in one run.
 * Needs qemu-system-i386, SeaBIOS and debian-installer-12-netboot-i386. Run after `npm run build`:
 *   node dist/perf/debian-boot.js [rounds] [script]
 * Scripts: small, long (see guests/debian.ts).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEBIAN_I386, makeDebianGuest } from './guests/debian.js';
import { builtProgram, needs } from './needs.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const main = builtProgram('debian-boot');
needs(BIOS, 'seabios');
needs(DEBIAN_I386, 'debian-installer-12-netboot-i386');
needs('qemu-system-i386', 'qemu-system-x86');
const rounds = Number(process.argv[2] ?? 1);
const script = process.argv[3] ?? 'long';
const dir = mkdtempSync(join(tmpdir(), 'debian-'));
const guest = makeDebianGuest(dir);
const append = `console=ttyS0 rdinit=/${script} quiet panic=-1`;

function seconds(command: string, args: readonly string[]): number {
  const start = performance.now();
  const { error, status, stderr } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (error !== undefined || status !== 0) throw new Error(`${command} ${args[0]}: ${error?.message ?? `status ${status}`} ${stderr}`);
  return (performance.now() - start) / 1000;
}

const [ourLog, qemuLog] = [join(dir, 'ours.rr'), join(dir, 'qemu.rr')];
const machine = ['--bios', BIOS, '--memory', '256M', '--kernel', guest.kernel, '--initrd', guest.initrd, '--append', append];
const sides: Record<string, () => number> = {
  'palindrome record': () => seconds(process.execPath, [main, 'record', ourLog, ...machine, '--serial', 'null', '--icount', 'shift=3']),
  'QEMU record': () => qemu('record'),
  'palindrome replay': () => seconds(process.execPath, [main, 'replay', ourLog]),
  'QEMU replay': () => qemu('replay'),
};

function qemu(mode: 'record' | 'replay'): number {
  return seconds('qemu-system-i386', [
    ...['-M', 'pc', '-m', '256', '-display', 'none', '-net', 'none', '-serial', 'null', '-monitor', 'none'],
    ...['-kernel', guest.kernel, '-initrd', guest.initrd, '-append', append, '-icount', `shift=3,rr=${mode},rrfile=${qemuLog}`],
  ]);
}

const times = new Map<string, number[]>(Object.keys(sides).map((name) => [name, []]));
for (let round = 1; round <= rounds; round++)
  for (const [name, run] of Object.entries(sides)) {
    const time = run();
    times.get(name)!.push(time);
    console.log(`round ${round}: ${name} ${time.toFixed(1)} s`);
  }
const median = (name: string): number => times.get(name)!.toSorted((a, b) => a - b)[rounds >> 1]!;
for (const what of ['record', 'replay']) {
  const [ours, theirs] = [median(`palindrome ${what}`), median(`QEMU ${what}`)];
  console.log(`${what}: palindrome ${ours.toFixed(1)} s, QEMU ${theirs.toFixed(1)} s, ratio ${(ours / theirs).toFixed(2)}`);
}
console.log(`log: palindrome ${statSync(ourLog).size} bytes, QEMU ${statSync(qemuLog).size} bytes`);
rmSync(dir, { recursive: true });
