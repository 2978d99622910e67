// Oracle: self-consistency (the same replays without a profiler; recordings of QEMU 7.2.22 of test/x86/qemu)
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Profiler } from '../../jit/x86/profile/profiler.js';
import { LogEventSource } from '../../replay/log/event-source.js';
import { ReplaySession } from '../../replay/replay-session.js';
import { digestMachine } from '../../src/core/digest.js';
import { configure } from '../../src/machine/config.js';
import { PcMachine } from '../../src/machine/pc.js';
import { buildProfile } from '../../src/profile/build-profile.js';
import type { ProfileData } from '../../src/profile/profile-data.js';
import { temporaryFolder } from '../cli.js';

const folder = temporaryFolder();

function unpack(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, gunzipSync(readFileSync(new URL(`../x86/qemu/${name}.gz`, import.meta.url))));
  return path;
}

interface Replayed {
  readonly icount: number;
  readonly digest: string;
  readonly profile: ProfileData | null;
}

function replay(guest: string, cpu: string, jit: 'off' | 'on' | 'force', watched: boolean): Replayed {
  const config = configure({
    cpu,
    memory: '16M',
    nodefaults: true,
    bios: unpack(`${guest}.rom`),
    debugcon: 'null,iobase=0xe9',
    icount: 'shift=7',
    noReboot: true,
  });
  const source = new LogEventSource(unpack(`${guest}-${cpu}.rr`));
  const session = new ReplaySession(source, { shift: 7, noReboot: true, strict: false });
  const profilers: Profiler[] = [];
  const observer = (...[processor]: ConstructorParameters<typeof Profiler>): Profiler => {
    const profiler = new Profiler(processor);
    profilers.push(profiler);
    return profiler;
  };
  const machine = new PcMachine(config, session, jit, undefined, watched ? { observer } : {});
  try {
    const { icount } = session.run(null);
    const profiler = profilers[0];
    return {
      icount,
      digest: digestMachine(machine.parts, machine.memory.u8).total,
      profile: profiler === undefined ? null : buildProfile(profiler, null, 1_000_000),
    };
  } finally {
    machine.close();
    source.close();
  }
}

describe.each([
  ['smm', 'qemu32'],
  ['smap', 'qemu32'],
  ['msr', 'max'],
])('a profile of %s on %s: SMM, rings, faults, page tables', (guest, cpu) => {
  it('changes nothing, and counts every instruction once, the same in every JIT mode', () => {
    const plain = replay(guest, cpu, 'off', false);
    const profiles = (['off', 'on', 'force'] as const).map((jit) => {
      const { icount, digest, profile } = replay(guest, cpu, jit, true);
      expect([jit, icount, digest]).toEqual([jit, plain.icount, plain.digest]);
      expect(profile!.instructions).toBe(icount);
      expect(profile!.blocks.reduce((sum, b) => sum + b.instructions, 0)).toBe(icount);
      expect(profile!.functions.reduce((sum, f) => sum + f.self, 0)).toBe(icount);
      return profile!;
    });
    for (const profile of profiles) expect(profile.functions).toEqual(profiles[0]!.functions);
  });
});
