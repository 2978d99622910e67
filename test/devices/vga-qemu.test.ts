// Oracle: QEMU run (7.2.22): the same accesses on both, everything read and the screen compared
import { describe, expect, it } from 'vitest';
import { renderScreen } from '../../devices/display/screen.js';
import { requireTool } from '../tools.js';
import { runOnQemu, Script } from './script-rom.js';
import { displayBoard } from './vga-board.js';

const LFB = 0xfd000000;
const MMIO = 0xfebf0000;

function start(): Script {
  return new Script().config(2, 0, 0x10, LFB, 4).config(2, 0, 0x18, MMIO, 4).config(2, 0, 4, 3, 2);
}

function indexed(script: Script, port: number, values: readonly number[]): void {
  values.forEach((value, index) => {
    script.out(port, index).out(port + 1, value);
  });
}

/** Standard register sets: miscellaneous, sequencer, CRT controller, graphics, attribute mode. */
interface Mode {
  readonly misc: number;
  readonly sr: readonly number[];
  readonly cr: readonly number[];
  readonly gr: readonly number[];
  readonly ar10: number;
}

function setMode(script: Script, mode: Mode): void {
  script.out(0x3c2, mode.misc);
  indexed(script, 0x3c4, mode.sr);
  script.out(0x3d4, 0x11).out(0x3d5, 0);
  indexed(script, 0x3d4, mode.cr);
  indexed(script, 0x3ce, mode.gr);
  script.in(0x3da);
  for (let i = 0; i < 16; i++) script.out(0x3c0, i).out(0x3c0, (i * 5 + 3) & 0x3f);
  script.out(0x3c0, 0x10).out(0x3c0, mode.ar10).out(0x3c0, 0x12).out(0x3c0, 0x0f).out(0x3c0, 0x14).out(0x3c0, 0).out(0x3c0, 0x20);
  script.out(0x3c8, 0);
  for (let i = 0; i < 768; i++) script.out(0x3c9, (i * 11 + (i >> 6)) & 0xff);
}

const TEXT_CR = [
  0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x2d, 0x0e, 0, 0, 1, 0x20, 0x9c, 0x0e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3,
  0xff,
];
const TEXT: Mode = { misc: 0x67, sr: [3, 0, 3, 0, 2], cr: TEXT_CR, gr: [0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff], ar10: 0x0c };
const PLANAR_CR = [
  0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0, 0, 0, 0x10, 0, 0, 0xea, 0x0c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff,
];
const PLANAR: Mode = { misc: 0xe3, sr: [3, 1, 0x0f, 0, 6], cr: PLANAR_CR, gr: [0, 0, 0, 0, 0, 0, 5, 0x0f, 0xff], ar10: 1 };
const CHAINED_CR = [
  0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0, 0, 0, 0, 0, 0, 0x9c, 0x0e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff,
];
const CHAINED: Mode = { misc: 0x63, sr: [3, 1, 0x0f, 0, 0x0e], cr: CHAINED_CR, gr: [0, 0, 0, 0, 0, 0x40, 5, 0x0f, 0xff], ar10: 0x41 };
const CGA_CR = [
  0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0, 0, 0, 0, 0, 0, 0x9c, 0x0e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff,
];
const CGA: Mode = { misc: 0x63, sr: [3, 9, 0x0f, 0, 2], cr: CGA_CR, gr: [0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff], ar10: 1 };

function vbe(script: Script, values: Readonly<Record<number, number>>): void {
  for (const [index, value] of Object.entries(values)) script.out(0x1ce, Number(index), 2).out(0x1cf, value, 2);
}

function linear(bpp: number, extra: Readonly<Record<number, number>> = {}): Script {
  const script = start();
  setMode(script, PLANAR);
  vbe(script, { 1: 320, 2: 200, 3: bpp, 4: 0x41 });
  vbe(script, extra);
  return script.fill(LFB, 0x40000).fill(LFB + 0x40000, 0x8000);
}

/** Font in plane 2, text from 0xb8000 with all attributes. */
function text(mode: Mode, extra: (script: Script) => void = () => {}): Script {
  const script = start();
  setMode(script, { ...mode, sr: [3, 0, 4, 0, 6], gr: [0, 0, 0, 0, 2, 0, 4, 0, 0xff] });
  script.fill(0xa0000, 0x10000);
  setMode(script, mode);
  extra(script);
  return script.fill(0xb8000, 4096);
}

