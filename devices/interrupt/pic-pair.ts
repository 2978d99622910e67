import type { IrqLine, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { Pic8259 } from './pic-8259.js';

const CASCADE = 2;
const SPURIOUS = 7;

/** The two 8259As of a PC: IRQ 0-7 on the master, IRQ 8-15 on the slave behind IR2. */
export class PicPair implements Device {
  readonly schema: StateSchema = { name: 'pic-pair', version: 1, fields: { master: 'part', slave: 'part' } };
  readonly master: Pic8259;
  readonly slave: Pic8259;

  /** @param output the master's INT pin. */
  constructor(ports: PortSpace, output: IrqLine) {
    const master = new Pic8259({ ports, port: 0x20, elcrPort: 0x4d0, elcrMask: 0xf8, master: true, output });
    const cascade: IrqLine = { set: (level) => master.setLine(CASCADE, level) };
    this.master = master;
    this.slave = new Pic8259({ ports, port: 0xa0, elcrPort: 0x4d1, elcrMask: 0xde, master: false, output: cascade });
  }

  reset(): void {
    this.master.reset();
    this.slave.reset();
  }

  /** IRQ 0 to 15. */
  setIrq(irq: number, level: boolean): void {
    if (irq < 8) this.master.setLine(irq, level);
    else this.slave.setLine(irq - 8, level);
  }

  /** Whether INT is high. */
  get output(): boolean {
    return this.master.wantedLine() >= 0;
  }

  /** The INTA cycle: acknowledges the highest request and gives its vector, or that of the spurious IRQ 7 or 15. */
  acknowledge(): number {
    const line = this.master.wantedLine();
    if (line < 0) return this.master.irqBase + SPURIOUS;
    if (line !== CASCADE) {
      this.master.acknowledge(line);
      return this.master.irqBase + line;
    }
    let slaveLine = this.slave.wantedLine();
    if (slaveLine >= 0) this.slave.acknowledge(slaveLine);
    else slaveLine = SPURIOUS;
    // Computed before the master is acknowledged: that can change neither base, but keeps the order of INTA cycles.
    const vector = this.slave.irqBase + slaveLine;
    this.master.acknowledge(line);
    return vector;
  }
}
