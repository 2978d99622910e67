import type { IoHandlers, IrqLine, PortSpace } from '../../src/core/bus.js';
import type { HostClock } from '../../src/core/clock.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';
import {
  CENTURY,
  DAY_OF_MONTH,
  DAY_OF_WEEK,
  HOURS,
  HOURS_ALARM,
  loadTime,
  MINUTES,
  MINUTES_ALARM,
  MONTH,
  PS2_CENTURY,
  REG_A,
  REG_B,
  REG_C,
  REG_D,
  SECONDS,
  SECONDS_ALARM,
  secondsToAlarm,
  storeTime,
  YEAR,
} from './rtc-calendar.js';

const REG_A_UIP = 0x80;
const REG_A_RATE = 0x0f;
const REG_A_DIVIDER = 0x70;
const REG_B_SET = 0x80;
const REG_B_PIE = 0x40;
const REG_B_AIE = 0x20;
const REG_B_UIE = 0x10;
const REG_B_SQWE = 0x08;
const REG_C_IRQF = 0x80;
const REG_C_PF = 0x40;
const REG_C_AF = 0x20;
const REG_C_UF = 0x10;
const REG_C_FLAGS = REG_C_PF | REG_C_AF | REG_C_UF;
/** CMOS byte with the reason of a reset; 0xfe (resume from suspend) survives the reset. */
const SHUTDOWN_STATUS = 0x0f;
const RESUME = 0xfe;

const SECOND_NS = 1_000_000_000n;
const HALF_SECOND_NS = 500_000_000n;
const CRYSTAL_HZ = 32768n;
/** UIP is up for the last 8 crystal periods (244 us) of a second. */
const UIP_NS = (8n * SECOND_NS) / CRYSTAL_HZ;

/** How the board makes its clock. */
export interface RtcOptions {
  readonly ports: PortSpace;
  /** The clock that drives the RTC and its timers: the host's, or virtual time in the host clock's shape (`-rtc clock=vm`). */
  readonly clock: HostClock;
  /** The host clock proper: read once, for nothing, when the guest sets the date (as QEMU, which reports the difference). */
  readonly hostClock: HostClock;
  /** Seconds to add to `clock` for the guest's UTC date (`-rtc base=...`). */
  readonly dateOffsetSeconds: number;
  readonly irq: IrqLine;
}

/**
 * MC146818 real-time clock with 128 bytes of CMOS RAM at ports 0x70/0x71 (Motorola data sheet; lost periodic ticks are discarded).
 * Every read of the clock is an event of the log: their number and order are part of the behaviour.
 */
export class RtcMc146818 implements Device {
  readonly schema: StateSchema = {
    name: 'mc146818rtc',
    version: 1,
    fields: {
      cmos: 'bytes',
      index: 'u8',
      nextPeriodicNs: 'i64',
      baseSeconds: 'i64',
      lastUpdateNs: 'i64',
      offsetNs: 'i64',
      nextAlarmNs: 'i64',
      periodicTimer: 'timer',
      updateTimer: 'timer',
    },
  };
  readonly cmos = new Uint8Array(128);
  index = 0;
  /** When the periodic flag is set next. */
  nextPeriodicNs = 0n;
  /** Guest time (seconds since 1970) at `lastUpdateNs` of the clock, to which `offsetNs` is added. */
  baseSeconds = 0n;
  lastUpdateNs = 0n;
  offsetNs = 0n;
  nextAlarmNs = 0n;
  readonly periodicTimer: Timer<bigint>;
  readonly updateTimer: Timer<bigint>;
  private readonly clock: HostClock;
  private readonly hostClock: HostClock;
  private readonly irq: IrqLine;

  /** Reads the clock 5 times. */
  constructor(options: RtcOptions) {
    this.clock = options.clock;
    this.hostClock = options.hostClock;
    this.irq = options.irq;
    this.cmos[REG_A] = 0x26;
    this.cmos[REG_B] = 0x02;
    this.cmos[REG_D] = 0x80;
    this.periodicTimer = this.clock.timer('rtc periodic', () => this.periodicTick());
    this.updateTimer = this.clock.timer('rtc update', () => this.updateEnded());
    this.baseSeconds = this.clock.nowNs() / SECOND_NS + BigInt(options.dateOffsetSeconds);
    this.lastUpdateNs = this.clock.nowNs();
    storeTime(this.cmos, Number(this.baseSeconds));
    this.scheduleUpdate();
    const io: IoHandlers = {
      name: 'rtc',
      maxSize: 1,
      read: (offset) => (offset === 0 ? 0xff : this.readData()),
      write: (offset, value) => {
        if (offset === 0) this.index = value & 0x7f;
        else this.writeData(value);
      },
    };
    options.ports.map(0x70, 2, io);
  }

