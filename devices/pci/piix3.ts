import type { IrqLine, PortSpace } from '../../src/core/bus.js';
import type { StateSchema } from '../../src/core/state.js';
import type { PciBus } from './pci-bus.js';
import { overlaps, PCI_FIELDS, PciDevice } from './pci-device.js';

/** PIRQRC[A:D] route control. */
const PIRQRC = 0x60;
const ISA_IRQS = 16;

/** Register values after reset (82371SB data sheet, section 2.2). */
const RESET_VALUES: readonly (readonly [number, number])[] = [
  [0x04, 0x07],
  [0x05, 0x00],
  [0x06, 0x00],
  [0x07, 0x02],
  [0x4c, 0x4d],
  [0x4e, 0x03],
  [0x4f, 0x00],
  [0x60, 0x80],
  [0x61, 0x80],
  [0x62, 0x80],
  [0x63, 0x80],
  [0x69, 0x02],
  [0x70, 0x80],
  [0x76, 0x0c],
  [0x77, 0x0c],
  [0x78, 0x02],
  [0x79, 0x00],
  [0x80, 0x00],
  [0x82, 0x00],
  [0xa0, 0x08],
  [0xa2, 0x00],
  [0xa3, 0x00],
  [0xa4, 0x00],
  [0xa5, 0x00],
  [0xa6, 0x00],
  [0xa7, 0x00],
  [0xa8, 0x0f],
  [0xaa, 0x00],
  [0xab, 0x00],
  [0xac, 0x00],
  [0xae, 0x00],
];

export interface Piix3Options {
  readonly bus: PciBus;
  readonly ports: PortSpace;
  /** The 16 ISA interrupt lines (PIC and I/O APIC together). */
  readonly isaIrqs: readonly IrqLine[];
  /** Port 0xcf9 asks for a system reset. */
  readonly onReset: () => void;
}

/** 82371SB (PIIX3) function 0, the ISA bridge: routing of PIRQs to ISA interrupts, reset control at port 0xcf9. */
export class Piix3 extends PciDevice {
  readonly schema: StateSchema = { name: 'piix3', version: 1, fields: { ...PCI_FIELDS, resetControl: 'u8' } };
  resetControl = 0;
  private readonly pci: PciBus;
  private readonly isaIrqs: readonly IrqLine[];

  /** Construct after the bus: port 0xcf9 lies above its 0xcf8-0xcfb. */
  constructor(options: Piix3Options) {
    super({ vendorId: 0x8086, deviceId: 0x7000, revision: 0, classCode: 0x060100, multifunction: true });
    this.pci = options.bus;
    this.isaIrqs = options.isaIrqs;
    this.pci.onPirq = (pirq) => {
      const irq = this.route(pirq);
      if (irq >= 0) this.updateIrq(irq);
    };
    options.ports.map(0xcf9, 1, {
      name: 'piix3-reset-control',
      maxSize: 1,
      read: () => this.resetControl,
      write: (_offset, value) => {
        if (value & 4) options.onReset();
        else this.resetControl = value & 2;
      },
    });
    this.reset();
  }

  reset(): void {
    for (const [at, value] of RESET_VALUES) this.config[at] = value;
    this.resetControl = 0;
  }

  protected override configWritten(address: number, length: number): void {
    if (!overlaps(address, length, PIRQRC, 4)) return;
    // All 16 lines are driven, also those that no PIRQ goes to: QEMU lowers them.
    for (let irq = 0; irq < ISA_IRQS; irq++) this.updateIrq(irq);
  }

  /** The ISA interrupt of a PIRQ, or -1. */
  private route(pirq: number): number {
    const irq = this.config[PIRQRC + pirq]!;
    return irq < ISA_IRQS ? irq : -1;
  }

  private updateIrq(irq: number): void {
    let level = false;
    for (let pirq = 0; pirq < 4; pirq++) if (this.route(pirq) === irq && this.pci.pirqLevel(pirq)) level = true;
    this.isaIrqs[irq]!.set(level);
  }
}
