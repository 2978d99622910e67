// Oracle: manual (ATA-6 command descriptions; Programming Interface for Bus Master IDE Controller 1.0)
import { describe, expect, it } from 'vitest';
import { Piix3Ide } from '../../devices/storage/piix3-ide.js';
import type { BlockDevice } from '../../src/block/block-device.js';
import { restoreState, saveState } from '../../src/core/save.js';
import { chipset } from './board.js';

const BASE = 0x1f0;
const CONTROL = 0x3f6;
const BUS_MASTER = 0xc000;

class MemoryDisk implements BlockDevice {
  readonly sectorCount: number;
  readonly bytes: Uint8Array;
  flushes = 0;
  constructor(sectorCount: number) {
    this.sectorCount = sectorCount;
    this.bytes = Uint8Array.from({ length: sectorCount * 512 }, (_, i) => (i >> 9) * 3 + i);
  }
  read(start: number, target: Uint8Array): boolean {
    target.set(this.bytes.subarray(start * 512, start * 512 + target.length));
    return true;
  }
  write(start: number, source: Uint8Array): boolean {
    this.bytes.set(source, start * 512);
    return true;
  }
  flush(): boolean {
    this.flushes++;
    return true;
  }
}

function setUp(options: { late?: boolean; disk?: MemoryDisk | null } = {}) {
  const board = chipset();
  const disk = options.disk === undefined ? new MemoryDisk(4096) : options.disk;
  const requests: number[] = [];
  const resets: number[] = [];
  const ide: Piix3Ide = new Piix3Ide({
    ports: board.ports,
    memory: board.memory,
    irqs: [board.isaIrqs[14]!, board.isaIrqs[15]!],
    drives: [disk, null, null, null],
    onRequest: (drive) => (options.late ? requests.push(drive) : ide.complete(drive)),
    onSoftwareReset: (channel) => (options.late ? resets.push(channel) : ide.performReset(channel)),
  });
  board.bus.attach(1, 1, ide);
  ide.reset();
  board.writeConfig(1, 1, 0x20, BUS_MASTER, 4);
  board.writeConfig(1, 1, 4, 5, 2);
  const out = (register: number, value: number) => board.ports.write(BASE + register, value, 1);
  const status = () => board.ports.read(BASE + 7, 1);
  return {
    ...board,
    disk: disk!,
    ide,
    requests,
    resets,
    out,
    status,
    irq: board.isaIrqs[14]!,
    lba28(start: number, count: number, command: number) {
      out(2, count);
      out(3, start);
      out(4, start >> 8);
      out(5, start >> 16);
      out(6, 0xe0 | (start >> 24));
      out(7, command);
    },
    readWords(count: number) {
      return Uint8Array.from(Array.from({ length: count }, () => board.ports.read(BASE, 2)).flatMap((w) => [w & 0xff, w >> 8]));
    },
    writeBytes(bytes: Uint8Array) {
      for (let i = 0; i < bytes.length; i += 2) board.ports.write(BASE, bytes[i]! | (bytes[i + 1]! << 8), 2);
    },
    prd(entries: readonly (readonly [number, number])[]) {
      const view = new DataView(new ArrayBuffer(entries.length * 8));
      entries.forEach(([address, word], i) => {
        view.setUint32(i * 8, address, true);
        view.setUint32(i * 8 + 4, word, true);
      });
      board.memory.writeBytes(0x1000, new Uint8Array(view.buffer));
      board.ports.write(BUS_MASTER + 4, 0x1000, 4);
    },
  };
}

const pattern = (length: number) => Uint8Array.from({ length }, (_, i) => i * 5 + 1);

