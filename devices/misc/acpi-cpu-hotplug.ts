import type { PortMapping, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';

const OLD_LENGTH = 32;
const NEW_LENGTH = 12;
const FLAGS = 4;
/** The one processor is there, and nothing happens to it. */
const ENABLED = 1;

/**
 * Registers through which processors come and go (QEMU docs/specs/acpi_cpu_hotplug). After power-on they are a bit map of the processors present; writing 0 to its
 * first byte makes them the newer form for good: selector, flags, command, data. This board has one processor, number 0, that stays, so commands do nothing
 * and data is 0.
 */
export class AcpiCpuHotplug implements Device {
  readonly schema: StateSchema = { name: 'acpi-cpu-hotplug', version: 1, fields: { modern: 'bool', selector: 'u32' } };
  modern = false;
  selector = 0;
  private readonly ports: PortSpace;
  private readonly base: number;
  private mapping: PortMapping;
  private mappedModern = false;

  constructor(ports: PortSpace, base: number) {
    this.ports = ports;
    this.base = base;
    this.mapping = this.map();
  }

  /** A reset of the machine changes nothing here. */
  reset(): void {}

  afterRestore(): void {
    if (this.modern === this.mappedModern) return;
    this.mapping.unmap();
    this.mappedModern = this.modern;
    this.mapping = this.map();
  }

  private map(): PortMapping {
    if (!this.mappedModern)
      return this.ports.map(this.base, OLD_LENGTH, {
        name: 'acpi-cpu-hotplug',
        maxSize: 1,
        read: (offset) => (offset === 0 ? ENABLED : 0),
        write: (offset, value) => {
          if (offset !== 0 || value !== 0) return;
          this.modern = true;
          this.afterRestore();
        },
      });
    return this.ports.map(this.base, NEW_LENGTH, {
      name: 'acpi-cpu-hotplug',
      read: (offset) => (this.selector === 0 && offset === FLAGS ? ENABLED : 0),
      write: (offset, value) => {
        if (offset === 0) this.selector = value;
      },
    });
  }
}
