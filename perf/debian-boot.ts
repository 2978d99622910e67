/**
 * A Debian i386 kernel boots, works through a shell script and powers off: recorded and replayed here and by QEMU with -icount shift=3, and run by v86 (which records
 * nothing and ends with the script), interleaved in one run. Prints times, memory and log sizes, and the ratios with their goals.
 * Needs qemu-system-i386, SeaBIOS and debian-installer-12-netboot-i386. Run after `npm run build`:
 *   node dist/perf/debian-boot.js [rounds] [script]
 * Scripts: script, long (see guests/debian.ts).
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cost } from './child.js';
import { goal, median } from './figures.js';
import { DEBIAN_I386, makeDebianGuest } from './guests/debian.js';
import { builtProgram, needs } from './needs.js';
import { v86Program } from './v86.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const GUEST_MB = (256 << 20) / 1e6;
const main = builtProgram('debian-boot');
needs(BIOS, 'seabios');
needs(DEBIAN_I386, 'debian-installer-12-netboot-i386');
needs('qemu-system-i386', 'qemu-system-x86');
const rounds = Number(process.argv[2] ?? 1);
const script = process.argv[3] ?? 'script';
const dir = mkdtempSync(join(tmpdir(), 'debian-'));
const guest = makeDebianGuest(dir);
const append = `console=ttyS0 rdinit=/${script} quiet panic=-1`;

const [ourLog, qemuLog] = [join(dir, 'ours.rr'), join(dir, 'qemu.rr')];
const machine = ['--bios', BIOS, '--memory', '256M', '--kernel', guest.kernel, '--initrd', guest.initrd, '--append', append];
const scriptEnd = `${script}: end`;

const qemu = (mode: 'record' | 'replay') =>
  cost('qemu-system-i386', [
    ...['-M', 'pc', '-m', '256', '-display', 'none', '-net', 'none', '-serial', 'null', '-monitor', 'none'],
    ...['-kernel', guest.kernel, '-initrd', guest.initrd, '-append', append, '-icount', `shift=3,rr=${mode},rrfile=${qemuLog}`],
  ]);

const sides = {
  'palindrome record': () => cost(main, ['record', ourLog, ...machine, '--serial', 'stdio', '--icount', 'shift=3'], scriptEnd),
  'QEMU record': () => qemu('record'),
  'palindrome replay': () => cost(main, ['replay', ourLog]),
  'QEMU replay': () => qemu('replay'),
  v86: () => cost(process.execPath, [v86Program(), '256', scriptEnd, 'linux', guest.kernel, guest.initrd, append], scriptEnd),
};
type Side = keyof typeof sides;
const names = Object.keys(sides) as Side[];

const costs = new Map<Side, Awaited<ReturnType<typeof cost>>[]>(names.map((name) => [name, []]));
for (let round = 1; round <= rounds; round++)
  for (const name of names) {
    const figures = await sides[name]();
    costs.get(name)!.push(figures);
    console.log(`round ${round}: ${name} ${figures.seconds.toFixed(1)} s, at most ${(figures.peakBytes / 1e6).toFixed(0)} MB`);
  }
const seconds = (name: Side): number => median(costs.get(name)!.map((c) => c.seconds));
const scriptSeconds = (name: Side): number => median(costs.get(name)!.map((c) => c.textSeconds));
const peakMB = Math.max(
  ...names.filter((name) => name.startsWith('palindrome')).flatMap((name) => costs.get(name)!.map((c) => c.peakBytes / 1e6)),
);
const [ourBytes, qemuBytes] = [statSync(ourLog).size, statSync(qemuLog).size];
for (const name of names) console.log(`median: ${name} ${seconds(name).toFixed(1)} s`);
console.log(
  `median to the script's end: palindrome record ${scriptSeconds('palindrome record').toFixed(1)} s, v86 ${scriptSeconds('v86').toFixed(1)} s`,
);
console.log(`log: palindrome ${ourBytes} bytes, QEMU ${qemuBytes} bytes`);
goal("record, times QEMU's", seconds('palindrome record') / seconds('QEMU record'), 'at most', 2);
goal("replay, times QEMU's", seconds('palindrome replay') / seconds('QEMU replay'), 'at most', 1);
goal("record to the script's end, times v86's run", scriptSeconds('palindrome record') / scriptSeconds('v86'), 'at most', 1.2);
goal("size of the log, times QEMU's", ourBytes / qemuBytes, 'at most', 0.5);
goal('memory at the peak, MB', peakMB, 'at most', Math.round(GUEST_MB) + 600);
rmSync(dir, { recursive: true });