describe('ATA registers', () => {
  it('reads zeros everywhere on a channel without devices', () => {
    const { ports } = setUp();
    expect([1, 2, 3, 4, 5, 6, 7].map((r) => ports.read(0x170 + r, 1))).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(ports.read(0x376, 1)).toBe(0);
  });

  it('shows the signature of a disk after reset, and no status for the missing device 1', () => {
    const { ports, out, status } = setUp();
    expect([1, 2, 3, 4, 5, 6, 7].map((r) => ports.read(BASE + r, 1))).toEqual([0, 1, 1, 0, 0, 0xa0, 0x50]);
    out(6, 0xb0);
    expect(status()).toBe(0);
    out(7, 0xec);
    expect(status()).toBe(0);
  });

  it('keeps the values before the last writes for reading with HOB', () => {
    const { ports, out } = setUp();
    out(2, 0x12);
    out(2, 0x34);
    expect(ports.read(BASE + 2, 1)).toBe(0x34);
    ports.write(CONTROL, 0x80, 1);
    expect(ports.read(BASE + 2, 1)).toBe(0x12);
  });

  it('aborts unknown commands with an interrupt, which reading the status takes back', () => {
    const { ports, out, status, irq } = setUp();
    out(7, 0xa1);
    expect(irq.level).toBe(true);
    expect(ports.read(CONTROL, 1)).toBe(0x41);
    expect(irq.level).toBe(true);
    expect(status()).toBe(0x41);
    expect(irq.level).toBe(false);
    expect(ports.read(BASE + 1, 1)).toBe(4);
  });

  it('raises no interrupt while nIEN is set', () => {
    const { ports, out, irq } = setUp();
    ports.write(CONTROL, 2, 1);
    out(7, 0x10);
    expect(irq.level).toBe(false);
  });

  it('resets by software when asked to, busy until then', () => {
    const board = setUp({ late: true });
    board.out(3, 77);
    board.ports.write(CONTROL, 4, 1);
    expect(board.status()).toBe(0xd0);
    expect(board.resets).toEqual([0]);
    board.ports.write(CONTROL, 0, 1);
    board.ide.performReset(0);
    expect([1, 2, 3, 7].map((r) => board.ports.read(BASE + r, 1))).toEqual([1, 1, 1, 0x50]);
  });

  it('identifies the disk', () => {
    const { out, readWords, status } = setUp();
    out(7, 0xec);
    expect(status()).toBe(0x58);
    const data = readWords(256);
    expect(status()).toBe(0x50);
    const view = new DataView(data.buffer);
    expect([1, 3, 6].map((w) => view.getUint16(w * 2, true))).toEqual([4, 16, 63]);
    expect(view.getUint32(120, true)).toBe(4096);
    const model = [...data.subarray(54, 94)].map((_, i, all) => String.fromCharCode(all[i ^ 1]!)).join('');
    expect(model.trim()).toBe('QEMU HARDDISK');
  });

  it('takes the geometry from a partition that ends on a cylinder boundary', () => {
    const disk = new MemoryDisk(4096);
    disk.bytes.fill(0, 0, 512);
    disk.bytes.set([0x55, 0xaa], 510);
    disk.bytes.set([0x80, 1, 1, 0, 6, 7, 32, 15, 1, 0, 0, 0, 0xff, 0x0f, 0, 0], 0x1be);
    const { out, readWords } = setUp({ disk });
    out(7, 0xec);
    const view = new DataView(readWords(256).buffer);
    expect([1, 3, 6].map((w) => view.getUint16(w * 2, true))).toEqual([16, 8, 32]);
  });
});

describe('ATA transfers', () => {
  it('reads sectors by PIO with an interrupt each', () => {
    const board = setUp();
    const sets = board.irq.sets;
    board.lba28(7, 2, 0x20);
    expect(board.readWords(512)).toEqual(board.disk.bytes.slice(7 * 512, 9 * 512));
    expect(board.status()).toBe(0x50);
    // One drop for the command, two interrupts, one drop for the status.
    expect(board.irq.sets - sets).toBe(4);
    expect(board.ports.read(BASE + 3, 1)).toBe(9);
  });

  it('is busy until a request completes', () => {
    const board = setUp({ late: true });
    board.lba28(0, 1, 0x20);
    expect(board.status()).toBe(0xd0);
    expect(board.ports.read(BASE, 2)).toBe(0);
    board.ide.complete(board.requests.pop()!);
    expect(board.irq.level).toBe(true);
    expect(board.status()).toBe(0x58);
  });

  it('completes the same after being saved and restored in between', () => {
    const board = setUp({ late: true });
    board.lba28(3, 1, 0x20);
    const saved = saveState(board.ide);
    const other = setUp({ late: true });
    restoreState(other.ide, saved);
    other.ide.complete(0);
    expect(other.readWords(256)).toEqual(board.disk.bytes.slice(3 * 512, 4 * 512));
  });

  it('reads and writes blocks of sectors with the multiple commands', () => {
    const board = setUp();
    board.out(2, 4);
    board.out(7, 0xc6);
    board.lba28(8, 6, 0xc5);
    board.writeBytes(pattern(6 * 512));
    expect(board.status()).toBe(0x50);
    expect(board.disk.bytes.subarray(8 * 512, 14 * 512)).toEqual(pattern(6 * 512));
    const sets = board.irq.sets;
    board.lba28(8, 6, 0xc4);
    expect(board.readWords(6 * 256)).toEqual(pattern(6 * 512));
    expect(board.irq.sets - sets).toBe(3);
    board.out(2, 3);
    board.out(7, 0xc6);
    expect(board.status()).toBe(0x41);
  });

  it('addresses sectors by cylinder, head and sector', () => {
    const board = setUp();
    board.out(2, 1);
    board.out(3, 5);
    board.out(4, 1);
    board.out(5, 0);
    board.out(6, 0xa2);
    board.out(7, 0x20);
    expect(board.readWords(256)).toEqual(board.disk.bytes.slice((16 * 63 + 2 * 63 + 4) * 512, (16 * 63 + 2 * 63 + 5) * 512));
  });

  it('addresses sectors with 48 bits', () => {
    const board = setUp();
    for (const [register, high, low] of [
      [2, 0, 1],
      [3, 0, 0x34],
      [4, 0, 0x02],
      [5, 0, 0],
    ] as const) {
      board.out(register, high);
      board.out(register, low);
    }
    board.out(6, 0xe0);
    board.out(7, 0x24);
    expect(board.readWords(256)).toEqual(board.disk.bytes.slice(0x234 * 512, 0x235 * 512));
  });

  it('aborts a transfer that reaches behind the end of the disk', () => {
    const board = setUp();
    board.lba28(4095, 2, 0xc4);
    expect(board.status()).toBe(0x41);
    board.lba28(4096, 1, 0x30);
    board.writeBytes(pattern(512));
    expect(board.status()).toBe(0x41);
    board.out(6, 0xa0);
    board.out(3, 0);
    board.out(4, 0);
    board.out(5, 0);
    board.out(7, 0x20);
    expect(board.status()).toBe(0x41);
  });

  it('flushes', () => {
    const board = setUp();
    board.out(7, 0xe7);
    expect(board.status()).toBe(0x50);
    expect(board.disk.flushes).toBe(1);
  });

  it('does not take a read that was given up for the next one', () => {
    const board = setUp({ late: true });
    board.lba28(0, 1, 0x20);
    board.ports.write(CONTROL, 4, 1);
    board.ide.performReset(0);
    board.lba28(9, 1, 0x20);
    board.ide.complete(0);
    expect(board.status()).toBe(0xd0);
    board.ide.complete(0);
    expect(board.readWords(256)).toEqual(board.disk.bytes.slice(9 * 512, 10 * 512));
  });

  it('survives a track of no sectors', () => {
    const board = setUp();
    board.out(2, 0);
    board.out(6, 0xa0);
    board.out(7, 0x91);
    board.out(2, 1);
    board.out(3, 1);
    board.out(7, 0x20);
    expect(board.status()).toBe(0x58);
    board.readWords(256);
  });
});

