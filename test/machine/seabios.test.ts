// Oracle: self-consistency, and QEMU's words on the screen and on port 0x402 ("No bootable device").
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { palindrome, summary, temporaryFolder } from '../cli.js';
import { requireTool } from '../tools.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const folder = temporaryFolder();
/** Far behind "No bootable device", which comes at about 6.1 million instructions. */
const UNTIL = '6120000';

describe.skipIf(!requireTool(SEABIOS, 'seabios'))('SeaBIOS without a disk', () => {
  const log = join(folder, 'boot.rr');
  const screen = join(folder, 'recorded.png');
  const console402 = join(folder, 'debug.txt');
  const machine = ['--bios', SEABIOS, '--memory', '64M', '--debugcon', `file:${console402}`];

  it('says that there is no bootable device, on port 0x402 and on the screen', () => {
    const recorded = summary('record', log, ...machine, '--until', UNTIL, '--screenshot', screen);
    expect(recorded).toMatchObject({ status: 0, icount: Number(UNTIL), stop: 'until' });
    expect(readFileSync(console402, 'latin1')).toContain('No bootable device.');
    const { width, height, data } = PNG.sync.read(readFileSync(screen));
    expect([width, height]).toEqual([720, 400]);
    const lit = data.filter((v, i) => i % 4 === 0 && v > 0).length;
    expect(lit).toBeGreaterThan(2000);
  });

  for (const jit of ['off', 'on', 'force'])
    it(`replays to the same instruction, digest and screen with the JIT ${jit}`, () => {
      const picture = join(folder, `${jit}.png`);
      const replayed = summary('replay', log, '--jit', jit, '--screenshot', picture);
      expect(replayed).toMatchObject({ status: 0, divergence: null, icount: Number(UNTIL) });
      expect(readFileSync(picture).equals(readFileSync(screen))).toBe(true);
    });

  it('shows an earlier screen at an earlier instruction', () => {
    const picture = join(folder, 'early.png');
    expect(palindrome('replay', log, '--until', '1000000', '--screenshot', picture).status).toBe(0);
    expect(readFileSync(picture).equals(readFileSync(screen))).toBe(false);
  });
});
