// Oracle: QEMU run (7.2.22, `info mtree`): where the pc board has its firmware
import { describe, expect, it } from 'vitest';
import { loadBios } from '../../devices/firmware/rom-loader.js';
import { UserError } from '../../src/core/errors.js';
import { chipset } from './board.js';

function image(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i >> 10) + 1);
}

describe('firmware image', () => {
  it.each([0x10000, 0x20000, 0x40000])('of %i bytes ends at 4 GiB and shows up to 128 KiB below 1 MiB', (length) => {
    const { memory, map } = chipset();
    const bios = image(length);
    loadBios(memory, map, bios);
    expect(memory.read(0xfffffff0, 4)).toBe(memory.read(0xffff0, 4));
    expect(memory.read(0x1_0000_0000 - length, 1)).toBe(1);
    const alias = Math.min(length, 0x20000);
    expect(memory.read(0x100000 - alias, 1)).toBe(bios[length - alias]);
    memory.write(0xffff0, 0xee, 1);
    expect(memory.read(0xffff0, 1)).toBe(bios[length - 16]);
    expect(memory.read(0xc0000, 4)).toBe(0);
  });

  it.each([0, 1000, 0x18000, 32 << 20])('of %i bytes is refused', (length) => {
    const { memory, map } = chipset();
    expect(() => loadBios(memory, map, new Uint8Array(length))).toThrow(UserError);
  });
});
