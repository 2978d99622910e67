// Oracle: self-consistency (what was typed comes back from Linux, on its screen and on the serial line; the replay ends as the recording did)
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeShellGuest } from '../../perf/guests/busybox.js';
import { DEBIAN_I386 } from '../../perf/guests/debian.js';
import { MAIN, palindrome, temporaryFolder } from '../cli.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const TYPING = new URL('../../dist/tools/record-typed.js', import.meta.url).pathname;
/** Reads a line from the first virtual console, and shows that console. */
const SCRIPT = `echo keyboard: ready
read -r line < /dev/tty1
echo "keyboard: read $line"
tr -s ' ' ' ' < /dev/vcs1
poweroff -f
`;

const absent =
  !requireTool('/usr/share/seabios/bios-256k.bin', 'seabios') ||
  !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386') ||
  !requireTool('xz', 'xz-utils');

describe.skipIf(absent)('Linux with a keyboard', () => {
  it('gets what is typed, shows it on its screen, and replays to the same end', () => {
    const folder = temporaryFolder();
    const log = join(folder, 'typed.rr');
    const { kernel, initrd } = makeShellGuest(folder, SCRIPT);
    const append = 'console=tty0 console=ttyS0 rdinit=/run quiet panic=-1 cryptomgr.notests';
    const typed = spawnSync(process.execPath, [TYPING, log, kernel, initrd, append, 'keyboard: ready', 'Hello PS/2'], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
    });
    expect(typed.stderr).toBe('');
    const recorded = JSON.parse(typed.stdout) as { icount: number; digest: string };
    const output = readFileSync(`${log}.txt`, 'latin1');
    expect(output).toContain('keyboard: read Hello PS/2');
    expect(output.match(/Hello PS\/2/g)).toHaveLength(2);
    expect(palindrome('log', 'events', log).stdout).toMatch(/INPUT/);
    const replayed = join(folder, 'replayed.txt');
    const args = ['--serial', `file:${replayed}`, '--json'];
    const { status, stdout } = spawnSync(process.execPath, [MAIN, 'replay', log, ...args], { encoding: 'utf8', timeout: PATIENCE_MS });
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { ...recorded, divergence: null, shutdownCause: 'guest-shutdown' }]);
    expect(readFileSync(replayed, 'latin1')).toBe(output);
  });
});
