import type { AccessSize, IoHandlers, IrqLine } from '../../src/core/bus.js';
import type { Clock } from '../../src/core/clock.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';
import { mulDiv, NS_PER_SECOND } from '../../src/core/units.js';

export const PM_TIMER_HZ = 3579545;
/** Bit 23 of the PM timer: its changes set TMR_STS. */
const HALF_PERIOD = 0x800000;

/** PM1 status and enable bits (ACPI 1.0, section 4.7.3.1). */
const TMR = 0x0001;
const GBL = 0x0020;
const PWRBTN = 0x0100;
const RTC = 0x0400;
/** Status bits that raise SCI when enabled. */
const SCI_SOURCES = TMR | GBL | PWRBTN | RTC;
const SCI_EN = 0x0001;
const SLP_EN = 0x2000;
/** SLP_TYP values the board's firmware tables name. */
const SLP_SOFT_OFF = 0;
const SLP_SUSPEND = 1;
const SLP_HIBERNATE = 2;

export interface AcpiPmOptions {
  readonly clock: Clock;
  readonly sci: IrqLine;
  readonly onPowerOff: () => void;
  readonly onSuspend: () => void;
}

/** The fixed ACPI registers: PM1 event and control, the 24-bit PM timer, two bytes of general-purpose events (ACPI 1.0, section 4.7). */
export class AcpiPm implements Device {
  readonly schema: StateSchema = {
    name: 'acpi-pm',
    version: 1,
    fields: { status: 'u16', enable: 'u16', control: 'u16', overflowTicks: 'int', timer: 'timer', gpe: 'bytes' },
  };
  /** PM1_STS; TMR_STS is set lazily, when somebody looks. */
  status = 0;
  /** PM1_EN. */
  enable = 0;
  /** PM1_CNT. */
  control = 0;
  /** PM timer ticks (not cut to 24 bits) at which TMR_STS is set next. */
  overflowTicks = 0;
  readonly timer: Timer<number>;
  /** GPE0_STS (2 bytes), GPE0_EN (2 bytes). */
  readonly gpe = new Uint8Array(4);
  /** The 64 ports at the PM base. */
  readonly ports: IoHandlers;
  /** The 4 general-purpose event ports. */
  readonly gpePorts: IoHandlers;
  private readonly options: AcpiPmOptions;

  constructor(options: AcpiPmOptions) {
    this.options = options;
    this.timer = options.clock.timer('acpi-pm', () => this.updateSci());
    this.ports = {
      name: 'acpi-pm',
      read: (offset, size) => this.readPort(offset, size),
      write: (offset, value, size) => {
        if (size !== 4) this.writeWord(offset, value);
      },
    };
    this.gpePorts = {
      name: 'acpi-gpe0',
      maxSize: 1,
      read: (offset) => this.gpe[offset] ?? 0xff,
      write: (offset, value) => {
        if (offset < 2) this.gpe[offset]! &= ~value;
        else if (offset < 4) this.gpe[offset] = value;
        this.updateSci();
      },
    };
  }

  reset(): void {
    this.status = 0;
    this.enable = 0;
    this.control = 0;
    this.overflowTicks = 0;
    this.timer.cancel();
    this.gpe.fill(0);
    this.updateSci();
  }

  /** APM commands that hand power management to or from the operating system. */
  setSciEnable(on: boolean): void {
    this.control = on ? this.control | SCI_EN : this.control & ~SCI_EN;
  }

  pressPowerButton(): void {
    if ((this.enable & PWRBTN) === 0) return;
    this.status |= PWRBTN;
    this.updateSci();
  }

  private ticks(): number {
    return mulDiv(this.options.clock.nowNs(), PM_TIMER_HZ, NS_PER_SECOND);
  }

  private readStatus(): number {
    // Nanoseconds are compared, not ticks: the timer is armed in nanoseconds.
    if (this.options.clock.nowNs() >= mulDiv(this.overflowTicks, NS_PER_SECOND, PM_TIMER_HZ)) this.status |= TMR;
    return this.status;
  }

  private writeStatus(value: number): void {
    if (this.readStatus() & value & TMR) this.overflowTicks = (Math.floor(this.ticks() / HALF_PERIOD) + 1) * HALF_PERIOD;
    this.status &= ~value;
  }

  private updateSci(): void {
    const status = this.readStatus();
    this.options.sci.set((status & this.enable & SCI_SOURCES) !== 0 || (this.gpe[0]! & this.gpe[2]!) !== 0);
    if ((this.enable & TMR) !== 0 && (status & TMR) === 0) this.timer.arm(mulDiv(this.overflowTicks, NS_PER_SECOND, PM_TIMER_HZ));
    else this.timer.cancel();
  }

  private writeControl(value: number): void {
    this.control = value & ~SLP_EN & 0xffff;
    if ((value & SLP_EN) === 0) return;
    const type = (value >> 10) & 7;
    if (type === SLP_SOFT_OFF || type === SLP_HIBERNATE) this.options.onPowerOff();
    else if (type === SLP_SUSPEND) this.options.onSuspend();
  }

  /** PM1 registers take bytes and words, and give the low bits of the register that is decoded there; the timer takes all sizes. */
  private readPort(offset: number, size: AccessSize): number {
    if (offset >= 8 && offset < 12) return cut(this.ticks() % 0x1000000, size);
    if (offset >= 6) return cut(0xffffffff, size);
    return size === 4 ? 0 : cut(this.readWord(offset), size);
  }

  private readWord(offset: number): number {
    if (offset >= 4) return this.control;
    return offset === 0 ? this.readStatus() : offset === 2 ? this.enable : 0;
  }

  private writeWord(offset: number, value: number): void {
    if (offset === 4 || offset === 5) {
      this.writeControl(value);
      return;
    }
    if (offset === 0) this.writeStatus(value);
    else if (offset === 2) this.enable = value;
    else return;
    this.updateSci();
  }
}

function cut(value: number, size: AccessSize): number {
  return size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value >>> 0;
}
