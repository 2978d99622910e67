// Oracle: hand-computed (byte by byte)
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { exclusiveOr } from '../../replay/checkpoints/exclusive-or.js';

const PAGE = 4096;

/** The bytes at an address that is not a multiple of 4. */
function shifted(bytes: Uint8Array, by: number): Uint8Array {
  const room = new Uint8Array(bytes.length + 4);
  room.set(bytes, by);
  return room.subarray(by, by + bytes.length);
}

describe('exclusiveOr', () => {
  it.each([0, 1, 2, 3])('is what differs, and back again, of contents %i bytes behind a word', (by) => {
    const original = new Uint8Array(randomBytes(2 * PAGE));
    const changed = original.slice();
    for (const at of [0, 5, 6, PAGE - 1, PAGE, 2 * PAGE - 1]) changed[at]! ^= 0x81;
    const { bytes, words } = exclusiveOr(shifted(changed, by), shifted(original, 3 - by));
    expect([...bytes.keys()].filter((at) => bytes[at] !== (changed[at]! ^ original[at]!))).toEqual([]);
    // 5 and 6 are in one word.
    expect(words).toBe(5);
    expect(Buffer.compare(exclusiveOr(bytes, shifted(original, by)).bytes, changed)).toBe(0);
  });

  it('leaves both as they are', () => {
    const a = new Uint8Array(PAGE).fill(3);
    const b = new Uint8Array(PAGE).fill(5);
    const { bytes, words } = exclusiveOr(a, b);
    expect([a[0], b[0], bytes[0], bytes[PAGE - 1], words]).toEqual([3, 5, 6, 6, PAGE / 4]);
  });
});
