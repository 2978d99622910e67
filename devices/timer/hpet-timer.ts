import type { Clock } from '../../src/core/clock.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';

/** Bytes of registers per timer. */
export const TIMER_REGISTERS_LENGTH = 0x20;

/** Registers within a timer's block; each has a high half 4 bytes further. */
const CONFIG = 0x00;
const COMPARATOR = 0x08;
const ROUTE = 0x10;

/** Configuration bits, low half. */
const LEVEL = 0x0002;
const ENABLE = 0x0004;
const PERIODIC = 0x0008;
const PERIODIC_CAPABLE = 0x0010;
const SIZE_CAPABLE = 0x0020;
const SET_VALUE = 0x0040;
const MODE_32BIT = 0x0100;
const FSB_ENABLE = 0x4000;
const WRITABLE = 0x7f4e;

const NS_PER_TICK = 10;
/** Further away than this (in ticks) no timer is armed. */
const MAX_DELAY_TICKS = 0x7fffffffffffffffn / 2n / 10n;
const ALL_ONES = 0xffffffffffffffffn;
const LOW_HALF = 0xffffffffn;

/** What a timer needs of its HPET. */
export interface HpetTimerHost {
  readonly enabled: boolean;
  readonly legacy: boolean;
  ticks(): bigint;
  setIrq(irq: number, level: boolean): void;
  setStatus(timer: number, active: boolean): void;
  sendMessage(address: number, data: number): void;
}