describe('bus master', () => {
  it('gathers a read over descriptors and interrupts', () => {
    const board = setUp();
    board.prd([
      [0x10000, 512],
      [0x30000, 0x80000000 | 512],
    ]);
    board.lba28(5, 2, 0xc8);
    expect(board.irq.level).toBe(false);
    board.ports.write(BUS_MASTER, 9, 1);
    expect(board.irq.level).toBe(true);
    expect(board.ports.read(BUS_MASTER + 2, 1)).toBe(4);
    const got = new Uint8Array(1024);
    board.memory.readBytes(0x10000, got.subarray(0, 512));
    board.memory.readBytes(0x30000, got.subarray(512));
    expect(got).toEqual(board.disk.bytes.slice(5 * 512, 7 * 512));
    board.ports.write(BUS_MASTER + 2, 4, 1);
    expect(board.ports.read(BUS_MASTER + 2, 1)).toBe(0);
  });

  it('writes from memory, whichever of command and start bit comes first', () => {
    const board = setUp();
    board.memory.writeBytes(0x20000, pattern(512));
    board.prd([[0x20000, 0x80000000 | 512]]);
    board.ports.write(BUS_MASTER, 1, 1);
    board.lba28(11, 1, 0xca);
    expect(board.disk.bytes.subarray(11 * 512, 12 * 512)).toEqual(pattern(512));
    expect(board.irq.level).toBe(true);
  });

  it('stays active when the descriptors are longer than the transfer', () => {
    const board = setUp();
    board.prd([[0x20000, 0x80000000 | 1024]]);
    board.lba28(0, 1, 0xc8);
    board.ports.write(BUS_MASTER, 9, 1);
    expect(board.ports.read(BUS_MASTER + 2, 1)).toBe(5);
  });

  it('ends without an interrupt when the descriptors are too short', () => {
    const board = setUp();
    board.prd([[0x20000, 0x80000000 | 512]]);
    board.lba28(0, 2, 0xc8);
    board.ports.write(BUS_MASTER, 9, 1);
    expect(board.ports.read(BUS_MASTER + 2, 1)).toBe(0);
    expect(board.irq.level).toBe(false);
  });

  it('gives up after a page of descriptors without an end', () => {
    const board = setUp();
    board.memory.writeBytes(0x1000, new Uint8Array(0x2000));
    board.prd([[0, 2]]);
    board.lba28(0, 1, 0xca);
    board.ports.write(BUS_MASTER, 1, 1);
    expect(board.status() & 0x80).toBe(0);
  });

  it('moves nothing while bus mastering is disabled', () => {
    const board = setUp();
    board.writeConfig(1, 1, 4, 1, 2);
    board.memory.writeBytes(0x20000, pattern(512));
    board.prd([[0x20000, 0x80000000 | 512]]);
    board.lba28(0, 1, 0xc8);
    board.ports.write(BUS_MASTER, 9, 1);
    const got = new Uint8Array(512);
    board.memory.readBytes(0x20000, got);
    expect(got).toEqual(pattern(512));
  });

  it('never throws on random register writes', () => {
    const board = setUp();
    let seed = 0x1234567;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 8;
    };
    for (let i = 0; i < 20000; i++) {
      const port = [BASE + (random() & 7), CONTROL, BUS_MASTER + (random() & 7)][random() % 3]!;
      const size = ([1, 1, 2, 4] as const)[random() & 3]!;
      if (random() & 1) board.ports.write(port, random(), size);
      else board.ports.read(port, size);
    }
    expect(board.irq.sets).toBeGreaterThan(0);
  });
});
