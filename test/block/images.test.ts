// Oracle: self-consistency (an overlay over an image behaves as one array of bytes)
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../src/block/block-device.js';
import { MemoryOverlay } from '../../src/block/memory-overlay.js';
import { RawImage } from '../../src/block/raw-image.js';
import { UserError } from '../../src/core/errors.js';
import { restoreState, restoreStreamed, saveState, streamState } from '../../src/core/save.js';

const dir = mkdtempSync(join(tmpdir(), 'palindrome-block-'));
afterAll(() => rmSync(dir, { recursive: true }));

function image(name: string, length: number): { path: string; bytes: Uint8Array } {
  const bytes = Uint8Array.from({ length }, (_, i) => (i >> 9) + i * 7);
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return { path, bytes };
}

describe('raw image', () => {
  it('gives the sectors of the file, the last one filled up with zeros', () => {
    const { path, bytes } = image('odd', 1100);
    const raw = new RawImage(path);
    expect(raw.sectorCount).toBe(3);
    const got = new Uint8Array(1024);
    expect(raw.read(1, got)).toBe(true);
    expect(got.subarray(0, 588)).toEqual(bytes.subarray(512));
    expect(got.subarray(588).every((b) => b === 0)).toBe(true);
    expect(raw.write()).toBe(false);
    raw.close();
    expect(raw.read(0, got)).toBe(false);
  });

  it('refuses files that cannot be disks, by name', () => {
    expect(() => new RawImage(join(dir, 'missing'))).toThrow(/missing/);
    expect(() => new RawImage(dir)).toThrow(UserError);
    const { path } = image('empty', 0);
    expect(() => new RawImage(path)).toThrow(/empty/);
  });
});

describe('memory overlay', () => {
  it('keeps writes of any place and length and never touches the file', () => {
    const { path, bytes } = image('disk', 300 * 512);
    const overlay = new MemoryOverlay(new RawImage(path));
    const expected = bytes.slice();
    let seed = 99;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    for (let i = 0; i < 200; i++) {
      const start = random(300);
      const count = 1 + random(Math.min(200, 300 - start));
      const data = new Uint8Array(count * 512).fill(i);
      if (i % 3 === 0) {
        overlay.write(start, data);
        expected.set(data, start * 512);
      } else {
        overlay.read(start, data);
        expect(Buffer.compare(data, expected.subarray(start * 512, (start + count) * 512))).toBe(0);
      }
    }
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
  });

  it('is saved and restored with what was written only', () => {
    const { path } = image('saved', 1000 * 512);
    const overlay = new MemoryOverlay(new RawImage(path));
    overlay.write(700, new Uint8Array(512).fill(9));
    overlay.write(10, new Uint8Array(512).fill(8));
    const saved = saveState(overlay);
    expect(saved.length).toBeLessThan(140_000);
    const other = new MemoryOverlay(new RawImage(path));
    other.write(500, new Uint8Array(512).fill(7));
    restoreState(other, saved);
    const [a, b, c, d] = [700, 10, 500, 500].map((sector, i) => {
      const target = new Uint8Array(512);
      (i < 3 ? other : overlay).read(sector, target);
      return target;
    });
    expect([a![0], b![0]]).toEqual([9, 8]);
    expect(c).toEqual(d);
  });

  /** A disk of 4 GiB full of zeros. */
  const huge: BlockDevice = { sectorCount: 1 << 23, read: (_, target) => target.fill(0).length > 0, write: () => false, flush: () => true };
  const CLUSTERS = 320;

  function written(): MemoryOverlay {
    const overlay = new MemoryOverlay(huge);
    for (let i = 0; i < CLUSTERS; i++) overlay.write((1 << 23) - 128 * (i + 1), new Uint8Array(512).fill(i));
    return overlay;
  }

  it('is saved and restored piece by piece, however much was written', () => {
    const pieces: Uint8Array[] = [];
    streamState(written(), (piece) => pieces.push(piece));
    expect(Math.max(...pieces.map((p) => p.length))).toBeLessThan(1 << 18);
    expect(pieces.reduce((sum, p) => sum + p.length, 0)).toBeGreaterThan(CLUSTERS * 65536);
    const other = new MemoryOverlay(huge);
    other.write(0, new Uint8Array(512).fill(1));
    const all = Buffer.concat(pieces);
    let at = 0;
    restoreStreamed(other, (length) => {
      at += length;
      return all.subarray(at - length, at);
    });
    expect(other.clusters.size).toBe(CLUSTERS);
    const sector = new Uint8Array(512);
    for (let i = 0; i < CLUSTERS; i++) {
      other.read((1 << 23) - 128 * (i + 1), sector);
      expect([i, sector[0], sector[511]]).toEqual([i, i & 255, i & 255]);
    }
  });

  it('is not restored from a state that is cut off, or has chunks that no such disk has', () => {
    const overlay = new MemoryOverlay(huge);
    for (const cluster of [1, 5]) overlay.write(cluster * 128, new Uint8Array(512));
    const good = saveState(overlay);
    const fields = 1 + overlay.schema.name.length + 2;
    const second = fields + 8 + 4 + 65536;
    const changed = (offset: number, value: number): Uint8Array => {
      const bytes = good.slice();
      new DataView(bytes.buffer).setUint32(offset, value, true);
      return bytes;
    };
    const restore = (bytes: Uint8Array) => () => restoreState(new MemoryOverlay(huge), bytes);
    expect(restore(good)).not.toThrow();
    expect(restore(changed(fields, 1 << 31))).toThrow(/chunks of 2147483648 bytes/);
    expect(restore(changed(fields + 4, 3))).toThrow(/ends after/);
    expect(restore(changed(fields + 4, 65537))).toThrow(/a list of 65537/);
    expect(restore(changed(fields + 8, 5))).toThrow(/chunk 5 where one from 6/);
    expect(restore(changed(second, 65536))).toThrow(/chunk 65536/);
    for (const length of [fields, fields + 7, second, good.length - 1]) expect(restore(good.subarray(0, length))).toThrow(UserError);
  });
});
