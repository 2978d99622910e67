// Oracle: manual (PCI Local Bus Specification 2.1, chapter 6; Intel 82441FX, 82371SB data sheets), QEMU run (7.2.22) for reset values
import { describe, expect, it } from 'vitest';
import { PCI_FIELDS, PciDevice } from '../../devices/pci/pci-device.js';
import { restoreState, saveState } from '../../src/core/save.js';
import type { StateSchema } from '../../src/core/state.js';
import { chipset } from './board.js';

class Card extends PciDevice {
  readonly schema: StateSchema = { name: 'card', version: 1, fields: PCI_FIELDS };
  readonly mapped: string[] = [];
  constructor() {
    super({ vendorId: 0x1234, deviceId: 0x5678, revision: 1, classCode: 0x020000 });
    for (const [index, type, sizeBytes] of [
      [0, 0, 0x1000],
      [1, 1, 0x20],
      [6, 0, 0x10000],
    ] as const)
      this.addBar({
        index,
        type,
        sizeBytes,
        map: (address) => {
          this.mapped.push(`+${index}@${address.toString(16)}`);
          return { unmap: () => this.mapped.push(`-${index}`) };
        },
      });
  }
  reset(): void {}
}

describe('PCI configuration', () => {
  it('answers with all ones for empty slots, other buses and a cleared enable bit', () => {
    const board = chipset();
    expect(board.readConfig(5, 0, 0, 4)).toBe(0xffffffff);
    board.ports.write(0xcf8, 0x80010000, 4);
    expect(board.ports.read(0xcfc, 4)).toBe(0xffffffff);
    board.ports.write(0xcf8, 0, 4);
    expect(board.ports.read(0xcfc, 2)).toBe(0xffff);
  });

  it('takes only whole doublewords at 0xcf8 and reads parts of it', () => {
    const { ports } = chipset();
    ports.write(0xcf8, 0x80000810, 4);
    ports.write(0xcf8, 0x55, 1);
    ports.write(0xcfa, 0x5555, 2);
    expect(ports.read(0xcf8, 4)).toBe(0x80000810);
    expect(ports.read(0xcf8, 1)).toBe(0x10);
  });

  it('reads bytes and words of the data port at their offset', () => {
    const board = chipset();
    expect(board.readConfig(1, 0, 2, 2)).toBe(0x7000);
    expect(board.readConfig(1, 0, 0x4c, 1)).toBe(0x4d);
    expect(board.readConfig(1, 0, 0x0e, 1)).toBe(0x80);
  });

  it('sizes a BAR by the bits that can be written and maps it when the command register allows', () => {
    const board = chipset();
    const card = new Card();
    board.bus.attach(3, 0, card);
    board.writeConfig(3, 0, 0x10, 0xffffffff, 4);
    board.writeConfig(3, 0, 0x14, 0xffffffff, 4);
    board.writeConfig(3, 0, 0x30, 0xffffffff, 4);
    expect(board.readConfig(3, 0, 0x10, 4)).toBe(0xfffff000);
    expect(board.readConfig(3, 0, 0x14, 4)).toBe(0xffffffe1);
    expect(board.readConfig(3, 0, 0x30, 4)).toBe(0xffff0001);
    board.writeConfig(3, 0, 0x10, 0xfebf0000, 4);
    board.writeConfig(3, 0, 0x14, 0xc000, 4);
    board.writeConfig(3, 0, 0x30, 0xfea00000, 4);
    expect(card.mapped).toEqual([]);
    board.writeConfig(3, 0, 4, 3, 2);
    expect(card.mapped).toEqual(['+0@febf0000', '+1@c000']);
    board.writeConfig(3, 0, 0x30, 0xfea00001, 4);
    board.writeConfig(3, 0, 4, 1, 2);
    expect(card.mapped.slice(2)).toEqual(['+6@fea00000', '-0', '-6']);
  });

  it('does not map a BAR at address 0 or up to the last byte of the address space', () => {
    const board = chipset();
    const card = new Card();
    board.bus.attach(3, 0, card);
    board.writeConfig(3, 0, 4, 3, 2);
    board.writeConfig(3, 0, 0x10, 0xfffff000, 4);
    expect(card.mapped).toEqual([]);
  });

  it('maps BARs again when a saved state is restored', () => {
    const board = chipset();
    const card = new Card();
    board.bus.attach(3, 0, card);
    board.writeConfig(3, 0, 0x14, 0xc000, 4);
    board.writeConfig(3, 0, 4, 1, 2);
    const saved = saveState(card);
    const other = new Card();
    restoreState(other, saved);
    expect(other.mapped).toEqual(['+1@c000']);
  });

  it('clears error bits of the status register where ones are written', () => {
    const board = chipset();
    board.isa.config[7]! |= 0xf9;
    board.writeConfig(1, 0, 6, 0x0800, 2);
    expect(board.readConfig(1, 0, 6, 2)).toBe(0xf300);
  });

  it('routes INTA# of a slot through PIRQRC to an ISA line, ORed with its neighbours', () => {
    const board = chipset();
    const [a, b] = [new Card(), new Card()];
    board.bus.attach(3, 0, a);
    board.bus.attach(7, 0, b);
    board.writeConfig(1, 0, 0x62, 11, 1);
    a.setIrq(true);
    b.setIrq(true);
    expect(board.isaIrqs[11]!.level).toBe(true);
    expect(board.readConfig(3, 0, 6, 2) & 8).toBe(8);
    a.setIrq(false);
    expect(board.isaIrqs[11]!.level).toBe(true);
    board.writeConfig(7, 0, 4, 0x400, 2);
    expect(board.isaIrqs[11]!.level).toBe(false);
    board.writeConfig(7, 0, 4, 0, 2);
    expect(board.isaIrqs[11]!.level).toBe(true);
    board.writeConfig(1, 0, 0x62, 0x80, 1);
    expect(board.isaIrqs[11]!.level).toBe(false);
  });

  it('resets base addresses, command and interrupt of every function', () => {
    const board = chipset();
    const card = new Card();
    board.bus.attach(3, 0, card);
    board.writeConfig(3, 0, 0x14, 0xc000, 4);
    board.writeConfig(3, 0, 4, 1, 2);
    card.setIrq(true);
    board.bus.reset();
    expect(board.readConfig(3, 0, 4, 4)).toBe(0);
    expect(board.readConfig(3, 0, 0x14, 4)).toBe(1);
    expect(card.mapped).toEqual(['+1@c000', '-1']);
    expect(board.bus.irqCounts).toEqual(new Uint8Array(4));
  });
});

