// Oracle: QEMU run (7.2.22): what SeaBIOS says it tries, in which order, on both.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../cli.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { endWithTest, hasEnded } from '../processes.js';
import { requireTool } from '../tools.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const HERE = requireTool('qemu-system-i386', 'qemu-system-x86') && requireTool(BIOS, 'seabios');
const folder = temporaryFolder();
const disk = join(folder, 'disk.img');
writeFileSync(disk, Buffer.alloc(1 << 20));
const MACHINE = ['-m', '16', '-display', 'none', '-nodefaults', '-net', 'none', '-icount', 'shift=3', '-global', 'apic.vapic=off'];
const TOLD = /^(Booting from .*|Boot failed.*|Press ESC.*|No bootable.*|Rebooting\.|Searching bootorder for: HALT)$/gm;

/** What firmware tells, until it has said so many lines about booting. */
async function told(program: readonly string[], options: readonly string[], lines: number): Promise<string[]> {
  const output = join(folder, `${program.length}.txt`);
  writeFileSync(output, '');
  const ours = program.length > 1;
  const console_ = ours
    ? ['-debugcon', `file:${output},iobase=0x402`]
    : ['-debugcon', `file:${output}`, '-global', 'isa-debugcon.iobase=0x402'];
  const args = [...program.slice(1), ...MACHINE, '-bios', BIOS, ...console_, ...options];
  const child = endWithTest(spawn(program[0]!, args, { stdio: 'ignore' }));
  let found: string[] = [];
  while (found.length < lines && !hasEnded(child)) {
    await sleep(50);
    if (existsSync(output)) found = readFileSync(output, 'latin1').match(TOLD) ?? [];
  }
  child.kill('SIGKILL');
  return found.slice(0, lines);
}

describe.skipIf(!HERE)('-boot', () => {
  it.each([
    ['once=ca,order=a,menu=on,splash-time=1,reboot-timeout=1', ['-drive', `file=${disk},format=raw`], 14, 'Booting from Hard Disk...'],
    [
      'strict=on',
      ['-drive', `file=${disk},format=raw,if=none,id=d`, '-device', 'ide-hd,drive=d,bootindex=1'],
      3,
      'Booting from Hard Disk...',
    ],
  ] as const)('%s has the same devices tried in the same order, also after the first reset', async (boot, disks, lines, named) => {
    const options = [...disks, '-boot', boot];
    const ours = await told([process.execPath, SYSTEM], options, lines);
    expect(ours).toEqual(await told(['qemu-system-i386'], options, lines));
    expect(ours).toContain(named);
  });
});
