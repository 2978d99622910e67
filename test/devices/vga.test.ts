// Oracle: manual (IBM VGA technical reference; FreeVGA; Bochs VBE extensions)
import { describe, expect, it } from 'vitest';
import { renderScreen } from '../../devices/display/screen.js';
import { restoreState, saveState } from '../../src/core/save.js';
import { displayBoard } from './vga-board.js';

function setUp() {
  const board = displayBoard();
  const { ports, memory, vga } = board;
  const out = (port: number, value: number) => ports.write(port, value, 1);
  const gr = (index: number, value: number) => ports.write(0x3ce, index | (value << 8), 2);
  const sr = (index: number, value: number) => ports.write(0x3c4, index | (value << 8), 2);
  const dispi = (index: number, value: number) => {
    ports.write(0x1ce, index, 2);
    ports.write(0x1cf, value, 2);
  };
  const readDispi = (index: number) => {
    ports.write(0x1ce, index, 2);
    return ports.read(0x1d0, 2);
  };
  const planes = (at: number) => [0, 1, 2, 3].map((p) => vga.vramByte(at * 4 + p));
  const setPlanes = (at: number, values: readonly number[]) => values.forEach((v, p) => void vga.setVramByte(at * 4 + p, v));
  out(0x3c2, 1);
  return { ...board, ports, memory, vga, out, gr, sr, dispi, readDispi, planes, setPlanes };
}

/** Graphics at 0xa0000, planar, all planes. */
function planar() {
  const board = setUp();
  board.gr(6, 5);
  board.gr(8, 0xff);
  board.sr(2, 0x0f);
  board.sr(4, 0x06);
  return board;
}

describe('VGA memory', () => {
  it('writes the byte to the planes of the map mask (mode 0)', () => {
    const board = planar();
    board.sr(2, 0x05);
    board.memory.write(0xa0003, 0x81, 1);
    expect(board.planes(3)).toEqual([0x81, 0, 0x81, 0]);
  });

  it('rotates, replaces by set/reset, combines with the latches and keeps unmasked bits (mode 0)', () => {
    const board = planar();
    board.setPlanes(0, [0xf0, 0x0f, 0xaa, 0x55]);
    board.gr(4, 0);
    expect(board.memory.read(0xa0000, 1)).toBe(0xf0);
    board.gr(3, 0x18 | 1);
    board.gr(0, 0x02);
    board.gr(1, 0x06);
    board.gr(8, 0x3c);
    board.memory.write(0xa0001, 0x03, 1);
    // Planes 0 and 3: 0x03 rotated to 0x81; plane 1: ones; plane 2: zeros; all XOR latch, in bits 2-5.
    expect(board.planes(1)).toEqual([0xf0, 0x0f ^ 0x3c, 0xaa, 0x55].map((v, p) => (p === 0 || p === 3 ? v ^ (0x81 & 0x3c) : v)));
  });

  it('copies the latches (mode 1), spreads four bits over the planes (mode 2), masks by the data (mode 3)', () => {
    const board = planar();
    board.setPlanes(0, [1, 2, 3, 4]);
    board.memory.read(0xa0000, 1);
    board.gr(5, 1);
    board.memory.write(0xa0005, 0xee, 1);
    expect(board.planes(5)).toEqual([1, 2, 3, 4]);
    board.gr(5, 2);
    board.memory.write(0xa0006, 0x0a, 1);
    expect(board.planes(6)).toEqual([0, 0xff, 0, 0xff]);
    board.gr(5, 3);
    board.gr(0, 0x03);
    board.memory.write(0xa0007, 0xf0, 1);
    expect(board.planes(7)).toEqual([0xf1, 0xf2, 0x03, 0x04]);
  });

  it('compares colours in read mode 1', () => {
    const board = planar();
    board.setPlanes(0, [0xff, 0x0f, 0x33, 0x00]);
    board.gr(5, 8);
    board.gr(2, 0x03);
    board.gr(7, 0x07);
    expect(board.memory.read(0xa0000, 1)).toBe(0x0f & ~0x33);
  });

  it('chooses the plane by the low address bit in odd/even mode', () => {
    const board = setUp();
    board.gr(6, 0x0e);
    board.gr(5, 0x10);
    board.sr(2, 0x03);
    board.memory.write(0xb8002, 0x41, 1);
    board.memory.write(0xb8003, 0x07, 1);
    // QEMU packs the planes: character n is at byte n, where hardware leaves every second byte out.
    expect(board.planes(1)).toEqual([0x41, 0x07, 0, 0]);
    expect(board.memory.read(0xb8003, 1)).toBe(0x07);
    expect(board.memory.read(0xa0000, 1)).toBe(0xff);
  });

  it('shows chained memory as plain memory, at the bank', () => {
    const board = setUp();
    board.gr(6, 5);
    board.sr(2, 0x0f);
    board.sr(4, 0x0e);
    expect(board.memory.readPage[0xa0]).toBe(board.vga.vramOffset >> 12);
    board.dispi(5, 3);
    board.memory.write(0xa0010, 0x99, 1);
    expect(board.vga.vramByte(0x30010)).toBe(0x99);
    board.sr(4, 0x06);
    expect(board.memory.readPage[0xa0]).toBe(-1);
  });

  it('maps the window again after a restore', () => {
    const board = setUp();
    board.gr(6, 5);
    board.sr(2, 0x0f);
    board.sr(4, 0x0e);
    const saved = saveState(board.vga);
    const other = setUp();
    restoreState(other.vga, saved);
    expect(other.memory.readPage[0xa0]).toBe(other.vga.vramOffset >> 12);
    expect(saveState(other.vga)).toEqual(saved);
  });
});

