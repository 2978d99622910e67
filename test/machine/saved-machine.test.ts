// Oracle: self-consistency (a machine restored from any moment ends as the one that was never saved).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LogFormat } from '../../replay/log/tables.js';
import { digestMachine, type MachineDigest } from '../../src/core/digest.js';
import { configure, type MachineConfig } from '../../src/machine/config.js';
import type { PcMachine } from '../../src/machine/pc.js';
import { saveMachine } from '../../src/machine/saved-machine.js';
import { RECORDINGS, temporaryFolder } from '../cli.js';
import { recordedMachine } from '../machines.js';
import { demoGuest, record, TYPED } from '../replay/scripted.js';
import { requireTool } from '../tools.js';
import { copyAreas, type Replayed, Replaying, type WholeState } from './replaying.js';

const folder = temporaryFolder();
const MODES = ['off', 'on', 'force'] as const;

/** Random whole numbers below a limit (mulberry32). */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Saves at random moments on the way, then restores them in any order into one machine and into new ones. */
function judge(replayed: Replayed, seed: number, moments: number): void {
  const random = randomNumbers(seed);
  const plain = new Replaying(replayed, 'off');
  const end = plain.run(null);
  const atEnd = plain.digest();
  plain.close();
  expect(['end-of-log', 'shutdown', 'reset']).toContain(end.stop);

  const places = Array.from({ length: moments }, () => random(end.icount + 1)).sort((a, b) => a - b);
  const saver = new Replaying(replayed, MODES[random(3)]!);
  const states = places.map((icount) => {
    expect(saver.run(icount).icount).toBe(icount);
    return { ...saver.save(), digest: saver.digest() };
  });
  for (let left = moments; left > 0; left--) {
    const state = states[random(moments)]!;
    const jit = MODES[random(3)]!;
    const reused = random(2) === 0;
    const what = `seed ${seed}, saved at ${state.saved.icount}, restored with the JIT ${jit}${reused ? ' in place' : ''}`;
    const copy = reused ? saver : new Replaying(replayed, jit);
    copy.restore(state);
    expect([what, copy.digest()]).toEqual([what, state.digest]);
    const later = states.find(({ saved }) => saved.icount > state.saved.icount && random(2) === 0);
    if (later !== undefined) {
      copy.run(later.saved.icount);
      expect([what, copy.digest()]).toEqual([what, later.digest]);
    }
    if (random(2) === 0) {
      expect([what, copy.run(null)]).toEqual([what, end]);
      expect([what, copy.digest()]).toEqual([what, atEnd]);
    }
    if (!reused) copy.close();
  }
  saver.close();
}

describe('a machine that follows one of our logs', () => {
  const config = demoGuest(folder);
  for (const format of ['5.2', '7.2'] as const)
    it(`in format ${format} goes on from any moment as if nothing had happened`, () => {
      const { log } = record(join(folder, `${format}.rr`), config, format, 2_500_000);
      judge({ log, config, format, strict: true }, 1, 6);
    });
});

/** The digest of a machine being recorded. */
const digestOf = (machine: PcMachine): MachineDigest => digestMachine(machine.parts, machine.memory.u8);

/** Saves at random turns of a recording, and puts replays into these states; another replay comes to the same moments by itself. */
function judgeRecording(name: string, config: MachineConfig, format: LogFormat, until: number, seed: number, moments: number): void {
  const random = randomNumbers(seed);
  const states: (WholeState & { readonly digest: MachineDigest })[] = [];
  let next = random(until / moments);
  const { log, final } = record(join(folder, name), config, format, until, TYPED, (machine, session) => {
    if (machine.engine.icount < next && random(500) !== 0) return;
    if (machine.engine.icount >= next) next += 1 + random((2 * until) / moments);
    if (states.length > 2 * moments) return;
    states.push({ saved: saveMachine(machine, session), areas: copyAreas(machine), digest: digestOf(machine) });
  });
  expect(states.length).toBeGreaterThan(1);
  const replayed = { log, config, format, strict: true };
  const other = new Replaying(replayed, 'on');
  for (const state of states) {
    const { icount, events } = state.saved;
    const what = `seed ${seed}, saved at instruction ${icount}, event ${events}`;
    expect([what, other.run(icount, events)]).toMatchObject([what, { stop: 'until', icount, events }]);
    expect([what, other.digest()]).toEqual([what, state.digest]);
  }
  for (const state of states) {
    const what = `seed ${seed}, restored at instruction ${state.saved.icount}, event ${state.saved.events}`;
    other.restore(state);
    expect([what, other.digest()]).toEqual([what, state.digest]);
    const { icount, events } = other.run(null);
    expect([what, icount, events, other.digest().total]).toEqual([what, final.icount, final.events, final.digest]);
  }
  other.close();
}

describe('a machine that is being recorded', () => {
  for (const format of ['5.2', '7.2'] as const)
    it(`in format ${format} can be saved in any turn, and a replay goes on from there`, () => {
      judgeRecording(`turns-${format}.rr`, demoGuest(folder), format, 1_500_000, 3, 5);
    });
});

/** Boot sector that writes a sector and reads it back, for ever, each time another one (INT 13h). */
const DISK_WRITER = [
  ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0xb9, 0x02, 0x00, 0xba, 0x80, 0x00],
  ...[0xb8, 0x01, 0x03, 0xbb, 0x00, 0x7c, 0xcd, 0x13, 0xff, 0x06, 0x00, 0x7d],
  ...[0xb8, 0x01, 0x02, 0xbb, 0x00, 0x80, 0xcd, 0x13, 0xfe, 0xc5, 0xeb, 0xe8],
];
const SEABIOS = '/usr/share/seabios/bios-256k.bin';

describe.skipIf(!requireTool(SEABIOS, 'seabios'))('SeaBIOS and a guest that writes to its disk', () => {
  it('can be saved in any turn, and a replay goes on from there', () => {
    const disk = join(folder, 'disk.raw');
    const bytes = new Uint8Array(16 << 20);
    bytes.set(DISK_WRITER);
    bytes.set([0x55, 0xaa], 510);
    writeFileSync(disk, bytes);
    const config = configure({ memory: '16M', bios: SEABIOS, drive: [`file=${disk},format=raw`], debugcon: 'null' });
    const UNTIL = 7_500_000;
    judgeRecording('disk.rr', config, '5.2', UNTIL, 4, 4);
    const written = new Replaying({ log: join(folder, 'disk.rr'), config, format: '5.2', strict: true }, 'on');
    written.run(null);
    expect(written.machine.overlays.disk0!.clusters.size).toBeGreaterThan(0);
    written.close();
  });
});

describe('a machine that follows one of QEMU’s logs', () => {
  for (const [guest, moments] of [
    ['t1', 5],
    ['t2', 5],
    ['t3', 5],
    ['t4', 6],
    ['t6', 4],
  ] as const)
    for (const release of ['', '-52'])
      it(`${guest}${release} goes on from any moment as if nothing had happened`, () => {
        const config = configure(recordedMachine(guest));
        judge({ log: join(RECORDINGS, `${guest}${release}.rr`), config, strict: false }, 2, moments);
      });
});