const SCREENS: readonly (readonly [string, () => Script])[] = [
  ['80x25 text with 9-dot characters', () => text(TEXT)],
  ['80x25 text with 8-dot characters and two fonts', () => text({ ...TEXT, sr: [3, 1, 3, 0x24, 2] })],
  ['40x25 text', () => text({ ...TEXT, sr: [3, 9, 3, 0, 2] }, (s) => s.out(0x3d4, 1).out(0x3d5, 39).out(0x3d4, 0x0d).out(0x3d5, 7))],
  [
    'text with a split screen',
    () => text(TEXT, (s) => s.out(0x3d4, 0x18).out(0x3d5, 100).out(0x3d4, 7).out(0x3d5, 0x0f).out(0x3d4, 9).out(0x3d5, 0x0f)),
  ],
  [
    '640x480 in 16 colours',
    () => {
      const script = start();
      setMode(script, PLANAR);
      script.fill(0xa0000, 0x4000).out(0x3c4, 2).out(0x3c5, 0x06).fill(0xa4000, 0x5000);
      return script.out(0x3c4, 2).out(0x3c5, 0x09).out(0x3ce, 3).out(0x3cf, 0x13).fill(0xa0100, 0x8000);
    },
  ],
  [
    '320x200 in 256 colours',
    () => {
      const script = start();
      setMode(script, CHAINED);
      return script.fill(0xa0000, 0x10000);
    },
  ],
  [
    '320x200 in 4 colours, interleaved',
    () => {
      const script = start();
      setMode(script, CGA);
      return script.fill(0xb8000, 0x4000);
    },
  ],
  ['VBE 4 bits', () => linear(4)],
  ['VBE 8 bits with 8-bit palette', () => linear(8, { 4: 0x61 })],
  ['VBE 15 bits', () => linear(15)],
  ['VBE 16 bits', () => linear(16)],
  ['VBE 24 bits', () => linear(24)],
  ['VBE 32 bits with an offset', () => linear(32, { 6: 400, 8: 16, 9: 3 })],
];

function ppm(screen: { width: number; height: number; rgba: Uint8Array }): Buffer {
  const rgb = Buffer.alloc(screen.width * screen.height * 3);
  for (let i = 0; i < screen.width * screen.height; i++) for (let c = 0; c < 3; c++) rgb[i * 3 + c] = screen.rgba[i * 4 + c]!;
  return Buffer.concat([Buffer.from(`P6\n${screen.width} ${screen.height}\n255\n`), rgb]);
}

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

/** Random register and window accesses; every register is read back now and then. */
function randomScript(seed: number, accesses: number): Script {
  const next = random(seed);
  const script = start().out(0x3c2, 0x63);
  for (let i = 0; i < accesses; i++) {
    const kind = next(10);
    const window = 0xa0000 + next(4) * 0x8000 + next(64);
    if (kind < 3) script.store(window, next(256));
    else if (kind < 5) script.load(window);
    else if (kind === 5) script.out(0x3ce, next(9)).out(0x3cf, next(256));
    else if (kind === 6) script.out(0x3c4, next(8)).out(0x3c5, next(256));
    else if (kind === 7) script.out(0x3b0 + next(0x30), next(256), ([1, 1, 2] as const)[next(3)]!);
    else if (kind === 8) script.in(0x3b0 + next(0x30), ([1, 1, 2, 4] as const)[next(4)]!);
    else if (next(3) > 0) script.in(next(2) ? 0x1ce : 0x1d0, 2);
    else script.out(0x1ce, next(12), 2).out(0x1cf, [next(0x10000), next(64), 0, 0x41][next(4)]!, 2);
  }
  return script;
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('VGA against QEMU', () => {
  it.each([1, 2, 3])('answers a random script of accesses alike (seed %i)', async (seed) => {
    const script = randomScript(seed, 12_000);
    const { output } = await runOnQemu(script, [], false);
    const board = displayBoard();
    expect(Buffer.compare(script.run(board.ports, board.memory), output)).toBe(0);
  });

  it('has the same registers and EDID in the register BAR', async () => {
    const script = start();
    for (let at = 0; at < 0x1000; at += at < 0x700 ? 1 : 64) script.load(MMIO + at);
    const { output } = await runOnQemu(script, [], false);
    const board = displayBoard();
    expect(script.run(board.ports, board.memory).toString('hex')).toBe(output.toString('hex'));
  });

  it.each(SCREENS)('shows %s alike', async (_name, make) => {
    const script = make();
    // The cursor blinks: off.
    script.out(0x3d4, 0x0a).out(0x3d5, 0x20);
    const { ppm: expected } = await runOnQemu(script, [], true);
    const board = displayBoard();
    script.run(board.ports, board.memory);
    const ours = ppm(renderScreen(board.vga));
    expect(ours.subarray(0, 15).toString('latin1')).toBe(expected!.subarray(0, 15).toString('latin1'));
    expect(Buffer.compare(ours, expected!)).toBe(0);
  });
});
