import type { Device, FieldKind, StateSchema } from '../../src/core/state.js';
import type { PciBus } from './pci-bus.js';

/** The read-only part of a configuration header. */
export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** Class, subclass and programming interface: 24 bits. */
  readonly classCode: number;
  /** Bit 7 of the header type. */
  readonly multifunction?: boolean;
}

/** A base address register: index 0-5, or 6 for the expansion ROM. */
export interface PciBar {
  readonly index: number;
  /** The low bits: 1 for I/O ports, 8 for prefetchable memory, 0 for other memory. */
  readonly type: 0 | 1 | 8;
  /** A power of two. */
  readonly sizeBytes: number;
  /** Puts the region at `address`. */
  map(address: number): { unmap(): void };
}

interface MappedBar extends PciBar {
  address: number | null;
  mapping: { unmap(): void } | null;
}

/** Configuration registers (PCI Local Bus Specification 2.1, section 6.1). */
export const PCI_COMMAND = 0x04;
const PCI_STATUS = 0x06;
const PCI_INTERRUPT_LINE = 0x3c;
const COMMAND_IO = 1;
const COMMAND_MEMORY = 2;
const COMMAND_MASTER = 4;
const COMMAND_SERR = 0x100;
const COMMAND_INTX_DISABLE = 0x400;
/** Bit 3 of the low status byte. */
const STATUS_INTERRUPT = 8;
/** Parity, target and master aborts, system error. */
const STATUS_WRITE_1_CLEAR = 0xf900;
export const ROM_BAR = 6;

/** Schema fields that every PCI function has. */
export const PCI_FIELDS: Readonly<Record<string, FieldKind>> = { config: 'bytes', irqState: 'u8' };

/** True when [a, a + aLength) and [b, b + bLength) share a byte. */
export function overlaps(a: number, aLength: number, b: number, bLength: number): boolean {
  return a < b + bLength && b < a + aLength;
}

/** A PCI function: 256 bytes of configuration space with write masks, base address registers and the INTA# pin. */
export abstract class PciDevice implements Device {
  abstract readonly schema: StateSchema;
  readonly config = new Uint8Array(256);
  /** 1 while INTA# is asked for (also when the command register disables it). */
  irqState = 0;
  protected readonly writeMask = new Uint8Array(256);
  private readonly clearMask = new Uint8Array(256);
  private readonly bars: MappedBar[] = [];
  private bus: PciBus | null = null;
  /** Slot << 3 | function; set by the bus. */
  devfn = 0;

  constructor(identity: PciIdentity) {
    this.setWord(0x00, identity.vendorId);
    this.setWord(0x02, identity.deviceId);
    this.config[0x08] = identity.revision;
    this.config[0x09] = identity.classCode & 0xff;
    this.setWord(0x0a, identity.classCode >>> 8);
    this.config[0x0e] = identity.multifunction ? 0x80 : 0;
    this.setWord(0x2c, 0x1af4);
    this.setWord(0x2e, 0x1100);
    this.writeMask[0x0c] = 0xff;
    this.writeMask[PCI_INTERRUPT_LINE] = 0xff;
    setWordIn(this.writeMask, PCI_COMMAND, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_SERR | COMMAND_INTX_DISABLE);
    this.writeMask.fill(0xff, 0x40);
    setWordIn(this.clearMask, PCI_STATUS, STATUS_WRITE_1_CLEAR);
  }

  /** Called by the bus. */
  attach(bus: PciBus, devfn: number): void {
    this.bus = bus;
    this.devfn = devfn;
  }

  /** Device-specific part of a reset; the bus does the common part afterwards (`resetPci`). */
  abstract reset(): void;

  /** After a write of `length` bytes to configuration space from `address`. */
  protected configWritten(_address: number, _length: number): void {}

