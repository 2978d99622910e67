// Oracle: QEMU run (7.2.22): the same accesses to a disk on both, everything read compared
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { diskCmos } from '../../devices/storage/disk-cmos.js';
import { Piix3Ide } from '../../devices/storage/piix3-ide.js';
import { MemoryOverlay } from '../../src/block/memory-overlay.js';
import { RawImage } from '../../src/block/raw-image.js';
import { requireTool } from '../tools.js';
import { chipset } from './board.js';
import { runOnQemu, Script } from './script-rom.js';

const BASE = 0x1f0;
const CONTROL = 0x3f6;
const BUS_MASTER = 0xc000;
const BSY = 0x80;
const DRQ = 0x08;
const SECTORS = 3000;

const dir = mkdtempSync(join(tmpdir(), 'palindrome-ide-'));
afterAll(() => rmSync(dir, { recursive: true }));
const image = join(dir, 'disk');
writeFileSync(
  image,
  Uint8Array.from({ length: SECTORS * 512 }, (_, i) => i * 3 + (i >> 9) * 17),
);

function ours(script: Script): Buffer {
  const board = chipset();
  const ide: Piix3Ide = new Piix3Ide({
    ports: board.ports,
    memory: board.memory,
    irqs: [board.isaIrqs[14]!, board.isaIrqs[15]!],
    drives: [new MemoryOverlay(new RawImage(image)), null, null, null],
    onRequest: (drive) => ide.complete(drive),
    onSoftwareReset: (channel) => ide.performReset(channel),
  });
  board.bus.attach(1, 1, ide);
  board.bus.reset();
  return script.run(board.ports, board.memory);
}

async function theirs(script: Script): Promise<Buffer> {
  return (await runOnQemu(script, ['-drive', `file=${image},format=raw,if=ide,snapshot=on`], false)).output;
}

function start(): Script {
  return new Script().config(1, 1, 0x20, BUS_MASTER, 4).config(1, 1, 4, 5, 2);
}

function readRegisters(script: Script): void {
  script.in(CONTROL);
  for (let r = 1; r < 8; r++) script.in(BASE + r);
}

const COMMANDS = [
  0x10, 0x20, 0x21, 0x24, 0x27, 0x29, 0x30, 0x34, 0x39, 0x40, 0x42, 0x70, 0x90, 0x91, 0xc4, 0xc5, 0xc6, 0xe0, 0xe1, 0xe5, 0xe7, 0xea, 0xec,
  0xef, 0xf5, 0xf8, 0x00, 0x08, 0xa0, 0xa1,
];

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

function pioScript(seed: number, commands: number): Script {
  const next = random(seed);
  const script = start();
  for (let i = 0; i < commands; i++) {
    if (next(8) === 0)
      script
        .out(CONTROL, 4)
        .poll(CONTROL, BSY)
        .out(CONTROL, next(2) * 0x80);
    script.out(BASE + 1, [0x02, 0x82, 0x03, 0xcc, 0x66, next(256)][next(6)]!);
    script.out(BASE + 2, next(2)).out(BASE + 2, [1, 2, 3, 8, 0x42, 1 << next(8)][next(6)]!);
    script.out(BASE + 3, 0).out(BASE + 3, 1 + next(60));
    script.out(BASE + 4, 0).out(BASE + 4, next(next(3) === 0 ? 16 : 2));
    script.out(BASE + 5, 0).out(BASE + 5, 0);
    script.out(BASE + 6, [0xe0, 0xa0, 0xe0, 0xa0 + next(16), 0xf0][next(5)]!);
    script.out(BASE + 7, COMMANDS[next(COMMANDS.length)]!);
    for (let block = 0; block < 3; block++) {
      script.poll(CONTROL, BSY);
      readRegisters(script);
      // Whole sectors, so that no block ends in the middle, where QEMU may be busy.
      script.readWords(BASE, 254).in(BASE, 4).poll(CONTROL, BSY).writeWords(BASE, 254).out(BASE, 0x12345678, 4);
    }
    script.poll(CONTROL, BSY);
    script.out(CONTROL, 0x80);
    readRegisters(script);
    script.out(BASE + 6, 0xe0);
  }
  return script;
}

function dmaScript(seed: number, commands: number): Script {
  const next = random(seed);
  const script = start();
  for (let i = 0; i < commands; i++) {
    const descriptors = 1 + next(3);
    for (let d = 0; d < descriptors; d++) {
      const words = [
        0x100000 + next(16) * 0x1000 + next(100) * 2,
        (d + 1 === descriptors ? 0x80000000 : 0) + [512, 1024, 100, 1536][next(4)]!,
      ];
      words.forEach((w, k) => {
        for (let b = 0; b < 4; b++) script.store(0x2000 + d * 8 + k * 4 + b, (w >>> (b * 8)) & 0xff);
      });
    }
    script.out(BUS_MASTER + 4, 0x2000, 4).in(BUS_MASTER + 4, 4);
    script
      .out(BASE + 2, 1 + next(3))
      .out(BASE + 3, next(256))
      .out(BASE + 4, next(13))
      .out(BASE + 5, 0)
      .out(BASE + 6, 0xe0);
    script
      .out(BASE + 7, next(2) ? 0xca : 0xc8)
      .in(BUS_MASTER + 2)
      .out(BUS_MASTER, 9);
    script
      .poll(CONTROL, DRQ | BSY)
      .in(BUS_MASTER)
      .in(BUS_MASTER + 2)
      .out(BUS_MASTER, 8)
      .out(BUS_MASTER + 2, 6)
      .in(BUS_MASTER + 2);
    readRegisters(script);
    for (let k = 0; k < 32; k++) script.load(0x100000 + next(0x12000));
  }
  return script;
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('IDE against QEMU', () => {
  it('identifies the disk alike', async () => {
    const script = start()
      .out(BASE + 6, 0xa0)
      .out(BASE + 7, 0xec)
      .poll(CONTROL, BSY)
      .readWords(BASE, 256);
    expect(ours(script).toString('hex')).toBe((await theirs(script)).toString('hex'));
  });

  it('has the same disk types and geometries in CMOS', async () => {
    const registers = [0x12, 0x19, 0x1a, ...Array.from({ length: 18 }, (_, i) => 0x1b + i), 0x39];
    const script = new Script();
    for (const register of registers) script.out(0x70, register).in(0x71);
    const cmos = new Map(diskCmos([new RawImage(image), null, null, null]));
    expect([...(await theirs(script))]).toEqual(registers.map((r) => cmos.get(r) ?? 0));
  });

  it.each([11, 12])('answers random PIO commands alike (seed %i)', async (seed) => {
    const script = pioScript(seed, 250);
    expect(Buffer.compare(ours(script), await theirs(script))).toBe(0);
  });

  it.each([21, 22])('answers random DMA commands alike (seed %i)', async (seed) => {
    const script = dmaScript(seed, 120);
    expect(Buffer.compare(ours(script), await theirs(script))).toBe(0);
  });
});
