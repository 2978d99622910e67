import { DISPI } from './vbe-dispi.js';
import type { Vga } from './vga.js';
import { PLANE_MASKS } from './vga-memory.js';
import { AR, CR, GR, SR } from './vga-registers.js';

/** What the monitor shows: RGBA, 4 bytes a pixel, line by line from the top. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

const DOTS_8 = 0x01;
const HALF_DOT_CLOCK = 0x08;
const PALETTE_ON = 0x20;
/** CGA's 160x100 mode says 100 lines here. */
const CGA_100_TOTAL = 100;
const MAX_CHARACTERS = 160 * 100;
const BLANK = { width: 640, height: 480 };

/** Where and how the picture lies in video memory. */
interface Layout {
  /** Units of 4 bytes. */
  readonly start: number;
  readonly lineOffset: number;
  /** Below this line the picture starts again at address 0. */
  readonly lineCompare: number;
}

/** Draws what a monitor would show now. The text cursor does not blink: it is always on. */
export function renderScreen(vga: Vga): Screen {
  if ((vga.arIndex & PALETTE_ON) === 0) return blank(BLANK.width, BLANK.height);
  return vga.gr[GR.MISC]! & 1 ? renderGraphics(vga) : renderText(vga);
}

function blank(width: number, height: number): Screen {
  const rgba = new Uint8Array(width * height * 4);
  new Uint32Array(rgba.buffer).fill(opaque(0, 0, 0));
  return { width, height, rgba };
}

/** Red, green, blue in memory order, as a little-endian 32-bit pixel. */
function opaque(r: number, g: number, b: number): number {
  return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
}

function sixToEight(v: number): number {
  return ((v & 0x3f) << 2) | ((v & 1) * 3);
}

function paletteColor(vga: Vga, index: number, eightBits: boolean): number {
  const [r, g, b] = [0, 1, 2].map((i) => vga.palette[index * 3 + i]!) as [number, number, number];
  return eightBits ? opaque(r, g, b) : opaque(sixToEight(r), sixToEight(g), sixToEight(b));
}

/** The 16 colours through attribute registers and colour page. */
function palette16(vga: Vga): Uint32Array {
  const page = vga.ar[AR.COLOR_PAGE]!;
  return Uint32Array.from({ length: 16 }, (_, i) => {
    const v = vga.ar[i]!;
    const index = vga.ar[AR.MODE]! & 0x80 ? ((page & 15) << 4) | (v & 15) : ((page & 12) << 4) | (v & 0x3f);
    return paletteColor(vga, index, false);
  });
}

function layout(vga: Vga): Layout {
  const { cr } = vga;
  if (vga.vbe.enabled) return { start: vga.vbe.startAddress, lineOffset: vga.vbe.lineOffset, lineCompare: 65535 };
  return {
    start: cr[0x0d]! | (cr[0x0c]! << 8),
    lineOffset: cr[CR.OFFSET]! << 3,
    lineCompare: cr[CR.LINE_COMPARE]! | ((cr[CR.OVERFLOW]! & 0x10) << 4) | ((cr[CR.MAX_SCAN]! & 0x40) << 3),
  };
}

function displayLines(vga: Vga): number {
  const { cr } = vga;
  return (cr[CR.V_DISPLAY_END]! | ((cr[CR.OVERFLOW]! & 0x02) << 7) | ((cr[CR.OVERFLOW]! & 0x40) << 3)) + 1;
}