  protected addBar(bar: PciBar): void {
    this.bars.push({ ...bar, address: null, mapping: null });
    this.setDword(barRegister(bar.index), bar.type);
    const mask = ~(bar.sizeBytes - 1) | (bar.index === ROM_BAR ? 1 : 0);
    new DataView(this.writeMask.buffer).setInt32(barRegister(bar.index), mask, true);
  }

  /** Unsigned little-endian value of 1 to 4 bytes. */
  readConfig(address: number, length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value |= this.config[address + i]! << (i * 8);
    return value >>> 0;
  }

  writeConfig(address: number, value: number, length: number): void {
    const wasDisabled = this.intxDisabled;
    for (let i = 0; i < length; i++) {
      const at = address + i;
      const byte = (value >>> (i * 8)) & 0xff;
      const mask = this.writeMask[at]!;
      this.config[at] = ((this.config[at]! & ~mask) | (byte & mask)) & ~(byte & this.clearMask[at]!);
    }
    const command = overlaps(address, length, PCI_COMMAND, 1);
    if (command || overlaps(address, length, 0x10, 24) || overlaps(address, length, 0x30, 4)) this.updateBars();
    if (command && this.intxDisabled !== wasDisabled && this.irqState !== 0) this.bus?.changeIntx(this, wasDisabled ? 1 : -1);
    this.configWritten(address, length);
  }

  /** INTA#. */
  setIrq(level: boolean): void {
    const state = level ? 1 : 0;
    const change = state - this.irqState;
    if (change === 0) return;
    this.irqState = state;
    if (level) this.config[PCI_STATUS]! |= STATUS_INTERRUPT;
    else this.config[PCI_STATUS]! &= ~STATUS_INTERRUPT;
    if (!this.intxDisabled) this.bus?.changeIntx(this, change);
  }

  /** The part of a reset that is the same for all functions: writable command and status bits, base addresses, interrupt. */
  resetPci(): void {
    this.setIrq(false);
    for (const at of [PCI_COMMAND, PCI_COMMAND + 1, PCI_STATUS, PCI_STATUS + 1, PCI_INTERRUPT_LINE])
      this.config[at]! &= ~(this.writeMask[at]! | this.clearMask[at]!);
    this.config[0x0c] = 0;
    for (const bar of this.bars) this.setDword(barRegister(bar.index), bar.type);
    this.updateBars();
  }

  afterRestore(): void {
    this.updateBars();
  }

  /** The function may read and write memory. */
  get busMaster(): boolean {
    return (this.config[PCI_COMMAND]! & COMMAND_MASTER) !== 0;
  }

  protected get command(): number {
    return this.readConfig(PCI_COMMAND, 2);
  }

  private get intxDisabled(): boolean {
    return (this.command & COMMAND_INTX_DISABLE) !== 0;
  }

  private updateBars(): void {
    for (const bar of this.bars) {
      const address = this.barAddress(bar);
      if (address === bar.address) continue;
      bar.mapping?.unmap();
      bar.address = address;
      bar.mapping = address === null ? null : bar.map(address);
    }
  }

  /** Where the region is decoded now; null: nowhere (disabled, or wrapping around the end of the address space). */
  private barAddress(bar: PciBar): number | null {
    const raw = this.readConfig(barRegister(bar.index), 4);
    const address = (raw & ~(bar.sizeBytes - 1)) >>> 0;
    const enable = bar.type & 1 ? COMMAND_IO : COMMAND_MEMORY;
    if ((this.command & enable) === 0) return null;
    if (bar.index === ROM_BAR && (raw & 1) === 0) return null;
    const last = address + bar.sizeBytes - 1;
    if (last >= 0xffffffff || address === 0) return null;
    return address;
  }

  protected setWord(at: number, value: number): void {
    setWordIn(this.config, at, value);
  }

  protected setDword(at: number, value: number): void {
    setWordIn(this.config, at, value);
    setWordIn(this.config, at + 2, value >>> 16);
  }
}

function setWordIn(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

function barRegister(index: number): number {
  return index === ROM_BAR ? 0x30 : 0x10 + index * 4;
}
