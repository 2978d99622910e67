// Oracle: QEMU run (7.2.22)
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PATIENCE_MS, requireTool } from '../tools.js';
import { IsaBoard } from './isa-board.js';
import { runScript, type Step, scriptRom } from './port-script.js';
import { randomScript, SCRIPT_PARTS, type ScriptPart } from './random-script.js';

const QEMU = 'qemu-system-i386';
const SHIFT = 7;
const DATE = '2024-02-28T23:59:50';

/** What QEMU reads when it runs the script. */
function readsOfQemu(steps: readonly Step[]): number[] {
  const dir = mkdtempSync(join(tmpdir(), 'palindrome-isa-'));
  try {
    const rom = join(dir, 'script.rom');
    const out = join(dir, 'reads');
    writeFileSync(rom, scriptRom(steps));
    // Without sleeping, virtual time is the instruction count alone.
    const options = `-M pc -m 16 -display none -net none -nodefaults -no-reboot -serial null -icount shift=${SHIFT},sleep=off`.split(' ');
    const devices = ['-bios', rom, '-debugcon', `file:${out}`, '-device', 'isa-debug-exit', '-rtc', `base=${DATE},clock=vm`];
    const run = spawnSync(QEMU, [...options, ...devices], { timeout: PATIENCE_MS, killSignal: 'SIGKILL', encoding: 'utf8' });
    expect(run.stderr).toBe('');
    const bytes = readFileSync(out);
    return Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readUInt32LE(i * 4));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Every read with the step that made it, for a readable difference. */
function described(steps: readonly Step[], reads: readonly number[]): string[] {
  const made = steps.filter((s) => s.op === 'in' || s.op === 'load');
  return reads.map((value, i) => `${i}: ${JSON.stringify(made[i])} = ${value.toString(16)}`);
}

const ALL = Object.keys(SCRIPT_PARTS) as ScriptPart[];
const SEEDS: readonly (readonly [string, readonly ScriptPart[], number])[] = [
  ['all parts', ALL, 1],
  ['all parts', ALL, 2],
  ['timers and interrupt controllers', ['pit', 'hpet', 'apic', 'ioapic', 'pic'], 3],
  ['real-time clock', ['rtc', 'pic'], 4],
  ['keyboard controller and UART', ['keyboard', 'uart', 'pic'], 5],
];

describe.skipIf(!requireTool(QEMU, 'qemu-system-x86'))('ISA devices against QEMU', () => {
  it.each(SEEDS)('random accesses to %s read the same at the same instruction counts (%s, seed %i)', (_name, parts, seed) => {
    const steps = randomScript(seed * 7919, parts, 400);
    const ours = runScript(new IsaBoard({ shift: SHIFT, dateOffsetSeconds: Date.UTC(2024, 1, 28, 23, 59, 50) / 1000 }), steps);
    expect(described(steps, ours)).toEqual(described(steps, readsOfQemu(steps)));
  });

  it('wide accesses to the ports of the DMA controllers, at even and odd addresses, read the same', () => {
    const steps: Step[] = [];
    const ports = Array.from({ length: 16 }, (_, i) => 0x80 + i);
    const pages = ports.map((port): Step => ({ op: 'in', port, size: 1 }));
    for (const port of [...ports, 0, 1, 8, 0xc0, 0xc1, 0xd2])
      for (const size of [1, 2, 4] as const)
        steps.push(
          { op: 'out', port, size, value: ((0x81234567 * (port + size)) >>> 0) % 2 ** (8 * size) },
          { op: 'in', port, size },
          ...pages,
        );
    const ours = runScript(new IsaBoard({ shift: SHIFT }), steps);
    expect(described(steps, ours)).toEqual(described(steps, readsOfQemu(steps)));
  });
});
