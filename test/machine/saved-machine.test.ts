// Oracle: self-consistency (a machine restored from any moment ends as the one that was never saved).
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configure } from '../../src/machine/config.js';
import { RECORDINGS, temporaryFolder } from '../cli.js';
import { demoGuest, record } from '../replay/scripted.js';
import { type Replayed, Replaying } from './replaying.js';

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

describe('a machine that follows one of QEMU’s logs', () => {
  const bare = { memory: '16M', nodefaults: true, noReboot: true, icount: 'shift=7' };
  const plain = { ...bare, cpu: 'max', debugcon: 'null,iobase=0xe9' };
  const t4 = { ...bare, cpu: 'qemu32,-apic', serial: ['null'], device: ['piix3-usb-uhci', 'usb-tablet'] };
  const t6 = { ...bare, cpu: 'qemu32,-apic', debugcon: 'null,iobase=0xe9' };
  for (const [guest, machine, moments] of [
    ['t1', plain, 5],
    ['t2', plain, 5],
    ['t3', plain, 5],
    ['t4', t4, 6],
    ['t6', t6, 4],
  ] as const)
    for (const release of ['', '-52'])
      it(`${guest}${release} goes on from any moment as if nothing had happened`, () => {
        const config = configure({ ...machine, bios: join(RECORDINGS, `${guest}.bin`) });
        judge({ log: join(RECORDINGS, `${guest}${release}.rr`), config, strict: false }, 2, moments);
      });
});
