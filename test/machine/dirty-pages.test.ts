// Oracle: self-consistency (pages whose bytes changed, found by comparing all memory with a copy)
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JitMode } from '../../jit/x86/engine.js';
import { watchWrites } from '../../jit/x86/mmu.js';
import { LogEventSource } from '../../replay/log/event-source.js';
import { ReplaySession } from '../../replay/replay-session.js';
import { digestMachine } from '../../src/core/digest.js';
import { markedPages } from '../../src/machine/capture-checkpoint.js';
import type { MachineConfig } from '../../src/machine/config.js';
import { PcMachine } from '../../src/machine/pc.js';
import { restoreMachine, saveMachine } from '../../src/machine/saved-machine.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
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

  it('are there for every page of a new machine that is not zeros, and for those that a saved one is put into', () => {
    const unmarked = (machine: PcMachine): number[] => {
      const { u8, dirtyPage } = machine.memory;
      return [...dirtyPage.keys()].filter(
        (page) => dirtyPage[page] === 0 && u8.subarray(page * PAGE, (page + 1) * PAGE).some((byte) => byte !== 0),
      );
    };
    const source = new LogEventSource(recording.log, recording.format);
    const session = new ReplaySession(source, { shift: recording.config.shift, noReboot: recording.config.noReboot, strict: true });
    const machine = new PcMachine(recording.config as MachineConfig, session, 'on');
    expect(unmarked(machine)).toEqual([]);
    expect(markedPages(machine.memory.dirtyPage).length).toBeGreaterThan(0);
    session.run(700_000);
    const { u8 } = machine.memory;
    const areas = {
      pages: () => [...machine.memory.dirtyPage.keys()].map((page) => [page, u8.subarray(page * PAGE, (page + 1) * PAGE)] as const),
      chunks: () => [],
    };
    const other = new LogEventSource(recording.log, recording.format);
    const otherSession = new ReplaySession(other, { shift: recording.config.shift, noReboot: recording.config.noReboot, strict: true });
    const restored = new PcMachine(recording.config as MachineConfig, otherSession, 'on');
    const before = markedPages(restored.memory.dirtyPage).length;
    restoreMachine(restored, otherSession, saveMachine(machine, session), areas);
    expect(unmarked(restored)).toEqual([]);
    expect(markedPages(restored.memory.dirtyPage).length).toBeGreaterThan(before);
    for (const open of [source, other, machine, restored]) open.close();
  });

  it('are there for a ROM, in whole pages', () => {
    const memory = new PhysicalMemory(8 * PAGE);
    memory.allocate(PAGE);
    memory.install(
      memory.allocate(2 * PAGE),
      Uint8Array.from({ length: PAGE + 1 }, () => 0xab),
    );
    expect([...memory.dirtyPage]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
    expect([...memory.u8.subarray(2 * PAGE - 1, 2 * PAGE + 2)]).toEqual([0xab, 0xab, 0]);
  });
});
