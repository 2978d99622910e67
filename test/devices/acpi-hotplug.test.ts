// Oracle: manual (QEMU docs/specs acpi_pci_hotplug and acpi_cpu_hotplug); QEMU source behaviour (7.2.22) for what they leave open.
import { describe, expect, it } from 'vitest';
import { AcpiFirmware } from '../../devices/firmware/acpi/acpi-firmware.js';
import { FwCfg } from '../../devices/firmware/fw-cfg.js';
import { AcpiCpuHotplug } from '../../devices/misc/acpi-cpu-hotplug.js';
import { AcpiPciHotplug } from '../../devices/misc/acpi-pci-hotplug.js';
import { restoreState, saveState } from '../../src/core/save.js';
import { PhysicalMemory } from '../../src/memory/physical.js';
import { PortMap } from '../../src/memory/ports.js';

const PCI = 0xae00;
const CPU = 0xaf00;

describe('PCI hot-plug registers', () => {
  it('say which slots can be removed, by bus, and that none has changed', () => {
    const ports = new PortMap();
    new AcpiPciHotplug(ports, PCI, [0, 1, 2]);
    expect([0, 4, 8, 12, 16, 20].map((offset) => ports.read(PCI + offset, 4))).toEqual([0, 0, 0, 0xfffffff8, 0, 0]);
    ports.write(PCI + 16, 3, 4);
    expect([ports.read(PCI + 12, 4), ports.read(PCI + 16, 4)]).toEqual([0xffffffff, 3]);
    ports.write(PCI + 16, 256, 4);
    expect([ports.read(PCI + 12, 4), ports.read(PCI + 16, 4)]).toEqual([0, 0]);
  });

  it('take 32 bits at a time', () => {
    const ports = new PortMap();
    new AcpiPciHotplug(ports, PCI, []);
    ports.write(PCI + 16, 7, 2);
    expect([ports.read(PCI + 16, 4), ports.read(PCI + 12, 2)]).toEqual([0, 0]);
  });
});

describe('CPU hot-plug registers', () => {
  it('are a bit map until 0 is written to its first byte, for good', () => {
    const ports = new PortMap();
    const part = new AcpiCpuHotplug(ports, CPU);
    expect([ports.read(CPU, 1), ports.read(CPU, 4), ports.read(CPU + 4, 1), ports.read(CPU + 31, 1)]).toEqual([1, 1, 0, 0]);
    ports.write(CPU, 1, 1);
    ports.write(CPU + 1, 0, 1);
    expect(part.modern).toBe(false);
    ports.write(CPU, 0, 4);
    part.reset();
    expect([ports.read(CPU, 1), ports.read(CPU + 4, 1), ports.read(CPU + 8, 4), ports.read(CPU + 31, 1)]).toEqual([0, 1, 0, 0xff]);
  });

  it('know one processor', () => {
    const ports = new PortMap();
    new AcpiCpuHotplug(ports, CPU);
    ports.write(CPU, 0, 1);
    ports.write(CPU, 1, 4);
    expect(ports.read(CPU + 4, 1)).toBe(0);
    ports.write(CPU, 0, 4);
    expect(ports.read(CPU + 4, 1)).toBe(1);
  });

  it('are restored in the form that they had', () => {
    const [a, b] = [new PortMap(), new PortMap()];
    const from = new AcpiCpuHotplug(a, CPU);
    const to = new AcpiCpuHotplug(b, CPU);
    a.write(CPU, 0, 1);
    restoreState(to, saveState(from));
    expect(b.read(CPU + 4, 1)).toBe(1);
  });
});

describe('ACPI tables', () => {
  const board = { memoryBytes: 64 << 20, hpet: true, displaySlot: null, serialPorts: 0, parallelPort: false };
  const firmware = () => {
    const ports = new PortMap();
    const pm = { ports: 0x600 };
    const part = new AcpiFirmware(new FwCfg(ports, new PhysicalMemory(1 << 20)), board, () => pm.ports);
    return { ports, part, pm };
  };
  /** PM1a_EVT_BLK of the FADT, 56 bytes into the table. */
  const pmInTables = (ports: PortMap): number => {
    ports.write(0x510, 0x21, 2);
    const bytes = Buffer.from(Array.from({ length: 0x2000 }, () => ports.read(0x511, 1)));
    return bytes.readUInt32LE(bytes.indexOf('FACP') + 56);
  };

  it('name the power management ports as they are when first read after a reset', () => {
    const { ports, part, pm } = firmware();
    expect(pmInTables(ports)).toBe(0x600);
    pm.ports = 0xb000;
    expect(pmInTables(ports)).toBe(0x600);
    part.reset();
    expect(pmInTables(ports)).toBe(0xb000);
  });

  it('are restored as they were made', () => {
    const from = firmware();
    from.pm.ports = 0x400;
    pmInTables(from.ports);
    const to = firmware();
    restoreState(to.part, saveState(from.part));
    expect(pmInTables(to.ports)).toBe(0x400);
  });
});
