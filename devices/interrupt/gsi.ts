import type { IrqLine } from '../../src/core/bus.js';
import { IOAPIC_PINS, type IoApic } from './ioapic.js';
import type { PicPair } from './pic-pair.js';

/** The global system interrupts of a PC: 0-15 go to the 8259A pair first and then to the I/O APIC, 16-23 to the I/O APIC only. */
export function globalInterrupts(pic: PicPair, ioapic: IoApic): readonly IrqLine[] {
  return Array.from({ length: IOAPIC_PINS }, (_, irq): IrqLine => {
    if (irq >= 16) return { set: (level) => ioapic.setIrq(irq, level) };
    return {
      set: (level) => {
        pic.setIrq(irq, level);
        ioapic.setIrq(irq, level);
      },
    };
  });
}
