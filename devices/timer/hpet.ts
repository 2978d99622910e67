import type { AccessSize, IoHandlers, IrqLine } from '../../src/core/bus.js';
import type { Clock } from '../../src/core/clock.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { HpetTimer, type HpetTimerHost, TIMER_REGISTERS_LENGTH } from './hpet-timer.js';

export const HPET_BASE = 0xfed00000;
export const HPET_LENGTH = 0x400;

/** Nanoseconds per tick of the main counter. */
const TICK_NS = 10n;
const FEMTOSECONDS_PER_TICK = 10_000_000;
/** Timers that the capabilities report. The register block of one more answers, as in QEMU. */
const TIMERS = 3;

/** General registers. */
const ID = 0x000;
const PERIOD = 0x004;
const CONFIG = 0x010;
const STATUS = 0x020;
const COUNTER = 0x0f0;
const TIMER_BASE = 0x100;

const CONFIG_ENABLE = 1;
const CONFIG_LEGACY = 2;

/** Revision 1, 64-bit counter, legacy replacement capable, vendor 8086h. */
const ID_VALUE = (0x8086a001 | ((TIMERS - 1) << 8)) >>> 0;

/** IRQs that legacy replacement takes over. */
const PIT_IRQ = 0;
const RTC_IRQ = 8;

const low = (value: bigint): number => Number(value & 0xffffffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffffffffn);

/** What the HPET is wired to. */
export interface HpetOptions {
  readonly clock: Clock;
  /** Global system interrupts by number. */
  readonly irqs: readonly IrqLine[];
  /** Interrupts that the timers may be routed to, a bit each (timer configuration, high half): 4 on the i440FX board. */
  readonly routes: number;
  /** Gives channel 0 of the PIT its interrupt (true) or takes it away. */
  readonly enablePit: (enable: boolean) => void;
  /** Message-signalled interrupt: a 4-byte write to a physical address. */
  readonly sendMessage: (address: number, data: number) => void;
}

/** High precision event timers (IA-PC HPET specification 1.0a): three timers, 100 MHz. */
export class Hpet implements Device, HpetTimerHost {
  readonly schema: StateSchema = {
    name: 'hpet',
    version: 1,
    fields: { config: 'u32', status: 'u32', counter: 'i64', offsetNs: 'i64', rtcLevel: 'bool', timers: 'parts' },
  };
  config = 0;
  status = 0;
  /** The main counter while it is halted; unsigned 64 bits. */
  counter = 0n;
  /** Counter time minus virtual time while it runs; unsigned 64 bits. */
  offsetNs = 0n;
  /** Level of the RTC's interrupt, shown again when legacy replacement ends. */
  rtcLevel = false;
  readonly timers: readonly HpetTimer[];
  /** Registers at HPET_BASE. */
  readonly io: IoHandlers;
  private readonly options: HpetOptions;

  constructor(options: HpetOptions) {
    this.options = options;
    this.timers = Array.from({ length: TIMERS + 1 }, (_, index) => new HpetTimer(index, this, options.clock));
    // Only aligned 32-bit accesses exist: others read 0 and are lost.
    this.io = {
      name: 'hpet',
      read: (offset, size) => (this.valid(offset, size) ? this.read(offset) : 0),
      write: (offset, value, size) => {
        if (this.valid(offset, size)) this.write(offset, value >>> 0);
      },
    };
  }

  private valid(offset: number, size: AccessSize): boolean {
    return size === 4 && (offset & 3) === 0;
  }

  reset(): void {
    for (let i = 0; i < TIMERS; i++) this.timers[i]!.reset(this.options.routes);
    this.options.enablePit(true);
    this.counter = 0n;
    this.offsetNs = 0n;
    this.config = 0;
    this.rtcLevel = false;
  }

  afterRestore(): void {
    this.counter = BigInt.asUintN(64, this.counter);
    this.offsetNs = BigInt.asUintN(64, this.offsetNs);
  }