/** One comparator of the HPET. 64-bit values are unsigned bigints; this is no hot path. */
export class HpetTimer implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'hpet-timer',
    version: 1,
    fields: {
      config: 'u32',
      routes: 'u32',
      comparator: 'i64',
      period: 'i64',
      fsbAddress: 'u32',
      fsbData: 'u32',
      wrapping: 'bool',
      timer: 'timer',
    },
  };
  /** Configuration, low half. */
  config = 0;
  /** Configuration, high half: interrupts it can be routed to. */
  routes = 0;
  comparator = 0n;
  /** Last value written to the comparator in periodic mode. */
  period = 0n;
  fsbAddress = 0;
  fsbData = 0;
  /** The armed timer stands for the wrap of the 32-bit counter; the comparator's own time comes after it. */
  wrapping = false;
  readonly timer: Timer<number>;
  private readonly index: number;
  private readonly host: HpetTimerHost;
  private readonly clock: Clock;

  constructor(index: number, host: HpetTimerHost, clock: Clock) {
    this.index = index;
    this.host = host;
    this.clock = clock;
    this.timer = clock.timer(`hpet timer ${index}`, () => this.expired());
  }

  afterRestore(): void {
    this.comparator = BigInt.asUintN(64, this.comparator);
    this.period = BigInt.asUintN(64, this.period);
  }

  reset(routes: number): void {
    this.stop();
    this.comparator = ALL_ONES;
    this.config = PERIODIC_CAPABLE | SIZE_CAPABLE;
    this.routes = routes;
    this.period = 0n;
    this.wrapping = false;
  }

  /** The main counter starts. */
  start(): void {
    if (this.comparator !== ALL_ONES) this.set();
  }

  /** The main counter halts, or the timer is disabled. */
  stop(): void {
    this.timer.cancel();
    this.interrupt(false);
  }

  private get is32Bit(): boolean {
    return (this.config & MODE_32BIT) !== 0;
  }

  private get isPeriodic(): boolean {
    return (this.config & PERIODIC) !== 0;
  }

  /** The IRQ: legacy replacement sends timers 0 and 1 to IRQ 0 and 8. */
  private get irq(): number {
    if (this.host.legacy && this.index <= 1) return this.index === 0 ? 0 : 8;
    return (this.config >> 9) & 0x1f;
  }

  /** Sets or clears the timer's interrupt. */
  interrupt(active: boolean): void {
    const byMessage = (this.config & FSB_ENABLE) !== 0;
    if (!active || (this.config & ENABLE) === 0 || !this.host.enabled) {
      this.host.setStatus(this.index, false);
      if (!byMessage) this.host.setIrq(this.irq, false);
    } else if (byMessage) this.host.sendMessage(this.fsbAddress, this.fsbData);
    else if (this.config & LEVEL) {
      this.host.setStatus(this.index, true);
      this.host.setIrq(this.irq, true);
    } else {
      this.host.setStatus(this.index, false);
      this.host.setIrq(this.irq, true);
      this.host.setIrq(this.irq, false);
    }
  }

  /** Ticks from `now` to the comparator; 1 when it is not in the future. */
  private ticksToComparator(now: bigint): bigint {
    const difference = BigInt.asIntN(this.is32Bit ? 32 : 64, this.comparator - now);
    return difference > 0n ? difference : 1n;
  }

  private arm(ticks: bigint): void {
    if (ticks < MAX_DELAY_TICKS) this.timer.arm(this.clock.nowNs() + Number(ticks) * NS_PER_TICK);
    else this.timer.cancel();
  }

  private set(): void {
    const now = this.host.ticks();
    this.wrapping = false;
    let ticks = this.ticksToComparator(now);
    // In 32-bit one-shot mode there is an interrupt at the wrap of the counter too (specification 2.3.9.2.1).
    if (this.is32Bit && !this.isPeriodic) {
      const toWrap = LOW_HALF - (now & LOW_HALF);
      if (toWrap < ticks) {
        ticks = toWrap;
        this.wrapping = true;
      }
    }
    this.arm(ticks);
  }

  private expired(): void {
    const now = this.host.ticks();
    if (this.isPeriodic && this.period !== 0n) {
      this.advance(now);
      this.arm(this.ticksToComparator(now));
    } else if (this.is32Bit && !this.isPeriodic && this.wrapping) {
      this.arm(this.ticksToComparator(now));
      this.wrapping = false;
    }
    this.interrupt(true);
  }

  /** Adds periods to the comparator until it is not behind the counter. */
  private advance(now: bigint): void {
    const bits = this.is32Bit ? 32 : 64;
    const behind = -BigInt.asIntN(bits, this.comparator - now);
    const period = BigInt.asUintN(bits, this.period);
    if (behind <= 0n || period === 0n) return;
    const steps = (behind + period - 1n) / period;
    this.comparator = BigInt.asUintN(bits, this.comparator + steps * period);
  }

  read(register: number): number {
    switch (register) {
      case CONFIG:
        return this.config;
      case CONFIG + 4:
        return this.routes;
      case COMPARATOR:
        return Number(this.comparator & LOW_HALF);
      case COMPARATOR + 4:
        return Number(this.comparator >> 32n);
      case ROUTE:
        return this.fsbData;
      case ROUTE + 4:
        return this.fsbAddress;
      default:
        return 0;
    }
  }

  write(register: number, value: number): void {
    switch (register) {
      case CONFIG:
        this.writeConfig(value);
        return;
      case COMPARATOR:
        this.writeComparatorLow(value);
        return;
      case COMPARATOR + 4:
        this.writeComparatorHigh(value);
        return;
      case ROUTE:
        this.fsbData = value;
        return;
      case ROUTE + 4:
        this.fsbAddress = value;
        return;
      default:
    }
  }

  private writeConfig(value: number): void {
    const old = this.config;
    // The old route's line must not stay up when the interrupt turns into a message.
    if (value & ~old & FSB_ENABLE) this.interrupt(false);
    this.config = (value & WRITABLE) | (old & ~WRITABLE);
    if (value & MODE_32BIT) {
      this.comparator &= LOW_HALF;
      this.period &= LOW_HALF;
    }
    if (value & ~old & ENABLE && this.host.enabled) this.set();
    else if (old & ~value & ENABLE) this.stop();
  }

  private get takesComparator(): boolean {
    return !this.isPeriodic || (this.config & SET_VALUE) !== 0;
  }

  private writeComparatorLow(value: number): void {
    if (this.takesComparator) this.comparator = (this.comparator & ~LOW_HALF) | BigInt(value);
    if (this.isPeriodic) {
      // The period keeps clear of the sign bit.
      this.period = (this.period & ~LOW_HALF) | BigInt(this.is32Bit ? value & 0x7fffffff : value);
    }
    this.comparatorWritten();
  }

  private writeComparatorHigh(value: number): void {
    if (this.takesComparator) this.comparator = (this.comparator & LOW_HALF) | (BigInt(value) << 32n);
    else this.period = (this.period & LOW_HALF) | (BigInt(this.is32Bit ? value & 0x7fffffff : value) << 32n);
    this.comparatorWritten();
  }

  private comparatorWritten(): void {
    this.config &= ~SET_VALUE;
    if (this.host.enabled) this.set();
  }
}
