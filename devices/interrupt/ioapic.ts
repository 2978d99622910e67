import type { AccessSize, IoHandlers } from '../../src/core/bus.js';
import type { Clock } from '../../src/core/clock.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';

export const IOAPIC_BASE = 0xfec00000;
export const IOAPIC_LENGTH = 0x1000;
export const IOAPIC_PINS = 24;

/** Version with an EOI register. */
const VERSION = 0x20;

/** Memory-mapped registers. */
const IOREGSEL = 0x00;
const IOWIN = 0x10;
const EOI = 0x40;
/** Indirect registers. */
const REG_ID = 0;
const REG_VERSION = 1;
const REG_ARBITRATION = 2;
const REG_REDIRECTION = 0x10;

/** Redirection entry, low half. */
const MASKED = 0x10000;
const LEVEL = 0x8000;
const REMOTE_IRR = 0x4000;
const READ_ONLY = REMOTE_IRR | 0x1000;
const DELIVERY_EXTINT = 7;

const MESSAGE_BASE = 0xfee00000;

/** After this many EOIs that find the same pin still up, the interrupt is sent 10 ms later instead of at once. */
const STORM_EOIS = 10000;
const STORM_DELAY_NS = 10_000_000;

/** What an I/O APIC is wired to. */
export interface IoApicOptions {
  readonly clock: Clock;
  /** Sends an interrupt message: a 4-byte write to a physical address at 0xfeexxxxx. */
  readonly sendMessage: (address: number, data: number) => void;
  /** INTA cycle at the 8259A pair, for entries that deliver as ExtINT. */
  readonly acknowledgePic: () => number;
}

/** 82093AA I/O APIC with 24 pins and, beyond the data sheet, an EOI register. IRQ 0 comes in on pin 2. */
export class IoApic implements Device {
  readonly schema: StateSchema = {
    name: 'ioapic',
    version: 1,
    fields: { id: 'u8', select: 'u8', irr: 'u32', low: 'u32s', high: 'u32s', eois: 'u32s', delayedService: 'timer' },
  };
  id = 0;
  select = 0;
  /** Pins that wait to be sent (edge) or are up (level). */
  irr = 0;
  /** Redirection table. */
  readonly low = new Uint32Array(IOAPIC_PINS).fill(MASKED);
  readonly high = new Uint32Array(IOAPIC_PINS);
  /** EOIs in a row that found the pin still up. */
  readonly eois = new Uint32Array(IOAPIC_PINS);
  readonly delayedService: Timer<number>;
  /** Registers at IOAPIC_BASE. */
  readonly io: IoHandlers;
  private readonly options: IoApicOptions;

  constructor(options: IoApicOptions) {
    this.options = options;
    this.delayedService = options.clock.timer('ioapic', () => this.service());
    this.io = {
      name: 'ioapic',
      read: (offset, size) => this.read(offset & 0xff, size),
      write: (offset, value, size) => this.write(offset & 0xff, value, size),
    };
  }

  /** Does not clear the EOI counts nor the delayed service, as QEMU. */
  reset(): void {
    this.id = 0;
    this.select = 0;
    this.irr = 0;
    this.low.fill(MASKED);
    this.high.fill(0);
  }

  /** A global interrupt's level; 0 to 23. */
  setIrq(irq: number, level: boolean): void {
    const pin = irq === 0 ? 2 : irq;
    const bit = 1 << pin;
    const entry = this.low[pin]!;
    if (entry & LEVEL) {
      if (!level) this.irr &= ~bit;
      else {
        this.irr |= bit;
        if ((entry & REMOTE_IRR) === 0) this.service();
      }
    } else if (level && (entry & MASKED) === 0) {
      // 82093AA: edges on a masked pin are lost.
      this.irr |= bit;
      this.service();
    }
  }

  /** EOI of a vector by a local APIC or through the EOI register. */
  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      const entry = this.low[pin]!;
      if ((entry & 0xff) !== vector || (entry & LEVEL) === 0 || (entry & REMOTE_IRR) === 0) continue;
      this.low[pin] = entry & ~REMOTE_IRR;
      if (entry & MASKED || (this.irr & (1 << pin)) === 0) this.eois[pin] = 0;
      else this.sendAgain(pin);
    }
  }

  private sendAgain(pin: number): void {
    this.eois[pin]!++;
    if (this.eois[pin]! < STORM_EOIS) {
      this.service();
      return;
    }
    this.eois[pin] = 0;
    const at = this.options.clock.nowNs() + STORM_DELAY_NS;
    const armed = this.delayedService.deadline;
    if (armed === null || armed > at) this.delayedService.arm(at);
  }

  /** Sends what waits. */
  private service(): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      const bit = 1 << pin;
      if ((this.irr & bit) === 0) continue;
      const entry = this.low[pin]!;
      const mode = (entry >> 8) & 7;
      // Acknowledged even for a masked entry, as QEMU.
      const vector = mode === DELIVERY_EXTINT ? this.options.acknowledgePic() : entry & 0xff;
      if (entry & MASKED) continue;
      if ((entry & LEVEL) === 0) this.irr &= ~bit;
      else {
        this.low[pin] = entry | REMOTE_IRR;
        if (entry & REMOTE_IRR) continue;
      }
      const address = MESSAGE_BASE | (((this.high[pin]! >>> 16) & 0xffff) << 4) | ((entry >> 9) & 4);
      this.options.sendMessage(address >>> 0, vector | (entry & LEVEL) | (mode << 8));
    }
  }

  private read(offset: number, size: AccessSize): number {
    if (offset === IOREGSEL) return this.select;
    if (offset !== IOWIN || size !== 4) return 0;
    switch (this.select) {
      case REG_ID:
      case REG_ARBITRATION:
        return this.id << 24;
      case REG_VERSION:
        return VERSION | ((IOAPIC_PINS - 1) << 16);
      default: {
        const pin = (this.select - REG_REDIRECTION) >> 1;
        if (pin < 0 || pin >= IOAPIC_PINS) return 0;
        return this.select & 1 ? this.high[pin]! : this.low[pin]!;
      }
    }
  }

  private write(offset: number, value: number, size: AccessSize): void {
    if (offset === IOREGSEL) this.select = value & 0xff;
    else if (offset === IOWIN && size === 4) this.writeSelected(value);
    else if (offset === EOI && size === 4) this.endOfInterrupt(value);
  }

  private writeSelected(value: number): void {
    if (this.select === REG_ID) this.id = (value >>> 24) & 0xf;
    const pin = (this.select - REG_REDIRECTION) >> 1;
    if (pin < 0 || pin >= IOAPIC_PINS) return;
    if (this.select & 1) this.high[pin] = value;
    else this.low[pin] = (value & ~READ_ONLY) | (this.low[pin]! & READ_ONLY);
    this.eois[pin] = 0;
    // Remote IRR of an edge-triggered entry is 0: switching to edge and back is how Linux clears it.
    if ((this.low[pin]! & LEVEL) === 0) this.low[pin]! &= ~REMOTE_IRR;
    this.service();
  }
}