  /** Reads the clock 3 times. */
  reset(): void {
    if (this.cmos[SHUTDOWN_STATUS] !== RESUME) this.cmos[SHUTDOWN_STATUS] = 0;
    this.cmos[REG_B]! &= ~(REG_B_PIE | REG_B_AIE | REG_B_SQWE);
    this.cmos[REG_C]! &= ~(REG_C_FLAGS | REG_C_IRQF);
    this.scheduleUpdate();
    this.irq.set(false);
  }

  /** Sets a byte of CMOS RAM; for the board's configuration. */
  setCmos(address: number, value: number): void {
    this.cmos[address] = value;
  }

  private get running(): boolean {
    return (this.cmos[REG_B]! & REG_B_SET) === 0 && (this.cmos[REG_A]! & REG_A_DIVIDER) <= 0x20;
  }

  /** Guest time in ns since 1970, modulo 2^64; one clock read. */
  private guestNs(): bigint {
    return BigInt.asUintN(64, this.baseSeconds * SECOND_NS + this.clock.nowNs() - this.lastUpdateNs + this.offsetNs);
  }

  /** Brings the time registers up to date unless SET holds them; one clock read. */
  private updateRegisters(): void {
    const seconds = Number(BigInt.asIntN(64, this.guestNs()) / SECOND_NS);
    if ((this.cmos[REG_B]! & REG_B_SET) === 0) storeTime(this.cmos, seconds);
  }

  /** Takes the time over from the registers; one read of the clock and one of the host clock. */
  private takeTime(): void {
    this.baseSeconds = BigInt(loadTime(this.cmos));
    this.lastUpdateNs = this.clock.nowNs();
    this.hostClock.nowNs();
  }

  /** Arms the update timer for the next change of UF or AF; three clock reads, none while the divider is held in reset. */
  private scheduleUpdate(): void {
    if ((this.cmos[REG_A]! & 0x60) === 0x60) {
      this.updateTimer.cancel();
      return;
    }
    const intoSecond = this.guestNs() % SECOND_NS;
    let next = this.clock.nowNs() + SECOND_NS - intoSecond;
    this.updateRegisters();
    this.nextAlarmNs = next + BigInt(secondsToAlarm(this.cmos) - 1) * SECOND_NS;
    // A latched UIP must be cleared at the end of this second; otherwise nothing happens at it once UF is set.
    if ((this.cmos[REG_A]! & REG_A_UIP) === 0 && this.cmos[REG_C]! & REG_C_UF) {
      if (this.cmos[REG_B]! & REG_B_SET || this.cmos[REG_C]! & REG_C_AF) {
        this.updateTimer.cancel();
        return;
      }
      next = this.nextAlarmNs;
    }
    if (this.updateTimer.deadline !== next) this.updateTimer.arm(next);
  }

  private updateEnded(): void {
    this.updateRegisters();
    this.cmos[REG_A]! &= ~REG_A_UIP;
    let flags = REG_C_UF;
    if (this.clock.nowNs() >= this.nextAlarmNs) flags |= REG_C_AF;
    const fresh = flags & ~this.cmos[REG_C]!;
    this.cmos[REG_C]! |= flags;
    if (fresh & this.cmos[REG_B]!) this.raise();
    this.scheduleUpdate();
  }

  private raise(): void {
    this.cmos[REG_C]! |= REG_C_IRQF;
    this.irq.set(true);
  }

  /** Crystal periods between periodic flags; 0: off. */
  private periodicClocks(): bigint {
    const rate = this.cmos[REG_A]! & REG_A_RATE;
    if ((this.cmos[REG_B]! & REG_B_PIE) === 0 || rate === 0) return 0n;
    return 1n << BigInt(rate <= 2 ? rate + 6 : rate - 1);
  }

  private periodicTick(): void {
    this.schedulePeriodic(this.nextPeriodicNs, 0n);
    this.cmos[REG_C]! |= REG_C_PF;
    if (this.cmos[REG_B]! & REG_B_PIE) this.raise();
  }

