import type { AccessSize, IoHandlers } from '../../src/core/bus.js';
import { UserError } from '../../src/core/errors.js';
import type { StateSchema } from '../../src/core/state.js';
import type { PhysicalMemory } from '../../src/memory/physical.js';
import type { PcMemoryMap } from '../pci/pc-memory-map.js';
import { PCI_FIELDS, PciDevice, ROM_BAR } from '../pci/pci-device.js';
import { monitorEdid } from './edid.js';
import type { Vga } from './vga.js';

const MMIO_BYTES = 0x1000;
const VGA_PORTS = 0x400;
const VGA_PORT_COUNT = 0x20;
const DISPI_REGISTERS = 0x500;
const DISPI_BYTES = 22;
const EXTENDED_REGISTERS = 0x600;
const EXTENDED_BYTES = 8;
const LITTLE_ENDIAN = 0x1e1e1e1e;
const MAX_ROM_BYTES = 1 << 20;

export interface VgaPciOptions {
  readonly vga: Vga;
  readonly memory: PhysicalMemory;
  readonly map: PcMemoryMap;
  /** The video BIOS (vgabios-stdvga.bin), or null for none. */
  readonly rom: Uint8Array | null;
}

/**
 * The display as a PCI function, 1234:1111 (QEMU docs/specs/standard-vga): video memory in BAR 0, registers and EDID in BAR 2, video BIOS in the
 * expansion ROM. The VGA itself is a part of its own, with ports and the window at 0xa0000 always decoded.
 */
export class VgaPci extends PciDevice {
  readonly schema: StateSchema = { name: 'vga-pci', version: 1, fields: PCI_FIELDS };
  private readonly vga: Vga;
  private readonly edid = monitorEdid();

  constructor(options: VgaPciOptions) {
    super({ vendorId: 0x1234, deviceId: 0x1111, revision: 2, classCode: 0x030000 });
    const { vga, memory, map } = options;
    this.vga = vga;
    this.addBar({
      index: 0,
      type: 8,
      sizeBytes: vga.vramBytes,
      map: (address) => map.addPciRegion(address, vga.vramBytes, vga.vramOffset, vga.vramOffset),
    });
    this.addBar({ index: 2, type: 0, sizeBytes: MMIO_BYTES, map: (address) => mapRegisters(memory, map, address, this.registers()) });
    if (options.rom !== null) this.addRom(options.rom, memory, map);
  }

  reset(): void {}

  private addRom(image: Uint8Array, memory: PhysicalMemory, map: PcMemoryMap): void {
    if (image.length === 0 || image.length > MAX_ROM_BYTES)
      throw new UserError('image-corrupt', `--vgabios: the image has ${image.length} bytes; expected 1 to ${MAX_ROM_BYTES}`);
    let sizeBytes = 0x1000;
    while (sizeBytes < image.length) sizeBytes *= 2;
    const offset = memory.allocate(sizeBytes, 'display ROM');
    memory.install(offset, image);
    this.addBar({ index: ROM_BAR, type: 0, sizeBytes, map: (address) => map.addPciRegion(address, sizeBytes, offset, null) });
  }

  private registers(): IoHandlers {
    return {
      name: 'vga-registers',
      read: (offset, size) => this.readRegisters(offset, size),
      write: (offset, value, size) => this.writeRegisters(offset, value, size),
    };
  }

  private readRegisters(offset: number, size: AccessSize): number {
    if (offset < this.edid.length) return joinBytes(size, (i) => this.edid[offset + i] ?? 0);
    if (inside(offset, VGA_PORTS, VGA_PORT_COUNT)) return joinBytes(size, (i) => this.vga.readRegister(0x3c0 + offset + i - VGA_PORTS));
    if (inside(offset, DISPI_REGISTERS, DISPI_BYTES)) {
      const low = this.readDispi(offset - DISPI_REGISTERS);
      if (size === 4) return (low | (this.readDispi(offset + 2 - DISPI_REGISTERS) << 16)) >>> 0;
      return size === 1 ? low & 0xff : low;
    }
    if (inside(offset, EXTENDED_REGISTERS, EXTENDED_BYTES)) {
      if (size !== 4) return 0;
      if (offset === EXTENDED_REGISTERS) return EXTENDED_BYTES;
      return offset === EXTENDED_REGISTERS + 4 ? LITTLE_ENDIAN : 0;
    }
    return 0xffffffff >>> (32 - size * 8);
  }

  private writeRegisters(offset: number, value: number, size: AccessSize): void {
    if (inside(offset, VGA_PORTS, VGA_PORT_COUNT)) {
      for (let i = 0; i < size; i++) this.vga.writeRegister(0x3c0 + offset + i - VGA_PORTS, (value >>> (i * 8)) & 0xff);
    } else if (inside(offset, DISPI_REGISTERS, DISPI_BYTES)) {
      this.writeDispi(offset - DISPI_REGISTERS, value & 0xffff);
      if (size === 4) this.writeDispi(offset + 2 - DISPI_REGISTERS, value >>> 16);
    }
  }

  private readDispi(offset: number): number {
    this.vga.vbe.index = offset >> 1;
    return this.vga.vbe.read();
  }

  private writeDispi(offset: number, value: number): void {
    this.vga.vbe.index = offset >> 1;
    this.vga.vbe.write(value);
  }
}

function inside(offset: number, first: number, count: number): boolean {
  return offset >= first && offset < first + count;
}

function joinBytes(size: AccessSize, byte: (i: number) => number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value |= byte(i) << (i * 8);
  return value >>> 0;
}

function mapRegisters(memory: PhysicalMemory, map: PcMemoryMap, address: number, io: IoHandlers): { unmap(): void } {
  const hole = map.addPciRegion(address, MMIO_BYTES, null, null);
  const registers = memory.mapIo(address, MMIO_BYTES, io);
  return {
    unmap: () => {
      registers.unmap();
      hole.unmap();
    },
  };
}