  /** The PIT's channel 0 output on its way to IRQ 0. */
  setPitInterrupt(level: boolean): void {
    if (!this.legacy) this.setIrq(PIT_IRQ, level);
  }

  /** The RTC's interrupt on its way to IRQ 8. */
  setRtcInterrupt(level: boolean): void {
    this.rtcLevel = level;
    if (!this.legacy) this.setIrq(RTC_IRQ, level);
  }

  get enabled(): boolean {
    return (this.config & CONFIG_ENABLE) !== 0;
  }

  get legacy(): boolean {
    return (this.config & CONFIG_LEGACY) !== 0;
  }

  /** Main counter as if it ran. */
  ticks(): bigint {
    return BigInt.asUintN(64, BigInt(this.options.clock.nowNs()) + this.offsetNs) / TICK_NS;
  }

  setIrq(irq: number, level: boolean): void {
    this.options.irqs[irq]?.set(level);
  }

  setStatus(timer: number, active: boolean): void {
    if (active) this.status |= 1 << timer;
    else this.status &= ~(1 << timer);
  }

  sendMessage(address: number, data: number): void {
    this.options.sendMessage(address, data);
  }

  private get counterNow(): bigint {
    return this.enabled ? this.ticks() : this.counter;
  }

  private read(offset: number): number {
    if (offset >= TIMER_BASE) {
      const index = Math.trunc((offset - TIMER_BASE) / TIMER_REGISTERS_LENGTH);
      return index > TIMERS ? 0 : this.timers[index]!.read((offset - TIMER_BASE) % TIMER_REGISTERS_LENGTH);
    }
    switch (offset) {
      case ID:
        return ID_VALUE;
      case PERIOD:
        return FEMTOSECONDS_PER_TICK;
      case CONFIG:
        return this.config;
      case COUNTER:
        return low(this.counterNow);
      case COUNTER + 4:
        return high(this.counterNow);
      case STATUS:
        return this.status;
      default:
        return 0;
    }
  }

  private write(offset: number, value: number): void {
    if (offset >= TIMER_BASE) {
      const index = Math.trunc((offset - TIMER_BASE) / TIMER_REGISTERS_LENGTH);
      if (index <= TIMERS) this.timers[index]!.write((offset - TIMER_BASE) % TIMER_REGISTERS_LENGTH, value);
      return;
    }
    switch (offset) {
      case CONFIG:
        this.writeConfig(value & (CONFIG_ENABLE | CONFIG_LEGACY));
        return;
      case STATUS:
        this.clearStatus(value);
        return;
      case COUNTER:
        this.counter = (this.counter & ~0xffffffffn) | BigInt(value);
        return;
      case COUNTER + 4:
        this.counter = (this.counter & 0xffffffffn) | (BigInt(value) << 32n);
        return;
      default:
    }
  }

  private clearStatus(value: number): void {
    const active = value & this.status;
    for (let i = 0; i < TIMERS; i++) if (active & (1 << i)) this.timers[i]!.interrupt(false);
  }

  private writeConfig(value: number): void {
    const changed = value ^ this.config;
    this.config = value;
    if (changed & CONFIG_ENABLE) {
      if (this.enabled) this.start();
      else this.halt();
    }
    if (changed & CONFIG_LEGACY) this.switchLegacy();
  }

  private start(): void {
    this.offsetNs = BigInt.asUintN(64, this.counter * TICK_NS - BigInt(this.options.clock.nowNs()));
    for (let i = 0; i < TIMERS; i++) this.timers[i]!.start();
  }

  private halt(): void {
    this.counter = this.ticks();
    for (let i = 0; i < TIMERS; i++) this.timers[i]!.stop();
  }

  /** PIT and RTC lose or get back their interrupts. */
  private switchLegacy(): void {
    if (this.legacy) {
      this.options.enablePit(false);
      this.setIrq(PIT_IRQ, false);
      this.setIrq(RTC_IRQ, false);
      return;
    }
    this.setIrq(PIT_IRQ, false);
    this.options.enablePit(true);
    this.setIrq(RTC_IRQ, this.rtcLevel);
  }
}
