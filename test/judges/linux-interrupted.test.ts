// Oracle: manual (README: what is left of an interrupted recording is readable, and replays up to its last whole event); the guest is Debian's kernel as it starts
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeShellGuest } from '../../perf/guests/busybox.js';
import { DEBIAN_I386 } from '../../perf/guests/debian.js';
import { Background, sizeOf } from '../cli/guest.js';
import { MAIN, palindrome, temporaryFolder } from '../cli.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
/** Linux is under way: its interrupts and timers run. */
const UNDER_WAY = 'clocksource: Switched to clocksource';
const absent =
  !requireTool(SEABIOS, 'seabios') ||
  !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386') ||
  !requireTool('xz', 'xz-utils');

describe.skipIf(absent)('a recording of Linux', () => {
  const folder = temporaryFolder();
  const { kernel, initrd } = absent ? { kernel: '', initrd: '' } : makeShellGuest(folder, 'while :; do dmesg; done');
  const append = 'console=ttyS0 rdinit=/run panic=-1 cryptomgr.notests';
  const guest = ['--bios', SEABIOS, '--memory', '128M', '--kernel', kernel, '--initrd', initrd, '--append', append, '--nodefaults'];

  /** Asks `log stat` for the log, replays it, and expects it to end where the log does. */
  function expectWhole(log: string, complete: boolean): void {
    const { status, stdout } = palindrome('log', 'stat', log, '--json');
    expect(status).toBe(0);
    const held = JSON.parse(stdout) as { complete: boolean; instructions: number };
    expect(held.complete).toBe(complete);
    const args = [MAIN, 'replay', log, '--serial', 'null', '--json'];
    const replay = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE_MS });
    const { stop, icount, divergence } = JSON.parse(replay.stdout) as Record<string, unknown>;
    expect({ status: replay.status, stop, icount, divergence }).toEqual({
      ...{ status: 0, stop: 'end-of-log', icount: held.instructions, divergence: null },
    });
  }

  it('that is killed replays up to its last whole event', async () => {
    const log = join(folder, 'kill.rr');
    const run = new Background('record', log, ...guest, '--serial', 'stdio');
    await run.until(() => run.stdout.includes(UNDER_WAY));
    run.child.kill('SIGKILL');
    expect(await run.ended).toEqual({ status: null, signal: 'SIGKILL' });
    expectWhole(log, false);
  });

  it('whose stdout is closed goes on until Ctrl-C, which ends it in good order', async () => {
    const log = join(folder, 'pipe.rr');
    const run = new Background('record', log, ...guest, '--serial', 'stdio');
    run.child.stdout!.once('data', () => run.child.stdout!.destroy());
    await run.until(() => sizeOf(log) > 50_000);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ status: 0, signal: null });
    expect(run.stdout).not.toContain(UNDER_WAY);
    expectWhole(log, true);
  });

  it('whose disk is full stops with one error, and replays up to its last whole event', () => {
    const log = join(folder, 'full.rr');
    // Blocks of 512 bytes or of 1 KiB, as the shell has it.
    const command = ['-c', 'ulimit -f 60 && exec "$@"', 'sh', process.execPath, MAIN, 'record', log, ...guest, '--serial', 'null'];
    const { status, stdout, stderr } = spawnSync('sh', command, { encoding: 'utf8', timeout: PATIENCE_MS });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^palindrome: [^\n]*full\.rr: writing the log failed \(a file may not become larger\)[^\n]*\n$/);
    expectWhole(log, false);
  });
});
