// Oracle: QEMU run (7.2.22): processor state before every instruction and all memory at some places, both sides replaying one recording of QEMU's.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { LockstepResult } from '../../tools/lockstep/lockstep.js';
import { RECORDINGS, temporaryFolder } from '../cli.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const folder = temporaryFolder();
const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const SEABIOS_INSTRUCTIONS = 5_000_000;

/** The built program: in the tests' process every import is a getter, and the interpreter several times slower. */
const LOCKSTEP = new URL('../../dist/tools/lockstep.js', import.meta.url).pathname;
const run = promisify(execFile);

async function lockstep(bios: string, ...options: string[]): Promise<LockstepResult> {
  const { stdout } = await run(process.execPath, [LOCKSTEP, bios, '--json', ...options], { timeout: PATIENCE_MS });
  return JSON.parse(stdout) as LockstepResult;
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86') || !requireTool('nasm', 'nasm'))('in lock-step with QEMU', () => {
  for (const [guest, instructions] of [
    // QEMU's own replay of t1 stops at INTO: it counts a taken INTO with the rest of its block, which is shorter when single-stepping.
    ['t1', 131],
    ['t2', 1641],
    ['t3', 4720],
  ] as const)
    it(`${guest} has the same registers, flags and segments before each of ${instructions} instructions, and the same memory`, async () => {
      expect(await lockstep(join(RECORDINGS, `${guest}.bin`), '--cpu', 'max', '--seconds', '6')).toEqual({
        compared: instructions,
        memoryPoints: 8,
        difference: null,
      });
    });

  for (const [name, cpu, instructions] of [
    ['smm', 'qemu32', 147_000],
    ['msr', 'qemu32', 271_000],
    ['msr', 'max', 275_000],
    ['smap', 'qemu32', 82_000],
    ['smap', 'max', 411_000],
  ] as const)
    it(`the judge guest ${name} on ${cpu} has the same`, async () => {
      const bios = join(folder, `${name}.rom`);
      writeFileSync(bios, gunzipSync(readFileSync(new URL(`../x86/qemu/${name}.rom.gz`, import.meta.url))));
      const { compared, memoryPoints, difference } = await lockstep(bios, '--cpu', cpu, '--acpi', '--seconds', '10');
      expect({ memoryPoints, difference }).toEqual({ memoryPoints: 8, difference: null });
      expect(compared).toBeGreaterThan(instructions);
    });

  it.skipIf(!requireTool(SEABIOS, 'seabios'))(`SeaBIOS has the same for its first ${SEABIOS_INSTRUCTIONS} instructions`, async () => {
    expect(await lockstep(SEABIOS, '--acpi', '--seconds', '12', '--limit', String(SEABIOS_INSTRUCTIONS))).toEqual({
      compared: SEABIOS_INSTRUCTIONS,
      memoryPoints: 8,
      difference: null,
    });
  });
});
