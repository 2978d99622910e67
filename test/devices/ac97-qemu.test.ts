// Oracle: QEMU run (7.2.22): the same random accesses to a sound card on both, everything read compared
import { describe, expect, it } from 'vitest';
import { Ac97 } from '../../devices/audio/ac97.js';
import { AudioEngine } from '../../devices/audio/audio-engine.js';
import { requireTool } from '../tools.js';
import { chipset } from './board.js';
import { Random } from './random-script.js';
import { runOnQemu, Script } from './script-rom.js';

const SLOT = 3;
const NAM = 0xc000;
const NABM = 0xc400;
const ACCESSES = 6000;
/** Descriptor lists, and what they describe. */
const LIST = 0x100000;

function ours(script: Script): Buffer {
  const board = chipset();
  const backend = { outHz: 44_100, inHz: 44_100, periodNs: 10_000_000, begin: () => {}, play: () => {} };
  const doors = { out: (frames: number) => frames, in: () => ({ count: 0, samples: new Int32Array(0) }) };
  const audio = new AudioEngine({ clock: board.time, backend, doors, captureStreams: 2 });
  board.bus.plug(SLOT, new Ac97({ ports: board.ports, memory: board.memory, audio }));
  board.bus.reset();
  return script.run(board.ports, board.memory);
}

/** So few instructions that no audio tick comes between. */
async function theirs(script: Script): Promise<Buffer> {
  const card = ['-audiodev', 'none,id=a', '-device', `AC97,audiodev=a,addr=${SLOT}`, '-icount', 'shift=0'];
  return (await runOnQemu(script, card, false)).output;
}

function placed(command: number): Script {
  const script = new Script().fill(LIST, 0x400);
  return script.config(SLOT, 0, 0x10, NAM, 4).config(SLOT, 0, 0x14, NABM, 4).config(SLOT, 0, 4, command, 2);
}

/** Everything that can be read without effect. */
function look(script: Script): void {
  for (let register = 0; register < 0x80; register += 2) script.in(NAM + register, 2);
  for (const channel of [0, 0x10, 0x20]) for (const register of [0, 4, 8]) script.in(NABM + channel + register, 4);
  script.in(NABM + 0x2c, 4).in(NABM + 0x30, 4);
  script.out(0xcf8, 0x80000000 | (SLOT << 11) | 4, 4).in(0xcfc, 4);
}

function randomAccess(script: Script, r: Random): void {
  const size = r.pick([1, 1, 2, 2, 4] as const);
  const value = r.pick([r.byte(), r.below(0x10000), r.below(0x10000) * 0x10001]);
  const channel = NABM + r.below(3) * 0x10;
  switch (r.below(8)) {
    case 0:
      return void script.out(NAM + r.below(0x80), value, size);
    case 1:
      return void script.in(NAM + r.below(0x400), size);
    case 2:
      return void script.out(NABM + r.below(0x40), value, size);
    case 3:
      return void script.in(NABM + r.below(0x100), size);
    case 4:
      return void script.out(channel, LIST + r.below(0x200), 4);
    case 5:
      return void script.out(channel + 11, r.pick([0, 1, 1, 0x1d, 2, 3, 0x1f]));
    case 6:
      return void script.out(channel + r.pick([5, 6]), r.byte());
    default:
      return void script.in(NABM + 0x34);
  }
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('AC97', () => {
  it('has the same configuration space, also after all of it was written to', async () => {
    const script = new Script();
    const readAll = (): void => {
      for (let at = 0; at < 0x100; at += 4) script.out(0xcf8, (0x80000000 | (SLOT << 11) | at) >>> 0, 4).in(0xcfc, 4);
    };
    readAll();
    for (let at = 0; at < 0x100; at += 4) script.config(SLOT, 0, at, 0xffffffff, 4);
    readAll();
    expect(ours(script).toString('hex')).toBe((await theirs(script)).toString('hex'));
  });

  it.each([
    [1, 5],
    [2, 5],
    [3, 1],
  ])('answers random accesses alike (seed %i, command %i)', async (seed, command) => {
    const r = new Random(seed);
    const script = placed(command);
    for (let i = 0; i < ACCESSES; i++) {
      randomAccess(script, r);
      if (i % 200 === 0) look(script);
    }
    look(script);
    expect(ours(script).toString('hex')).toBe((await theirs(script)).toString('hex'));
  });
});
