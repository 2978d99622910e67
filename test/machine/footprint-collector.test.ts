// Oracle: self-consistency (a forward trace by single steps, JIT off, says what every stretch executed and wrote).
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { watchWrites } from '../../jit/x86/mmu.js';
import { decodeFootprint, encodeFootprint, type Footprint, mayTouch, type Targets } from '../../replay/checkpoints/footprint.js';
import type { Watchpoint } from '../../src/core/debug-target.js';
import { Debugger } from '../../src/debug/debugger.js';
import { ReplayIncarnator } from '../../src/debug/replay-incarnator.js';
import { configure } from '../../src/machine/config.js';
import { FootprintCollector, footprintOf } from '../../src/machine/footprint-collector.js';
import type { PcMachine } from '../../src/machine/pc.js';
import type { WatchLimits } from '../../src/machine/watched-bytes.js';
import { RECORDINGS, temporaryFolder } from '../cli.js';
import { type Place, traceAll } from '../debug/known-run.js';
import { makeRun } from '../jit/random-program.js';
import { demoGuest, record } from '../replay/scripted.js';
import { type Replayed, Replaying } from './replaying.js';
import { recordRestoredAnywhere } from './restored-anywhere.js';

const SEED = Number(process.env.PALINDROME_FOOTPRINT_SEED ?? 1);
const MODES = ['off', 'on', 'force'] as const;
/** So that interpreted, packed and translated code and regions are all there in so short runs. */
const HOT = 12;
/** So that in such short runs pages are watched, and not all that are accessed. */
const LIMITS: WatchLimits = { pages: 20, regular: 1, mostRegular: 4 };
/** Checkpoints of a run, about. */
const CHECKPOINTS = 12;

function reread(footprint: Footprint): Footprint {
  return decodeFootprint(encodeFootprint(footprint), footprint.detail)!;
}

/** Numbers from 0 up to below `limit`. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function romGuest(name: string): Replayed {
  const rom = join(RECORDINGS, name);
  const config = configure({
    ...{ cpu: 'max', memory: '16M', nodefaults: true, bios: `${rom}.bin`, debugcon: 'null,iobase=0xe9' },
    ...{ noReboot: true, icount: 'shift=7' },
  });
  return { log: `${rom}.rr`, config, format: '7.2', strict: false };
}

function demo(): Replayed {
  const folder = temporaryFolder();
  return { ...record(join(folder, 'demo.rr'), demoGuest(folder), '5.2', 25_000), strict: true };
}

function trace({ log, config, format, strict }: Replayed): readonly Place[] {
  const job = {
    kind: 'replay',
    config,
    log,
    logFormat: format ?? '5.2',
    until: null,
    jit: 'off',
    screenshot: false,
    strict,
    final: null,
  } as const;
  const d = new Debugger(new ReplayIncarnator(job), () => false, { trail: { everyMs: Number.POSITIVE_INFINITY } });
  const { places } = traceAll(d);
  d.close();
  return places;
}

/** Replays in slices of random lengths, with checkpoints at random places; from time to time the machine is saved and restored, or gone on with by a collector that begins anew. */
function collect(replayed: Replayed, jit: (typeof MODES)[number], end: number, random: (limit: number) => number): Footprint[] {
  const replaying = new Replaying(replayed, jit, { hot: HOT, watchBytes: true });
  const { machine } = replaying;
  const found: Footprint[] = [];
  const distance = end / CHECKPOINTS;
  const begin = (): FootprintCollector => new FootprintCollector(machine, (f) => found.push(reread(footprintOf(f))), LIMITS);
  const checkpoint = (): void => {
    collector.checkpoint();
    watchWrites(machine.cpu);
  };
  let collector = begin();
  checkpoint();
  for (let next = random(distance); machine.engine.icount < end; ) {
    const until = machine.engine.icount + 1 + random(distance / 4);
    if (replaying.run(until).icount < until) break;
    collector.progressed();
    if (machine.engine.icount < next) continue;
    if (random(4) === 0) {
      collector.finish();
      if (random(2) === 0) replaying.restore(replaying.save());
      collector = begin();
    }
    checkpoint();
    next = machine.engine.icount + random(2 * distance);
  }
  collector.finish();
  replaying.close();
  return found;
}

