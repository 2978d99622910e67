// Oracle: independent suite (memtest86+ 6.10, which tests the memory it runs in); QEMU run (7.2.22): the same screens. perf/memtest-pass.ts runs a whole pass.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MEMTEST, MEMTEST_APPEND, MemtestScreen, type MemtestState } from '../../perf/guests/memtest.js';
import { summary, temporaryFolder } from '../cli.js';
import { QEMU_PC } from '../machines.js';
import { endWithTest, hasEnded } from '../processes.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
/** In the middle of test #5: addresses, moving inversions of ones, zeros and 8-bit patterns are behind. Its patterns are random. */
const UNTIL = '1600000000';

const absent =
  !requireTool('qemu-system-i386', 'qemu-system-x86') ||
  !requireTool(SEABIOS, 'seabios') ||
  !requireTool(MEMTEST, 'memtest86+, by tools/fetch-debian-i386.sh');

const screen = (path: string): MemtestScreen => new MemtestScreen(existsSync(path) ? readFileSync(path, 'latin1') : '');

/** What was shown of the tests whose patterns are not random. */
function fixed(states: readonly MemtestState[]): readonly MemtestState[] {
  return states.filter(({ test }) => /^#[0-4] /.test(test));
}

describe.skipIf(absent)('memtest86+ on 16 MiB', () => {
  const folder = temporaryFolder();
  const options = ['-m', '16M', '--nodefaults', '--kernel', MEMTEST, '--append', MEMTEST_APPEND, '--icount', 'shift=7'];

  it('finds the same machine as in QEMU, shows the same tests and patterns, and no error', async () => {
    const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
    const bare = [...QEMU_PC, '-cpu', 'qemu32', '-serial', `file:${theirs}`];
    const qemu = endWithTest(spawn('qemu-system-i386', [...options, ...bare], { stdio: 'ignore', timeout: PATIENCE_MS }));
    try {
      const run = summary('run', ...options, '--bios', SEABIOS, '--serial', `file:${ours}`, '--until', UNTIL);
      expect(run).toMatchObject({ status: 0, stop: 'until' });
      const reached = (): boolean => screen(theirs).states.some(({ test }) => test.startsWith('#5'));
      while (!hasEnded(qemu) && !reached()) await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      qemu.kill('SIGKILL');
    }
    const shown = screen(ours);
    expect(shown.states.at(-1)).toMatchObject({ test: '#5 Moving inversions, random pattern', passes: 0, errors: 0 });
    expect(fixed(shown.states).length).toBeGreaterThan(20);
    expect(fixed(shown.states)).toEqual(fixed(screen(theirs).states));
    const machine = ({ rows }: MemtestScreen): string[] =>
      [0, 2, 3, 4, 5].map((row) => rows[row]!.slice(0, row === 0 ? 80 : 28)).concat(rows[7]!.slice(0, 40), rows.slice(9));
    expect(machine(shown)).toEqual(machine(screen(theirs)));
  });
});
