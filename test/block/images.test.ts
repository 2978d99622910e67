// Oracle: self-consistency (an overlay over an image behaves as one array of bytes)
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MemoryOverlay } from '../../src/block/memory-overlay.js';
import { RawImage } from '../../src/block/raw-image.js';
import { UserError } from '../../src/core/errors.js';
import { restoreState, saveState } from '../../src/core/save.js';

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
});