function renderText(vga: Vga): Screen {
  const { cr } = vga;
  const clocking = vga.sequencer(SR.CLOCKING);
  const cellHeight = (cr[CR.MAX_SCAN]! & 0x1f) + 1;
  const cellWidth = clocking & HALF_DOT_CLOCK ? 16 : clocking & DOTS_8 ? 8 : 9;
  const columns = cr[CR.H_DISPLAY_END]! + 1;
  const rows = cr[CR.V_TOTAL] === CGA_100_TOTAL ? 100 : Math.floor(displayLines(vga) / cellHeight);
  if (columns * rows <= 1 || columns * rows > MAX_CHARACTERS) return blank(BLANK.width, BLANK.height);
  const screen = blank(columns * cellWidth, rows * cellHeight);
  const { start, lineOffset, lineCompare } = layout(vga);
  const palette = palette16(vga);
  const pixels = new Uint32Array(screen.rgba.buffer);
  const cell = { width: cellWidth, height: cellHeight };
  const cursor = ((cr[0x0e]! << 8) | cr[0x0f]!) * 4;
  let line = start * 4;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = line + column * 4;
      if (at + 2 > vga.vramBytes) break;
      const target = row * cellHeight * screen.width + column * cellWidth;
      drawCharacter(vga, pixels, target, screen.width, cell, at, palette);
      if (at === cursor) drawCursor(vga, pixels, target, screen.width, cell, palette[vga.vramByte(at + 1) & 15]!);
    }
    line += lineOffset;
    if (row * cellHeight < lineCompare && (row + 1) * cellHeight >= lineCompare) line = 0;
  }
  return screen;
}

interface Cell {
  readonly width: number;
  readonly height: number;
}

/** Offset of a font in plane 2; attribute bit 3 chooses map A (set) or B. */
function fontOffset(vga: Vga, attribute: number): number {
  const map = vga.sequencer(SR.CHARACTER_MAP);
  const font = attribute & 8 ? ((map >> 5) & 1) | ((map >> 1) & 6) : ((map >> 4) & 1) | ((map << 1) & 6);
  return font * 8192 * 4 + 2;
}

function drawCharacter(vga: Vga, pixels: Uint32Array, target: number, stride: number, cell: Cell, at: number, palette: Uint32Array): void {
  const code = vga.vramByte(at);
  const attribute = vga.vramByte(at + 1);
  const glyph = fontOffset(vga, attribute) + 32 * 4 * code;
  const foreground = palette[attribute & 15]!;
  const background = palette[attribute >> 4]!;
  // Line graphics go on into the ninth column.
  const ninth = code >= 0xb0 && code <= 0xdf && (vga.ar[AR.MODE]! & 4) !== 0;
  const shift = cell.width === 16 ? 1 : 0;
  for (let y = 0; y < cell.height; y++) {
    const bits = vga.vramByte(glyph + y * 4);
    for (let x = 0; x < cell.width; x++) {
      const on = x === 8 && shift === 0 ? ninth && (bits & 1) !== 0 : (bits & (0x80 >> (x >> shift))) !== 0;
      pixels[target + y * stride + x] = on ? foreground : background;
    }
  }
}

function drawCursor(vga: Vga, pixels: Uint32Array, target: number, stride: number, cell: Cell, color: number): void {
  const from = vga.cr[CR.CURSOR_START]!;
  if (from & 0x20) return;
  const last = Math.min(vga.cr[CR.CURSOR_END]! & 0x1f, cell.height - 1);
  for (let y = from & 0x1f; y <= last; y++) pixels.fill(color, target + y * stride, target + y * stride + cell.width);
}

/** Fills `line` with the pixels from byte `at` of video memory. */
type DrawLine = (line: Uint32Array, at: number) => void;

function renderGraphics(vga: Vga): Screen {
  const { cr } = vga;
  const { registers } = vga.vbe;
  const shiftMode = (vga.gr[GR.MODE]! >> 5) & 3;
  const halfClock = shiftMode < 2 && (vga.sequencer(SR.CLOCKING) & HALF_DOT_CLOCK) !== 0;
  const width = vga.vbe.enabled ? registers[DISPI.XRES]! : (cr[CR.H_DISPLAY_END]! + 1) * 8;
  const height = vga.vbe.enabled ? registers[DISPI.YRES]! : displayLines(vga);
  const screen = blank(width * (halfClock ? 2 : 1), height);
  const pixels = new Uint32Array(screen.rgba.buffer);
  const draw = lineDrawer(vga, shiftMode, halfClock ? 1 : 0);
  const { start, lineOffset, lineCompare } = layout(vga);
  const mode = cr[CR.MODE]!;
  const doubled = cr[CR.MAX_SCAN]! >> 7;
  const repeats = mode & 1 ? (((cr[CR.MAX_SCAN]! & 0x1f) + 1) << doubled) - 1 : doubled;
  const stepMask = (mode & 3) ^ 3;
  let address = start * 4;
  let row = 0;
  let repeat = repeats;
  for (let y = 0; y < height; y++) {
    draw(pixels.subarray(y * screen.width, (y + 1) * screen.width), interleaved(address, row, mode));
    if (repeat === 0) {
      if ((row & stepMask) === stepMask) address += lineOffset;
      row++;
      repeat = repeats;
    } else repeat--;
    if (y === lineCompare) address = 0;
  }
  return screen;
}

