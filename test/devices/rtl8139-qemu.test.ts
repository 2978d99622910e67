// Oracle: QEMU run (7.2.22): the same accesses to a network card on both, everything read compared
import { describe, expect, it } from 'vitest';
import { Rtl8139 } from '../../devices/net/rtl8139.js';
import { requireTool } from '../tools.js';
import { chipset } from './board.js';
import { Random } from './random-script.js';
import { runOnQemu, Script } from './script-rom.js';

const SLOT = 3;
const IO = 0xc000;
const MAC = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const CR = 0x37;
const TSD0 = 0x10;
const TSAD0 = 0x20;
const RBSTART = 0x30;
const CAPR = 0x38;
const IMR = 0x3c;
const ISR = 0x3e;
const TCR = 0x40;
const RCR = 0x44;
const CFG9346 = 0x50;
const TPPOLL = 0xd9;
const CPCR = 0xe0;
const RDSAR = 0xe4;
const TX_BUFFER = 0x100000;
const RING = 0x180000;
const TX_RING = 0x10000;
const RX_RING = 0x12000;
const RX_BUFFERS = 0x140000;
const LOOPBACK = 0x60000;

type Size = 1 | 2 | 4;

async function theirs(script: Script, cable: boolean): Promise<Buffer> {
  const device = `rtl8139,romfile=,addr=${SLOT}${cable ? ',netdev=n' : ''}`;
  const net = cable ? ['-netdev', 'user,id=n,ipv6=off,restrict=on'] : [];
  return (await runOnQemu(script, [...net, '-device', device], false)).output;
}

function ours(script: Script, cable: boolean): Buffer {
  const board = chipset();
  const { ports, memory, map, time: clock } = board;
  const backend = cable ? { send: () => {} } : null;
  const card = new Rtl8139({ ports, memory, map, clock, mac: Uint8Array.from(MAC), rom: null, romName: '', backend });
  board.bus.attach(SLOT, 0, card);
  board.bus.reset();
  return script.run(ports, memory);
}

async function compare(script: Script, cable = true): Promise<void> {
  const expected = await theirs(script, cable);
  const found = ours(script, cable);
  const at = found.findIndex((byte, i) => byte !== expected[i]);
  const around = (bytes: Buffer): string => `${at}: ${bytes.subarray(Math.max(0, at - 8), at + 16).toString('hex')}`;
  if (at >= 0) expect(around(found)).toBe(around(expected));
  expect(found.length).toBe(expected.length);
}

function start(): Script {
  return new Script().config(SLOT, 0, 0x10, IO, 4).config(SLOT, 0, 0x14, 0xfebf0000, 4).config(SLOT, 0, 4, 7, 2);
}

/** What has a meaning and does not depend on time. */
function readAll(script: Script): void {
  for (let at = 0; at < 0x100; at += 4) if (at !== 0x48) script.in(IO + at, 4);
  for (let at = 0x10; at < 0xf0; at += 2) if (at < 0x48 || at > 0x4b) script.in(IO + at, 2);
  for (let at = 0; at < 0xf0; at++) if (at < 0x48 || at > 0x4b) script.in(IO + at);
  script.out(0xcf8, 0x80000004 | (SLOT << 11), 4).in(0xcfe, 2);
}

function store32(script: Script, address: number, value: number): void {
  for (let i = 0; i < 4; i++) script.store(address + i, (value >>> (i * 8)) & 0xff);
}

function eeprom(script: Script, bits: number, r: Random | null): void {
  const wires = (value: number): void => {
    script.out(IO + CFG9346, 0x80 | value).in(IO + CFG9346);
  };
  wires(0);
  wires(8);
  const command = r === null ? bits : bits ^ (r.below(4) === 0 ? 1 << r.below(9) : 0);
  for (let i = 8; i >= 0; i--) {
    const di = (command >> i) & 1 ? 2 : 0;
    wires(8 | di);
    wires(12 | di);
  }
  for (let i = 0; i < 18; i++) {
    wires(8);
    wires(12);
  }
  wires(0);
  script.out(IO + CFG9346, 0);
}

/** A frame in memory: to us, to all, to a group, to somebody else. */
function frame(script: Script, address: number, r: Random): void {
  const to = r.pick([MAC, [255, 255, 255, 255, 255, 255], [1, 0, 0x5e, 0, 0, r.below(16)], [2, 0, 0, 0, 0, 1]]);
  for (const [i, byte] of to.entries()) script.store(address + i, byte);
  const type = r.pick([
    [0x08, 0x00, 0x45],
    [0x81, 0x00, 0x12],
    [0x88, 0xb5, 0x00],
  ]);
  for (const [i, byte] of type.entries()) script.store(address + 12 + i, byte);
}

