import type { Vga } from './vga.js';
import { CHAIN_4, GR, SR } from './vga-registers.js';

/** By four plane bits: 0xff in the bytes of the planes that are on. */
export const PLANE_MASKS = Int32Array.from({ length: 16 }, (_, planes) =>
  [0, 1, 2, 3].reduce((mask, plane) => mask | (planes & (1 << plane) ? 0xff << (plane * 8) : 0), 0),
);

const ODD_EVEN = 0x10;
const READ_MODE_1 = 0x08;

/** Start and length of the window in the 128 KiB from 0xa0000, by graphics register 6 bits 2-3. */
const WINDOWS = [
  [0, 0x20000],
  [0, 0x10000],
  [0x10000, 0x8000],
  [0x18000, 0x8000],
] as const;

/**
 * The window at 0xa0000 (IBM VGA technical reference, "Video memory"). Video memory holds the four planes interleaved: byte 4n + p is byte n of plane p.
 * Returns the offset in the display's address space, or -1 outside the window.
 */
function windowOffset(vga: Vga, offset: number): number {
  const mode = (vga.gr[GR.MISC]! >> 2) & 3;
  const [start, length] = WINDOWS[mode]!;
  if (offset < start || offset >= start + length) return -1;
  return offset - start + (mode === 1 ? vga.vbe.bankOffset : 0);
}

function oddEvenOffset(vga: Vga, at: number): number {
  return ((at & ~1) << 1) | oddEvenPlane(vga, at);
}

function oddEvenPlane(vga: Vga, at: number): number {
  return (vga.gr[GR.READ_MAP]! & 2) | (at & 1);
}

/** Reads a byte of the 128 KiB window. */
export function readWindow(vga: Vga, offset: number): number {
  const at = windowOffset(vga, offset);
  if (at < 0) return 0xff;
  if (vga.sequencer(SR.MEMORY_MODE) & CHAIN_4) return vga.vramByte(at);
  if (vga.gr[GR.MODE]! & ODD_EVEN) return vga.vramByte(oddEvenOffset(vga, at));
  if (at * 4 >= vga.vramBytes) return 0xff;
  vga.latch = vga.vramDword(at * 4);
  if ((vga.gr[GR.MODE]! & READ_MODE_1) === 0) return (vga.latch >>> (vga.gr[GR.READ_MAP]! * 8)) & 0xff;
  const differs = (vga.latch ^ PLANE_MASKS[vga.gr[GR.COLOR_COMPARE]!]!) & PLANE_MASKS[vga.gr[GR.COLOR_DONT_CARE]!]!;
  return ~(differs | (differs >>> 8) | (differs >>> 16) | (differs >>> 24)) & 0xff;
}

/** Writes a byte of the 128 KiB window. */
export function writeWindow(vga: Vga, offset: number, value: number): void {
  const at = windowOffset(vga, offset);
  if (at < 0) return;
  const mapMask = vga.sequencer(SR.MAP_MASK);
  if (vga.sequencer(SR.MEMORY_MODE) & CHAIN_4) {
    if (mapMask & (1 << (at & 3))) vga.setVramByte(at, value);
  } else if (vga.gr[GR.MODE]! & ODD_EVEN) {
    if (mapMask & (1 << oddEvenPlane(vga, at))) vga.setVramByte(oddEvenOffset(vga, at), value);
  } else if (at * 4 < vga.vramBytes) {
    const planes = PLANE_MASKS[mapMask & 15]!;
    vga.setVramDword(at * 4, (vga.vramDword(at * 4) & ~planes) | (writeData(vga, value) & planes));
  }
}

/** What the graphics controller makes of a processor byte: 32 bits for the four planes. */
function writeData(vga: Vga, byte: number): number {
  const { gr, latch } = vga;
  const mode = gr[GR.MODE]! & 3;
  if (mode === 1) return latch;
  const rotate = gr[GR.ROTATE]! & 7;
  const rotated = ((byte >>> rotate) | (byte << (8 - rotate))) & 0xff;
  let bits = gr[GR.BIT_MASK]!;
  let data: number;
  if (mode === 0) {
    const setReset = PLANE_MASKS[gr[GR.ENABLE_SET_RESET]!]!;
    data = ((rotated * 0x01010101) & ~setReset) | (PLANE_MASKS[gr[GR.SET_RESET]!]! & setReset);
  } else if (mode === 2) data = PLANE_MASKS[byte & 15]!;
  else {
    bits &= rotated;
    data = PLANE_MASKS[gr[GR.SET_RESET]!]!;
  }
  const operation = gr[GR.ROTATE]! >> 3;
  if (operation === 1) data &= latch;
  else if (operation === 2) data |= latch;
  else if (operation === 3) data ^= latch;
  const mask = (bits * 0x01010101) | 0;
  return (data & mask) | (latch & ~mask);
}
