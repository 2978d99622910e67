// Oracle: self-consistency (pages whose bytes changed, found by comparing all memory with a copy)
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JitMode } from '../../jit/x86/engine.js';
import { watchWrites } from '../../jit/x86/mmu.js';
import { LogEventSource } from '../../replay/log/event-source.js';
import { ReplaySession } from '../../replay/replay-session.js';
import { digestMachine } from '../../src/core/digest.js';
import type { MachineConfig } from '../../src/machine/config.js';
import { PcMachine } from '../../src/machine/pc.js';
import { temporaryFolder } from '../cli.js';
import { demoGuest, type Recording, record } from '../replay/scripted.js';

const PAGE = 4096;
const folder = temporaryFolder();

/** Replays in slices; gives the pages that changed in each without being marked, and how many were marked. */
function follow(recording: Recording, jit: JitMode, slice: number): { missed: string[]; marked: number; changed: number; digest: string } {
  const source = new LogEventSource(recording.log, recording.format);
  const session = new ReplaySession(source, { shift: recording.config.shift, noReboot: recording.config.noReboot, strict: true });
  const machine = new PcMachine(recording.config as MachineConfig, session, jit);
  const { u8, dirtyPage } = machine.memory;
  const missed: string[] = [];
  let marked = 0;
  let changed = 0;
  let before = u8.slice();
  for (let until = slice, stop = ''; stop === '' || stop === 'until'; until += slice) {
    watchWrites(machine.cpu);
    ({ stop } = session.run(until));
    for (let page = 0; page < dirtyPage.length; page++) {
      const from = page * PAGE;
      const differs = Buffer.compare(u8.subarray(from, from + PAGE), before.subarray(from, from + PAGE)) !== 0;
      marked += dirtyPage[page]!;
      changed += differs ? 1 : 0;
      if (differs && dirtyPage[page] === 0) missed.push(`page ${page} before instruction ${until}`);
    }
    before = u8.slice();
  }
  source.close();
  machine.close();
  return { missed, marked, changed, digest: digestMachine(machine.parts, u8).total };
}

describe('marks of written pages', () => {
  const recording = record(join(folder, 'demo.rr'), demoGuest(folder), '5.2', 1_500_000);

  it.each([
    ['off', 100_000],
    ['on', 70_001],
    ['force', 130_003],
  ] as const)('are there for every page that changed (translation %s, slices of %i)', (jit, slice) => {
    const { missed, marked, changed, digest } = follow(recording, jit, slice);
    expect(missed).toEqual([]);
    expect(changed).toBeGreaterThan(20);
    expect(marked).toBeLessThan(changed * 6);
    expect(digest).toBe(recording.final.digest);
  });
});