describe('82441FX memory windows', () => {
  it('shows RAM, read-only RAM or the PCI side in each PAM region', () => {
    const board = chipset();
    const rom = board.memory.allocate(0x20000);
    board.memory.u8.fill(0x11, rom, rom + 0x20000);
    board.map.addPciRegion(0xe0000, 0x20000, rom, null);
    expect(board.memory.read(0xf0000, 1)).toBe(0x11);
    board.memory.write(0xf0000, 0x22, 1);
    expect(board.memory.read(0xf0000, 1)).toBe(0x11);
    board.writeConfig(0, 0, 0x59, 0x30, 1);
    expect(board.memory.read(0xf0000, 1)).toBe(0);
    board.memory.write(0xf0000, 0x22, 1);
    board.writeConfig(0, 0, 0x59, 0x10, 1);
    board.memory.write(0xf0000, 0x33, 1);
    expect(board.memory.read(0xf0000, 1)).toBe(0x22);
    expect(board.memory.read(0xec000, 1)).toBe(0x11);
    board.writeConfig(0, 0, 0x5f, 0x30, 1);
    expect([board.memory.read(0xe8000, 1), board.memory.read(0xec000, 1)]).toEqual([0x11, 0]);
    board.writeConfig(0, 0, 0x59, 0, 1);
    expect(board.memory.read(0xf0000, 1)).toBe(0x11);
  });

  it('shows SMRAM when it is open or the processor is in system management mode', () => {
    const board = chipset();
    const seen: number[] = [];
    board.map.addPciRegion(0xa0000, 0x20000, null, null);
    board.memory.mapIo(0xa0000, 0x20000, { name: 'vga', read: () => 0x77, write: (offset) => seen.push(offset) });
    expect(board.memory.read(0xa0000, 1)).toBe(0x77);
    board.writeConfig(0, 0, 0x72, 0x4a, 1);
    board.memory.write(0xa0000, 0x55, 1);
    board.writeConfig(0, 0, 0x72, 0x0a, 1);
    expect(board.memory.read(0xa0000, 1)).toBe(0x77);
    board.host.setSmm(true);
    expect(board.memory.read(0xa0000, 1)).toBe(0x55);
    board.writeConfig(0, 0, 0x72, 0x02, 1);
    expect(board.memory.read(0xa0000, 1)).toBe(0x77);
    expect(seen).toEqual([]);
  });

  it('shows RAM where nothing answers on the PCI side, as QEMU does', () => {
    const board = chipset(4 << 20);
    board.memory.write(0xa0000, 0x55, 1);
    board.memory.write(0xd0000, 0x66, 1);
    expect([board.memory.read(0xa0000, 1), board.memory.read(0xd0000, 1)]).toEqual([0x55, 0x66]);
  });

  it('keeps RAM above regions that the guest puts there, and lets the later of two PCI regions win', () => {
    const board = chipset();
    const [a, b] = [board.memory.allocate(0x1000), board.memory.allocate(0x1000)];
    board.memory.u8[a] = 1;
    board.memory.u8[b] = 2;
    board.map.addPciRegion(0x200000, 0x1000, a, a);
    expect(board.memory.read(0x200000, 1)).toBe(0);
    board.map.addPciRegion(0xe0000000, 0x1000, a, a);
    const upper = board.map.addPciRegion(0xe0000000, 0x1000, b, b);
    expect(board.memory.read(0xe0000000, 1)).toBe(2);
    upper.unmap();
    expect(board.memory.read(0xe0000000, 1)).toBe(1);
  });

  it('opens the same windows after a restore', () => {
    const board = chipset();
    board.writeConfig(0, 0, 0x59, 0x30, 1);
    board.memory.write(0xf0000, 0x22, 1);
    const saved = saveState(board.host);
    board.writeConfig(0, 0, 0x59, 0, 1);
    restoreState(board.host, saved);
    expect(board.memory.read(0xf0000, 1)).toBe(0x22);
  });
});

describe('82371SB ISA bridge', () => {
  it('asks for a reset when bit 2 of port 0xcf9 is written, and remembers the reset type', () => {
    const { ports, calls } = chipset();
    ports.write(0xcf9, 2, 1);
    expect(ports.read(0xcf9, 1)).toBe(2);
    expect(calls).toEqual([]);
    ports.write(0xcf9, 6, 1);
    expect(calls).toEqual(['reset']);
  });

  it('drives all 16 ISA lines when a route is written, as QEMU does', () => {
    const board = chipset();
    board.writeConfig(1, 0, 0x60, 10, 1);
    expect(board.isaIrqs.map((l) => l.sets)).toEqual(new Array(16).fill(1));
  });
});