/** CGA and Hercules keep odd lines (and every second pair) elsewhere. */
function interleaved(address: number, row: number, mode: number): number {
  let at = address;
  if ((mode & 1) === 0) {
    const shift = 14 + ((mode >> 6) & 1);
    at = (at & ~(1 << shift)) | ((row & 1) << shift);
  }
  if ((mode & 2) === 0) at = (at & ~0x8000) | ((row & 2) << 14);
  return at;
}

/** @param doubling 1 when each pixel is drawn twice. */
function lineDrawer(vga: Vga, shiftMode: number, doubling: number): DrawLine {
  const mask = vga.vramBytes - 1;
  if (shiftMode < 2) {
    const palette = palette16(vga);
    const planes = PLANE_MASKS[vga.ar[AR.PLANE_ENABLE]! & 15]!;
    const pixel = shiftMode === 0 ? planarPixel : packedPixel;
    return (line, at) => {
      for (let x = 0; x < line.length; x++) {
        const column = x >> doubling;
        line[x] = palette[pixel(vga.vramDword((at + (column >> 3) * 4) & mask & ~3) & planes, column & 7)]!;
      }
    };
  }
  const depth = vga.vbe.enabled ? vga.vbe.registers[DISPI.BPP]! : 0;
  const byte = (at: number): number => vga.vramByte(at & mask);
  const word = (at: number): number => byte(at & ~1) | (byte(at | 1) << 8);
  const pixel = pixelReader(depth, byte, word);
  if (pixel !== null)
    return (line, at) => {
      const bytes = (depth + 7) >> 3;
      for (let x = 0; x < line.length; x++) line[x] = pixel(at + x * bytes);
    };
  const palette = Uint32Array.from({ length: 256 }, (_, i) => paletteColor(vga, i, vga.vbe.dac8Bit));
  // Without VBE, 256-colour pixels are two dots wide.
  const wide = depth === 8 ? 0 : 1;
  return (line, at) => {
    for (let x = 0; x < line.length; x++) line[x] = palette[byte(at + (x >> wide))]!;
  };
}

/** 16 colours: bit 7 - column of each plane. */
function planarPixel(data: number, column: number): number {
  const bits = data >>> (7 - column);
  return (bits & 1) | ((bits >>> 7) & 2) | ((bits >>> 14) & 4) | ((bits >>> 21) & 8);
}

/** 4 colours: two bits of planes 0 and 2, then of planes 1 and 3. */
function packedPixel(data: number, column: number): number {
  const bits = data >>> ((column & 4 ? 8 : 0) + (3 - (column & 3)) * 2);
  return (bits & 3) | ((bits >>> 14) & 12);
}

function pixelReader(depth: number, byte: (at: number) => number, word: (at: number) => number): ((at: number) => number) | null {
  switch (depth) {
    case 15:
      return (at) => {
        const v = word(at);
        return opaque((v >> 7) & 0xf8, (v >> 2) & 0xf8, (v << 3) & 0xf8);
      };
    case 16:
      return (at) => {
        const v = word(at);
        // High bits repeated below, so that white is white; QEMU leaves 15 bits without that.
        const [r, g, b] = [v >> 11, (v >> 5) & 0x3f, v & 0x1f];
        return opaque((r << 3) | (r >> 2), (g << 2) | (g >> 4), (b << 3) | (b >> 2));
      };
    case 24:
    case 32:
      return (at) => opaque(byte(at + 2), byte(at + 1), byte(at));
    default:
      return null;
  }
}
