import type { PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';

const BUSES = 256;
const REMOVABLE = 12;
const SELECT = 16;
const LENGTH = 0x18;

/**
 * Registers through which the operating system learns of changed PCI slots (QEMU docs/specs/acpi_pci_hotplug), all 32 bits wide: slots added, slots to go,
 * eject, slots that can be removed, bus, number of a device. Nothing is ever plugged on this board.
 */
export class AcpiPciHotplug implements Device {
  readonly schema: StateSchema = { name: 'acpi-pci-hotplug', version: 1, fields: { selectedBus: 'u32' } };
  selectedBus = 0;
  private readonly removable: number;

  /** @param fixedSlots slots of bus 0 with devices that cannot be removed. */
  constructor(ports: PortSpace, base: number, fixedSlots: readonly number[]) {
    this.removable = fixedSlots.reduce((bits, slot) => bits & ~(1 << slot), -1);
    ports.map(base, LENGTH, {
      name: 'acpi-pci-hotplug',
      read: (offset, size) => (size === 4 ? this.read(offset) : 0),
      write: (offset, value, size) => {
        if (size === 4 && offset === SELECT) this.selectedBus = value;
      },
    });
  }

  /** The bus stays selected. */
  reset(): void {}

  private read(offset: number): number {
    if (this.selectedBus >= BUSES) return 0;
    if (offset === REMOVABLE) return (this.selectedBus === 0 ? this.removable : -1) >>> 0;
    return offset === SELECT ? this.selectedBus : 0;
  }
}
