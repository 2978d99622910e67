// Oracle: self-consistency (what is copied of a machine that runs on, compared with a copy of everything when the checkpoint was made)
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECTOR_BYTES } from '../../src/block/block-device.js';
import { MemoryOverlay } from '../../src/block/memory-overlay.js';
import { checkpointSpaces, MEMORY_SPACE, OwedCopies } from '../../src/machine/capture-checkpoint.js';
import { temporaryFolder } from '../cli.js';
import { demoGuest, record } from '../replay/scripted.js';
import { Replaying } from './replaying.js';

const PAGE = 4096;
const folder = temporaryFolder();

describe('a checkpoint of a machine that runs on', () => {
  const { log, config, format, final } = record(join(folder, 'demo.rr'), demoGuest(folder), '5.2', 1_500_000);

  it.each([
    ['off', 150_000, 1],
    ['on', 90_001, 7],
    ['force', 110_003, 2],
  ] as const)('has every page as it was (translation %s, every %i instructions, portions of %i pages)', (jit, every, portion) => {
    const replaying = new Replaying({ log, config, format, strict: true }, jit);
    const { machine } = replaying;
    const { u8 } = machine.memory;
    expect(Object.keys(checkpointSpaces(machine))).toEqual([MEMORY_SPACE]);
    // Memory as the checkpoints have it, and as it was.
    const copied = new Uint8Array(u8.length);
    let original = u8.slice();
    const wrong: string[] = [];
    let inPortions = 0;
    let inTime = 0;
    let copying = false;
    const owed = new OwedCopies(machine, (_, page, bytes) => {
      copied.set(bytes, page * PAGE);
      if (Buffer.compare(bytes, original.subarray(page * PAGE, (page + 1) * PAGE)) !== 0) wrong.push(`page ${page}`);
      if (copying) inPortions++;
      else inTime++;
    });
    for (let until = 0, stop = 'until'; stop === 'until'; until += every) {
      original = u8.slice();
      owed.begin();
      for (let slice = 1; slice <= 30 && stop === 'until'; slice++) {
        ({ stop } = replaying.run(until + Math.floor((every * slice) / 31)));
        copying = true;
        owed.copySome(portion);
        copying = false;
      }
      copying = true;
      while (!owed.isEmpty) owed.copySome(100);
      copying = false;
      expect([until, wrong, Buffer.compare(copied, original)]).toEqual([until, [], 0]);
      if (stop === 'until') ({ stop } = replaying.run(until + every));
    }
    expect(replaying.digest().total).toBe(final.digest);
    expect(inPortions).toBeGreaterThan(20);
    expect(inTime).toBeGreaterThan(5);
    replaying.close();
  });
});

it('a chunk of a disk is handed out before it is written, once', () => {
  const overlay = new MemoryOverlay({ sectorCount: 1024, read: () => true, write: () => false, flush: () => true });
  const { clusters } = overlay;
  const seen: [number, number][] = [];
  clusters.onOwedWrite = (number) => {
    clusters.owed.delete(number);
    seen.push([number, clusters.get(number)![0]!]);
  };
  const sector = (value: number): Uint8Array => new Uint8Array(SECTOR_BYTES).fill(value);
  overlay.write(0, sector(1));
  overlay.write(128, sector(2));
  expect([...clusters.changed]).toEqual([0, 1]);
  clusters.changed.clear();
  clusters.owed.add(0).add(1);
  overlay.write(0, sector(3));
  overlay.write(1, sector(4));
  overlay.write(256, sector(5));
  expect(seen).toEqual([[0, 1]]);
  clusters.set(1, new Uint8Array(clusters.chunkBytes));
  expect(seen).toEqual([
    [0, 1],
    [1, 2],
  ]);
  expect([...clusters.changed]).toEqual([0, 2, 1]);
});