function reads(script: Script, r: Random): void {
  script
    .in(IO + ISR, 2)
    .in(IO + CR)
    .in(IO + CAPR, 2)
    .in(IO + 0x3a, 2)
    .in(IO + 0x4c, 4)
    .in(IO + 0x60, 2);
  for (let d = 0; d < 4; d++) script.in(IO + TSD0 + d * 4, 4);
  script.out(0xcf8, 0x80000004 | (SLOT << 11), 4).in(0xcfe, 2);
  for (let i = 0; i < 20; i++) script.load(RING + r.below(0x4800));
}

/** Frames through the ring in loopback mode, sometimes without a driver that takes them out. */
function cMode(seed: number, frames: number): Script {
  const r = new Random(seed);
  const script = start();
  script.fill(TX_BUFFER, 0x4000);
  for (let i = 0; i < frames; i++) {
    if (i === 0 || r.below(25) === 0) {
      if (r.below(3) === 0) script.out(IO + CR, 0x10);
      script.out(IO + CR, r.pick([0x0c, 0x0c, 0x0c, 0x04, 0x08]));
      script.out(IO + RBSTART, RING, 4).out(IO + TCR, LOOPBACK | 0x700, 4);
      script.out(IO + RCR, r.pick([0x0f, 0x0e, 0x0a, 0x02, 0x8e, 0x88e, 0x188f, 0x80f]), 4);
      for (let m = 0; m < 8; m++) script.out(IO + 8 + m, r.byte());
      script.out(IO + IMR, r.pick([0, 0x05, 0x10, 0xffff]), 2);
    }
    frame(script, TX_BUFFER, r);
    const descriptor = r.below(10) === 0 ? r.below(4) : i & 3;
    script.out(IO + TSAD0 + descriptor * 4, TX_BUFFER, 4);
    script.out(IO + TSD0 + descriptor * 4, r.pick([r.below(64), 60, 64, r.below(1515), 1514, r.below(4000)]), 4);
    if (r.below(3) === 0) script.out(IO + ISR, r.pick([0xffff, 1, 4, 0x10]), 2);
    if (r.below(4) === 0) script.out(IO + CAPR, r.pick([r.below(0x4000) & ~3, (i * 64 - 16) & 0x1fff]), 2);
    if (r.below(8) === 0) script.out(IO + 0x5b, r.pick([0x48, 0x52, 0x52]));
    if (r.below(3) === 0) reads(script, r);
  }
  readAll(script);
  return script;
}

/** Packets for offload: IPv4 with TCP or UDP, mostly right. */
function packet(script: Script, address: number, length: number, r: Random): void {
  frame(script, address, r);
  const bytes: [number, number][] = [
    ...([
      [12, 8],
      [13, 0],
      [14, 0x40 | r.pick([5, 5, 5, 6, 8, 4, 15])],
    ] as [number, number][]),
    ...([
      [16, (length - 14) >> 8],
      [17, (length - 14 - r.pick([0, 0, 0, 1, 5])) & 0xff],
    ] as [number, number][]),
    ...([
      [23, r.pick([6, 6, 17, 17, 1])],
      [46, r.pick([0x50, 0x50, 0x60, 0xf0, 0x10])],
      [47, r.byte()],
    ] as [number, number][]),
  ];
  for (const [at, byte] of bytes) script.store(address + at, byte);
}

