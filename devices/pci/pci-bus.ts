import type { AccessSize, PortSpace } from '../../src/core/bus.js';
import { InvariantError } from '../../src/core/errors.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { PciDevice } from './pci-device.js';

const ENABLE = 0x80000000;
const PIRQS = 4;
const SLOTS = 32;

/**
 * PCI bus 0 with configuration mechanism #1 at ports 0xcf8 and 0xcfc (PCI Local Bus Specification 2.1, section 3.7.4.1) and the wiring of
 * the slots' INTA# pins to the chipset's PIRQ pins.
 */
export class PciBus implements Device {
  readonly schema: StateSchema = { name: 'pci-bus', version: 1, fields: { configAddress: 'u32', irqCounts: 'bytes' } };
  configAddress = 0;
  /** How many functions pull each PIRQ. */
  readonly irqCounts = new Uint8Array(PIRQS);
  /** Where PIRQA-D go (the ISA bridge). */
  onPirq: ((pirq: number, level: boolean) => void) | null = null;
  private readonly devices: (PciDevice | undefined)[] = new Array(256);

  constructor(ports: PortSpace) {
    ports.map(0xcf8, 4, {
      name: 'pci-config-address',
      read: (_offset, size) => cut(this.configAddress, size),
      write: (offset, value, size) => {
        if (offset === 0 && size === 4) this.configAddress = value >>> 0;
      },
    });
    ports.map(0xcfc, 4, {
      name: 'pci-config-data',
      read: (offset, size) => this.readData(offset, size),
      write: (offset, value, size) => this.writeData(offset, value, size),
    });
  }

  /** Puts a function into a slot. */
  attach(slot: number, fn: number, device: PciDevice): void {
    const devfn = (slot << 3) | fn;
    this.devices[devfn] = device;
    device.attach(this, devfn);
  }

  /** Puts a device into a slot, or into the first that is free. @param slot null: any */
  plug(slot: number | null, device: PciDevice): void {
    this.attach(slot ?? this.freeSlot(), 0, device);
  }

  private freeSlot(): number {
    for (let slot = 0; slot < SLOTS; slot++) if (!this.isTaken(slot)) return slot;
    throw new InvariantError('no PCI slot is free');
  }

  isTaken(slot: number): boolean {
    return this.devices.slice(slot << 3, (slot + 1) << 3).some((d) => d !== undefined);
  }

  /** All functions, by slot and number. */
  get functions(): readonly PciDevice[] {
    return this.devices.filter((d) => d !== undefined);
  }

  /** Resets the bus and all functions on it; `configAddress` survives, as in QEMU. */
  reset(): void {
    this.devices.forEach((d) => {
      d?.reset();
    });
    this.devices.forEach((d) => {
      d?.resetPci();
    });
  }

  /** A function's INTA# goes up (1) or down (-1). */
  changeIntx(device: PciDevice, change: number): void {
    const pirq = ((device.devfn >> 3) - 1) & 3;
    this.irqCounts[pirq]! += change;
    this.onPirq?.(pirq, this.irqCounts[pirq] !== 0);
  }

  pirqLevel(pirq: number): boolean {
    return this.irqCounts[pirq] !== 0;
  }

  private selected(): PciDevice | undefined {
    if ((this.configAddress & ENABLE) === 0 || (this.configAddress & 0xff0000) !== 0) return undefined;
    return this.devices[(this.configAddress >>> 8) & 0xff];
  }

  private readData(offset: number, size: AccessSize): number {
    const device = this.selected();
    if (device === undefined) return cut(0xffffffff, size);
    const at = (this.configAddress & 0xff) | (offset & 3);
    return device.readConfig(at, Math.min(size, 256 - at));
  }

  private writeData(offset: number, value: number, size: AccessSize): void {
    const at = (this.configAddress & 0xff) | (offset & 3);
    this.selected()?.writeConfig(at, value, Math.min(size, 256 - at));
  }
}

function cut(value: number, size: AccessSize): number {
  return size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value >>> 0;
}