describe('VGA registers', () => {
  it('toggles between index and data at 0x3c0, and starts over when the status is read', () => {
    const { ports, out } = setUp();
    ports.read(0x3da, 1);
    out(0x3c0, 0x05);
    out(0x3c0, 0x3f);
    out(0x3c0, 0x05);
    expect(ports.read(0x3c1, 1)).toBe(0x3f);
    ports.read(0x3da, 1);
    out(0x3c0, 0x25);
    expect(ports.read(0x3c0, 1)).toBe(0);
    ports.read(0x3da, 1);
    expect(ports.read(0x3c0, 1)).toBe(0x25);
  });

  it('toggles retrace and display enable with each read of the status', () => {
    const { ports } = setUp();
    expect([1, 2, 3, 4].map(() => ports.read(0x3da, 1))).toEqual([9, 0, 9, 0]);
  });

  it('decodes the CRT controller at 0x3b4 or 0x3d4 by the miscellaneous register', () => {
    const { ports, out } = setUp();
    out(0x3d4, 0x0f);
    expect([ports.read(0x3d4, 1), ports.read(0x3b4, 1)]).toEqual([0x0f, 0xff]);
    out(0x3c2, 0);
    expect([ports.read(0x3d4, 1), ports.read(0x3b4, 1)]).toEqual([0xff, 0x0f]);
  });

  it('protects the first CRT controller registers, but for line compare bit 8', () => {
    const { ports, out } = setUp();
    out(0x3d4, 0x11);
    out(0x3d5, 0x80);
    out(0x3d4, 0);
    out(0x3d5, 0x55);
    expect(ports.read(0x3d5, 1)).toBe(0);
    out(0x3d4, 7);
    out(0x3d5, 0xff);
    expect(ports.read(0x3d5, 1)).toBe(0x10);
  });

  it('writes palette entries when complete and reads them back in turn', () => {
    const { ports, out } = setUp();
    out(0x3c8, 0xff);
    for (const v of [1, 2, 3, 4, 5, 6]) out(0x3c9, v);
    out(0x3c7, 0xff);
    expect([1, 2, 3, 4, 5, 6].map(() => ports.read(0x3c9, 1))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(ports.read(0x3c8, 1)).toBe(1);
  });
});

describe('Bochs display interface', () => {
  it('corrects impossible modes', () => {
    const { dispi, readDispi } = setUp();
    dispi(1, 1003);
    dispi(2, 0xffff);
    dispi(3, 7);
    dispi(4, 1);
    expect([1, 2, 3, 6, 7].map(readDispi)).toEqual([1000, 12000, 8, 1000, 16777]);
    dispi(3, 32);
    expect(readDispi(2)).toBe(Math.floor((16 << 20) / 4000));
    dispi(9, 5000);
    expect(readDispi(9)).toBe(0);
  });

  it('tells its limits and memory', () => {
    const { dispi, readDispi } = setUp();
    dispi(4, 2);
    expect([1, 2, 3, 10, 0].map(readDispi)).toEqual([16000, 12000, 32, 256, 0xb0c5]);
  });

  it('clears the picture when switched on, unless told not to', () => {
    const { dispi, vga } = setUp();
    dispi(1, 64);
    dispi(2, 2);
    dispi(3, 8);
    for (const at of [0, 127, 128]) vga.setVramByte(at, 7);
    dispi(4, 0x81);
    expect(vga.vramByte(0)).toBe(7);
    dispi(4, 0);
    dispi(4, 1);
    expect([0, 127, 128].map((at) => vga.vramByte(at))).toEqual([0, 0, 7]);
  });
});

describe('screen', () => {
  const pixel = (screen: { width: number; rgba: Uint8Array }, x: number, y: number) => [
    ...screen.rgba.subarray((y * screen.width + x) * 4, (y * screen.width + x) * 4 + 4),
  ];

  it('is black while the palette is off', () => {
    const { vga } = setUp();
    expect(renderScreen(vga).rgba.every((b, i) => b === (i % 4 === 3 ? 255 : 0))).toBe(true);
  });

  it('draws characters in their colours, with the cursor', () => {
    const board = setUp();
    const { vga, ports, out } = board;
    const crtc: Record<number, number> = { 1: 1, 7: 0, 9: 7, 10: 6, 11: 7, 15: 1, 18: 7, 19: 1, 24: 0xff };
    for (const [index, value] of Object.entries(crtc)) ports.write(0x3d4, Number(index) | (value << 8), 2);
    board.sr(1, 1);
    ports.read(0x3da, 1);
    for (let i = 0; i < 16; i++) [i, i].forEach((v) => void out(0x3c0, v));
    out(0x3c0, 0x20);
    out(0x3c8, 2);
    for (const v of [0, 63, 0]) out(0x3c9, v);
    board.setPlanes(0, [1, 0x02, 0x80, 0]);
    board.setPlanes(1, [2, 0x20, 0, 0]);
    // Line 0 of character 1: the leftmost dot.
    vga.setVramByte(32 * 4 + 2, 0x80);
    const screen = renderScreen(vga);
    expect([screen.width, screen.height]).toEqual([16, 8]);
    const green = [0, 255, 0, 255];
    const black = [0, 0, 0, 255];
    expect([pixel(screen, 0, 0), pixel(screen, 1, 0), pixel(screen, 0, 1)]).toEqual([green, black, black]);
    expect([pixel(screen, 8, 5), pixel(screen, 8, 6), pixel(screen, 15, 7)]).toEqual([green, black, black]);
  });

  it('never throws, whatever the registers hold', () => {
    const board = setUp();
    let seed = 4242;
    const next = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 0x1_0000_0000) * below);
    };
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 60; i++) board.ports.write(0x3c0 + next(0x20), next(0x10000), next(2) ? 1 : 2);
      if (round % 3 === 0) for (const index of [1, 2, 3, 6, 8, 9, 4]) board.dispi(index, index === 4 ? next(2) : next(700));
      board.vga.arIndex |= 0x20;
      const screen = renderScreen(board.vga);
      expect(screen.rgba.length).toBe(screen.width * screen.height * 4);
    }
  });
});