describe.each([
  ['t1', () => romGuest('t1')],
  ['t2', () => romGuest('t2')],
  ['t3', () => romGuest('t3')],
  ['the demo guest', demo],
  ['a guest that changes its page tables', () => recordRestoredAnywhere(temporaryFolder())],
] as const)('what %s touches', (_, make) => {
  const guest = make();
  const places = trace(guest);

  it.each(MODES)(`leaves nothing out that a trace has, and much that was not touched, with the JIT %s (seed ${SEED})`, (jit) => {
    const footprints = collect(guest, jit, places.at(-1)!.icount, randomNumbers(SEED));
    expect(footprints.length).toBeGreaterThan(2);
    const addresses = [...new Set(places.map((p) => p.address))];
    let excluded = 0;
    for (const footprint of footprints) {
      const within = places.filter((p) => p.icount > footprint.from && p.icount <= footprint.to);
      const missing = within.filter((p) => !p.interrupted && !mayTouch(footprint, { breakpoints: [p.address], watchpoints: [] }));
      expect(missing.map((p) => `${p.icount}/${p.deliveries} at ${p.address.toString(16)}`)).toEqual([]);
      const isLeftOut = ({ address, size, write }: Place['accesses'][number]): boolean =>
        ([write ? 'write' : 'read', 'access'] as const).some(
          (kind) => !mayTouch(footprint, { breakpoints: [], watchpoints: [{ kind, address, lengthBytes: size }] }),
        );
      expect(within.flatMap((p) => p.accesses).filter(isLeftOut)).toEqual([]);
      excluded += addresses.filter((a) => !mayTouch(footprint, { breakpoints: [a], watchpoints: [] })).length;
    }
    expect(excluded / (addresses.length * footprints.length)).toBeGreaterThan(0.05);
    // Of some pages it is known which bytes were touched.
    expect(footprints.some(({ accessed }) => accessed!.some((address) => address % 64 !== 0))).toBe(true);
  });
});

it('what happens at the instruction count of a checkpoint, but behind it, is touched on both sides of it', () => {
  // nop; nop; nop; div ecx; its handler stands at 800h, the IDT at 600h, the stack ends at 3f000h
  const { engine, machine } = makeRun('off', { bytes: [0x90, 0x90, 0x90, 0xf7, 0xf1], starts: [0] }, new Array(8).fill(0), false);
  const found: Footprint[] = [];
  const collector = new FootprintCollector({ engine, cpu: machine.cpu } as unknown as PcMachine, (f) => found.push(footprintOf(f)), null);
  for (const length of [3, 1]) {
    collector.checkpoint();
    watchWrites(machine.cpu);
    collector.progressed();
    expect(found).toEqual([]);
    engine.run(length);
  }
  collector.progressed();
  engine.run(2);
  collector.finish();
  expect(found.map(({ from, to }) => [from, to])).toEqual([
    [-1, 3],
    [3, 5],
  ]);
  const watch = (kind: Watchpoint['kind'], address: number): Targets => ({
    breakpoints: [],
    watchpoints: [{ kind, address, lengthBytes: 1 }],
  });
  for (const footprint of found) {
    expect(mayTouch(footprint, { breakpoints: [0x800], watchpoints: [] })).toBe(true);
    expect(mayTouch(footprint, watch('read', 0x600))).toBe(true);
    expect(mayTouch(footprint, watch('write', 0x3effc))).toBe(true);
    expect(mayTouch(footprint, watch('access', 0x5000))).toBe(false);
  }
});