  /** @param changedFrom period (crystal clocks) in force until now when the guest changes it, so that the time already waited counts; else 0. */
  private schedulePeriodic(nowNs: bigint, changedFrom: bigint): void {
    const period = this.periodicClocks();
    if (period === 0n) {
      this.periodicTimer.cancel();
      return;
    }
    const now = (nowNs * CRYSTAL_HZ) / SECOND_NS;
    let waited = 0n;
    if (changedFrom !== 0n) {
      waited = now - ((this.nextPeriodicNs * CRYSTAL_HZ) / SECOND_NS - changedFrom);
      if (waited > period) waited = period;
    }
    this.nextPeriodicNs = ((now + period - waited) * SECOND_NS) / CRYSTAL_HZ + 1n;
    this.periodicTimer.arm(this.nextPeriodicNs);
  }

  /** UIP: latched when the guest sees it during an update that has a timer. */
  private updateInProgress(): boolean {
    if (!this.running) return false;
    const deadline = this.updateTimer.deadline;
    if (deadline !== null && this.clock.nowNs() >= deadline - UIP_NS) {
      this.cmos[REG_A]! |= REG_A_UIP;
      return true;
    }
    return this.guestNs() % SECOND_NS >= SECOND_NS - UIP_NS;
  }

  private readData(): number {
    if (this.index === PS2_CENTURY) this.index = CENTURY;
    switch (this.index) {
      case SECONDS:
      case MINUTES:
      case HOURS:
      case DAY_OF_WEEK:
      case DAY_OF_MONTH:
      case MONTH:
      case YEAR:
      case CENTURY:
        if (this.running) this.updateRegisters();
        return this.cmos[this.index]!;
      case REG_A: {
        const value = this.cmos[REG_A]!;
        return this.updateInProgress() ? value | REG_A_UIP : value;
      }
      case REG_C: {
        const flags = this.cmos[REG_C]!;
        this.irq.set(false);
        this.cmos[REG_C] = 0;
        if (flags & (REG_C_UF | REG_C_AF)) this.scheduleUpdate();
        return flags;
      }
      default:
        return this.cmos[this.index]!;
    }
  }

  private writeData(value: number): void {
    if (this.index === PS2_CENTURY) this.index = CENTURY;
    switch (this.index) {
      case SECONDS_ALARM:
      case MINUTES_ALARM:
      case HOURS_ALARM:
        this.cmos[this.index] = value;
        this.scheduleUpdate();
        return;
      case SECONDS:
      case MINUTES:
      case HOURS:
      case DAY_OF_WEEK:
      case DAY_OF_MONTH:
      case MONTH:
      case YEAR:
      case CENTURY:
        this.cmos[this.index] = value;
        if (!this.running) return;
        this.takeTime();
        this.scheduleUpdate();
        return;
      case REG_A:
        this.writeRegA(value);
        return;
      case REG_B:
        this.writeRegB(value);
        return;
      case REG_C:
      case REG_D:
        return;
      default:
        this.cmos[this.index] = value;
    }
  }

  private writeRegA(value: number): void {
    const old = this.cmos[REG_A]!;
    const oldPeriod = this.periodicClocks();
    let uip = old & REG_A_UIP;
    if ((value & 0x60) === 0x60) {
      if (this.running) this.updateRegisters();
      uip = 0;
    } else if ((old & 0x60) === 0x60 && (value & REG_A_DIVIDER) <= 0x20) {
      // The first update comes half a second after the divider is released.
      if ((this.cmos[REG_B]! & REG_B_SET) === 0) {
        this.offsetNs = HALF_SECOND_NS;
        this.takeTime();
      }
      uip = 0;
    }
    this.cmos[REG_A] = (value & ~REG_A_UIP) | uip;
    if ((old ^ value) & REG_A_RATE) this.schedulePeriodic(this.clock.nowNs(), oldPeriod);
    this.scheduleUpdate();
  }

  private writeRegB(written: number): void {
    const old = this.cmos[REG_B]!;
    const oldPeriod = this.periodicClocks();
    let value = written;
    if (written & REG_B_SET) {
      if (this.running) this.updateRegisters();
      this.cmos[REG_A]! &= ~REG_A_UIP;
      value &= ~REG_B_UIE;
    } else if (old & REG_B_SET && (this.cmos[REG_A]! & REG_A_DIVIDER) <= 0x20) {
      this.offsetNs = this.guestNs() % SECOND_NS;
      this.takeTime();
    }
    // A flag that is set already interrupts as soon as it is enabled.
    if (value & this.cmos[REG_C]! & REG_C_FLAGS) this.raise();
    else {
      this.cmos[REG_C]! &= ~REG_C_IRQF;
      this.irq.set(false);
    }
    this.cmos[REG_B] = value;
    if ((old ^ written) & REG_B_PIE) this.schedulePeriodic(this.clock.nowNs(), oldPeriod);
    this.scheduleUpdate();
  }
}