function cPlusMode(seed: number, rounds: number): Script {
  const r = new Random(seed);
  const script = start();
  script.fill(TX_BUFFER, 0x4000);
  script
    .out(IO + CPCR, 0x03, 2)
    .out(IO + CR, 0x0c)
    .out(IO + TCR, LOOPBACK | 0x700, 4)
    .out(IO + RCR, 0x0f, 4);
  for (let i = 0; i < rounds; i++) {
    script.out(IO + CPCR, r.pick([0x03, 0x43, 0x63, 0x03, 0x02, 0x01]), 2);
    const descriptors = 1 + r.below(4);
    for (let d = 0; d < 8; d++) {
      store32(script, RX_RING + d * 16, (r.below(8) ? 0x80000000 : 0) + (d === 7 ? 0x40000000 : 0) + r.pick([0x7ff, 0x7ff, 0x1fff, 200]));
      store32(script, RX_RING + d * 16 + 4, r.byte());
      store32(script, RX_RING + d * 16 + 8, RX_BUFFERS + d * 0x2000);
      store32(script, RX_RING + d * 16 + 12, r.below(20) === 0 ? 1 : 0);
    }
    let total = 0;
    const pieces = Array.from({ length: descriptors }, () => r.pick([60, 100 + r.below(600), 1000, 2500 + r.below(2000)]));
    packet(
      script,
      TX_BUFFER,
      pieces.reduce((a, b) => a + b, 0),
      r,
    );
    pieces.forEach((size, d) => {
      const first = d === 0 ? 0x20000000 : 0;
      const last = d === descriptors - 1 ? 0x50000000 : 0;
      const large = r.pick([0, 0, 0, 0x08000000 | (r.pick([0, 536, 1000, 1460]) << 16)]);
      const wanted = last === 0 ? 0 : large !== 0 ? large : r.pick([0, 0x40000, 0x60000, 0x50000, 0x10000, 0x20000]);
      store32(script, TX_RING + d * 16, (0x80000000 + first + last + wanted + size) >>> 0);
      store32(script, TX_RING + d * 16 + 4, r.pick([0, 0, 0x21234]));
      store32(script, TX_RING + d * 16 + 8, TX_BUFFER + total);
      store32(script, TX_RING + d * 16 + 12, 0);
      total += size;
    });
    script
      .out(IO + CR, 0x0c)
      .out(IO + TSAD0, TX_RING, 4)
      .out(IO + TSAD0 + 4, 0, 4);
    script.out(IO + RDSAR, RX_RING, 4).out(IO + RDSAR + 4, 0, 4);
    script.out(IO + TPPOLL, r.pick([0x40, 0x40, 0xc0, 0x80]));
    reads(script, r);
    for (let d = 0; d < 8; d++) for (let k = 0; k < 8; k++) script.load(RX_RING + d * 16 + k);
    for (let k = 0; k < 8; k++) script.load(TX_RING + k);
    for (let d = 0; d < 3; d++) for (let k = 0; k < 60; k++) script.load(RX_BUFFERS + d * 0x2000 + k);
    for (let k = 0; k < 30; k++) script.load(RX_BUFFERS + r.below(0x8000));
    if (r.below(4) === 0) {
      script
        .out(IO + TSD0 + 4, 0, 4)
        .out(IO + TSD0, 0x20008, 4)
        .in(IO + TSD0, 4);
      for (let k = 0; k < 64; k++) script.load(0x20000 + k);
    }
  }
  readAll(script);
  return script;
}

/** Any value into any register, but for the timer, whose count is never the same, and what would make frames of garbage leave. */
function anything(seed: number, count: number): Script {
  const r = new Random(seed);
  const script = start();
  for (let i = 0; i < count; i++) {
    const size = r.pick<Size>([1, 1, 2, 4]);
    const at = r.below(256);
    if (at + size <= 0x48 || at >= 0x58)
      script.out(IO + at, size === 4 ? (r.below(0x10000) * 0x10000 + r.below(0x10000)) >>> 0 : r.below(size === 1 ? 256 : 0x10000), size);
    if (r.below(6) === 0) script.out(IO + CFG9346, r.pick([0xc0, 0x80, 0x40, 0, r.byte()]));
    if (at + size <= 0x48 || at >= 0x4c) script.in(IO + at, size);
    if (r.below(100) === 0) readAll(script);
  }
  return script;
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('the RTL8139 against QEMU', () => {
  it('has the same registers and configuration space after a reset', async () => {
    const script = new Script();
    for (let at = 0; at < 256; at += 4) script.out(0xcf8, (0x80000000 | (SLOT << 11) | at) >>> 0, 4).in(0xcfc, 4);
    for (const at of [0x10, 0x14, 0x30]) script.config(SLOT, 0, at, 0xffffffff, 4).in(0xcfc, 4);
    script.config(SLOT, 0, 0x10, IO, 4).config(SLOT, 0, 4, 7, 2);
    readAll(script);
    await compare(script);
  });

  it('has the same EEPROM', async () => {
    const script = start();
    for (let word = 0; word < 64; word++) eeprom(script, 0x180 | word, null);
    const r = new Random(5);
    for (let i = 0; i < 60; i++) eeprom(script, r.pick([0x100, 0x140, 0x180, 0x1c0, 0x130]) | r.below(64), r);
    await compare(script);
  });

  it.each([1, 2, 3])('takes any value in any register alike (seed %i)', async (seed) => {
    await compare(anything(seed, 3000));
  });

  it.each([
    [11, true],
    [12, true],
    [13, false],
  ])('sends and receives in C mode alike (seed %i, cable: %s)', async (seed, cable) => {
    await compare(cMode(seed, 350), cable);
  });

  it.each([21, 22, 23])('sends and receives in C+ mode alike, with offload (seed %i)', async (seed) => {
    await compare(cPlusMode(seed, 28));
  });
});
