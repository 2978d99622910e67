import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointReport } from '../src/machine/checkpoint-maker.js';
import { goal, median } from './figures.js';
import { DEBIAN_I386, makeDebianGuest } from './guests/debian.js';
import { needs } from './needs.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';

interface Recorded {
  readonly seconds: number;
  readonly checkpoints?: Pick<CheckpointReport, 'made' | 'bytes' | 'stoppedMs' | 'longestMs' | 'longestWallMs'>;
}

/** Records the Debian boot with checkpoints and without, in turns, and prints what they cost. @param main the built program */
export function recordCosts(main: string, rounds: number, script: string): void {
  needs(BIOS, 'seabios');
  needs(DEBIAN_I386, 'debian-installer-12-netboot-i386');
  const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
  const { kernel, initrd } = makeDebianGuest(folder);
  const guest = ['--kernel', kernel, '--initrd', initrd, '--append', `console=ttyS0 rdinit=/${script} quiet panic=-1`];
  const machine = ['--bios', BIOS, '--memory', '256M', ...guest, '--serial', 'null', '--icount', 'shift=3', '--json'];
  const record = (every: string): Recorded => {
    const began = performance.now();
    const { stdout, stderr, status } = spawnSync(main, ['record', join(folder, 'a.rr'), ...machine, '--checkpoint-every', every], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return { ...(JSON.parse(stdout) as Recorded), seconds: (performance.now() - began) / 1000 };
  };
  const all = { off: [] as Recorded[], '1s': [] as Recorded[] };
  for (let round = 1; round <= rounds; round++)
    for (const every of ['1s', 'off'] as const) {
      const recorded = record(every);
      all[every].push(recorded);
      console.log(`round ${round}: record, checkpoints ${every}: ${recorded.seconds.toFixed(1)} s`);
    }
  rmSync(folder, { recursive: true });
  const made = all['1s'].map(({ checkpoints }) => checkpoints!);
  const most = (of: (c: (typeof made)[number]) => number): number => Math.max(...made.map(of));
  const seconds = (side: readonly Recorded[]): number => median(side.map((r) => r.seconds));
  console.log(
    `${most((c) => c.made)} checkpoints; the machine stood still for ${most((c) => c.stoppedMs).toFixed(0)} ms altogether, ${most((c) => c.longestWallMs).toFixed(0)} ms in one go with what others had the processor for`,
  );
  goal('record with checkpoints, times without', seconds(all['1s']) / seconds(all.off), 'at most', 1.08);
  goal(
    'longest stop for one, ms',
    most((c) => c.longestMs),
    'at most',
    30,
  );
  goal('store, MB', most((c) => c.bytes) / 1e6, 'at most', 60);
}
