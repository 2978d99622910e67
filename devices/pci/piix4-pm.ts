import type { PortMapping, PortSpace } from '../../src/core/bus.js';
import type { StateSchema } from '../../src/core/state.js';
import { AcpiPm, type AcpiPmOptions } from './acpi-pm.js';
import { overlaps, PCI_FIELDS, PciDevice } from './pci-device.js';
import { PmSmbus } from './pm-smbus.js';

const PMBA = 0x40;
const GLBCTL_SMI = 0x5b;
const APMC_EN = 0x02;
const PMREGMISC = 0x80;
const SMBBA = 0x90;
const SMBHSTCFG = 0xd2;
const SMB_BASE = 0xb100;
const GPE_BASE = 0xafe0;
const APM_ACPI_ENABLE = 0xf1;
const APM_ACPI_DISABLE = 0xf0;

export interface Piix4PmOptions extends AcpiPmOptions {
  readonly ports: PortSpace;
  /** Interrupts the processor with an SMI. */
  readonly onSmi: () => void;
  /** ISA devices present, for the read-back of the decode enables. */
  readonly parallelPort: boolean;
  readonly serialPorts: number;
}

/** 82371AB (PIIX4) function 3: power management, SMI commands at port 0xb2, SMBus (Intel 290562). */
export class Piix4Pm extends PciDevice {
  readonly schema: StateSchema = {
    name: 'piix4-pm',
    version: 1,
    fields: { ...PCI_FIELDS, acpi: 'part', smbus: 'part', apmControl: 'u8', apmStatus: 'u8' },
  };
  readonly acpi: AcpiPm;
  readonly smbus = new PmSmbus();
  /** Ports 0xb2 and 0xb3. */
  apmControl = 0;
  apmStatus = 0;
  private readonly options: Piix4PmOptions;
  private pmMapping: PortMapping | null = null;
  private smbusMapping: PortMapping | null = null;
  private pmBase: number | null = null;
  private smbusBase: number | null = null;

  constructor(options: Piix4PmOptions) {
    super({ vendorId: 0x8086, deviceId: 0x7113, revision: 3, classCode: 0x068000 });
    this.options = options;
    this.acpi = new AcpiPm(options);
    this.setWord(0x06, 0x0280);
    this.config[0x3d] = 1;
    this.setWord(SMBBA, SMB_BASE | 1);
    this.config[SMBHSTCFG] = 0x09;
    this.config[0x5f] = 0x10 | (options.parallelPort ? 0x80 : 0);
    this.config[0x63] = 0x60;
    this.config[0x67] = (options.serialPorts > 0 ? 0x08 : 0) | (options.serialPorts > 1 ? 0x90 : 0);
    this.config[PMBA] = 1;
    options.ports.map(0xb2, 2, {
      name: 'apm',
      maxSize: 1,
      read: (offset) => (offset === 0 ? this.apmControl : this.apmStatus),
      write: (offset, value) => (offset === 0 ? this.writeApmControl(value) : this.writeApmStatus(value)),
    });
    options.ports.map(GPE_BASE, 4, this.acpi.gpePorts);
    this.updateSmbusBase();
  }

  reset(): void {
    this.config.fill(0, 0x58, 0x5c);
    this.config[PMBA] = 1;
    this.config[PMREGMISC] = 0;
    this.acpi.reset();
    this.updatePmBase();
  }

  protected override configWritten(address: number, length: number): void {
    if (overlaps(address, length, PMREGMISC, 1) || overlaps(address, length, PMBA, 4)) this.updatePmBase();
    if (overlaps(address, length, SMBHSTCFG, 1) || overlaps(address, length, SMBBA, 4)) this.updateSmbusBase();
  }

  override afterRestore(): void {
    super.afterRestore();
    this.updatePmBase();
    this.updateSmbusBase();
  }

  /** Where firmware has put the power management ports, decoded or not. */
  pmPorts(): number {
    return this.readConfig(PMBA, 2) & 0xffc0;
  }

  private writeApmControl(value: number): void {
    this.apmControl = value;
    if (value === APM_ACPI_ENABLE || value === APM_ACPI_DISABLE) this.acpi.setSciEnable(value === APM_ACPI_ENABLE);
    else if (this.config[GLBCTL_SMI]! & APMC_EN) this.options.onSmi();
  }

  private writeApmStatus(value: number): void {
    this.apmStatus = value;
  }

  private updatePmBase(): void {
    const base = this.config[PMREGMISC]! & 1 ? this.readConfig(PMBA, 2) & 0xffc0 : null;
    if (base === this.pmBase) return;
    this.pmMapping?.unmap();
    this.pmBase = base;
    this.pmMapping = base === null ? null : this.options.ports.map(base, 64, this.acpi.ports);
  }

  private updateSmbusBase(): void {
    const base = this.config[SMBHSTCFG]! & 1 ? this.readConfig(SMBBA, 2) & 0xffc0 : null;
    if (base === this.smbusBase) return;
    this.smbusMapping?.unmap();
    this.smbusBase = base;
    this.smbusMapping = base === null ? null : this.options.ports.map(base, 64, this.smbus.ports);
  }
}
