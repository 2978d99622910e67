// Oracle: self-consistency (one recording replayed with the JIT off, on and forced, alone and several at once); manual (a kernel without firmware chooses what it does with it)
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeShellGuest } from '../../perf/guests/busybox.js';
import { DEBIAN_I386 } from '../../perf/guests/debian.js';
import { MAIN, type Summary, summary, temporaryFolder } from '../cli.js';
import { endWithTest } from '../processes.js';
import { PATIENCE_MS, requireTool } from '../tools.js';
import { CHOSEN, COMPLAINTS } from './kernel-log.js';

/** What the JIT off can do in the time of a test. */
const PREFIX = '30,000,000';
const SCRIPT = `cat /sys/devices/system/clocksource/clocksource0/current_clocksource
cat /proc/interrupts
dd if=/dev/zero bs=64k count=16 2>/dev/null | md5sum
seq 1 2000 | sort -r | md5sum
poweroff -f
`;
const absent = !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386') || !requireTool('xz', 'xz-utils');

interface End {
  readonly summary: Pick<Summary, 'icount' | 'events' | 'digest' | 'divergence'>;
  readonly serial: string;
}

describe.skipIf(absent)('Linux started without firmware', () => {
  const folder = temporaryFolder();
  const log = join(folder, 'direct.rr');
  const serialOf = (name: string): string => join(folder, `${name}.txt`);

  function end(name: string, { icount, events, digest, divergence }: Summary): End {
    return { summary: { icount, events, digest, divergence }, serial: readFileSync(serialOf(name), 'latin1') };
  }

  /** Replays without waiting for it. */
  async function replay(name: string, ...options: string[]): Promise<End> {
    const args = [MAIN, 'replay', log, '--serial', `file:${serialOf(name)}`, '--json', ...options];
    const child = endWithTest(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: PATIENCE_MS }));
    let text = '';
    child.stdout.on('data', (bytes) => {
      text += bytes;
    });
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(status).toBe(0);
    return end(name, JSON.parse(text) as Summary);
  }

  it('runs a script on the timers and interrupt controllers that firmware would have led it to, and powers off', () => {
    const { kernel, initrd } = makeShellGuest(folder, SCRIPT);
    const append = 'console=ttyS0 rdinit=/run panic=-1 cryptomgr.notests';
    const options = ['--memory', '128M', '--kernel', kernel, '--initrd', initrd, '--append', append, '--nodefaults', '--no-reboot'];
    const args = [MAIN, 'record', log, ...options, '--serial', `file:${serialOf('record')}`, '--json'];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE_MS });
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { stop: 'shutdown', shutdownCause: 'guest-shutdown' }]);
    const said = readFileSync(serialOf('record'), 'latin1');
    expect(said).not.toMatch(COMPLAINTS);
    for (const chosen of CHOSEN) expect(said).toMatch(chosen);
    expect(said).toContain('b6d81b360a5672d80c27430f39153e2c  -\r\n');
  });

  it('replays to the same digest and console, three at once', async () => {
    const recorded = end('record', { ...(JSON.parse(readFileSync(`${log}.json`, 'utf8')) as { final: Summary }).final, divergence: null });
    const replays = await Promise.all([replay('on'), replay('again'), replay('once more')]);
    for (const { summary, serial } of replays) {
      expect(summary).toEqual(recorded.summary);
      expect(serial).toBe(recorded.serial);
    }
  });

  it(`is at the same digest with the JIT off, on and forced after ${PREFIX} instructions`, () => {
    const ends = ['off', 'on', 'force'].map((jit) => {
      const name = `prefix-${jit}`;
      return end(name, summary('replay', log, '--jit', jit, '--until', PREFIX, '--serial', `file:${serialOf(name)}`));
    });
    expect(ends[0]!.summary).toMatchObject({ icount: Number(PREFIX.replaceAll(',', '')), divergence: null });
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[2]).toEqual(ends[0]);
  });
});
