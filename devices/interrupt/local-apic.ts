// Longer than most: one chip whose registers, timer and priority logic all touch each other.
import type { AccessSize, IoHandlers } from '../../src/core/bus.js';
import type { Clock } from '../../src/core/clock.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';
import { type CpuRequests, REQUEST_HARD, REQUEST_INIT, REQUEST_NMI, REQUEST_POLL, REQUEST_SIPI, REQUEST_SMI } from './cpu-requests.js';
import { addVector, hasVector, highestVector, removeVector } from './vector-set.js';

/** Where the local APIC's page is; also the base of the addresses of interrupt messages, 1 MiB of them. */
export const LOCAL_APIC_BASE = 0xfee00000;
export const LOCAL_APIC_LENGTH = 0x100000;

const BASE_BSP = 0x100;
const BASE_X2APIC = 0x400;
const BASE_ENABLE = 0x800;
const SPURIOUS_ENABLE = 0x100;
const SPURIOUS_DIRECTED_EOI = 0x1000;
const ESR_ILLEGAL_ADDRESS = 0x80;

const LVT_TIMER = 0;
const LVT_LINT0 = 3;
const LVT_LINT1 = 4;
const LVT_COUNT = 6;
const LVT_MASKED = 0x10000;
const LVT_LEVEL = 0x8000;
const LVT_PERIODIC = 0x20000;
/** Version 0x14, highest LVT entry 5. */
const VERSION = 0x14 | ((LVT_COUNT - 1) << 16);

/** Delivery modes. */
const FIXED = 0;
const LOWEST_PRIORITY = 1;
const SMI = 2;
const NMI = 4;
const INIT = 5;
const STARTUP = 6;
const EXTINT = 7;

/** Model of the destination format register: flat, cluster. */
const FLAT = 0xf;
const CLUSTER = 0;

/** Register numbers: address bits 11-4. */
const ID = 0x02;
const VERSION_REGISTER = 0x03;
const TPR = 0x08;
const PPR = 0x0a;
const EOI = 0x0b;
const LDR = 0x0d;
const DFR = 0x0e;
const SVR = 0x0f;
const ISR = 0x10;
const TMR = 0x18;
const IRR = 0x20;
const ESR = 0x28;
const ICR_LOW = 0x30;
const ICR_HIGH = 0x31;
const LVT = 0x32;
const INITIAL_COUNT = 0x38;
const CURRENT_COUNT = 0x39;
const DIVIDE = 0x3e;
/** Registers that read as 0 or ignore writes without being an illegal address: APR (0x09), and the read-only ones. */
const APR = 0x09;

/** Only aligned 32-bit accesses exist: others read 0 and are lost. */
function isRegisterAccess(offset: number, size: AccessSize): boolean {
  return size === 4 && (offset & 3) === 0;
}

/** What a local APIC is wired to. */
export interface LocalApicOptions {
  readonly clock: Clock;
  readonly cpu: CpuRequests;
  /** INT of the 8259A pair. */
  readonly picOutput: () => boolean;
  /** An EOI of a level-triggered vector, on its way to the I/O APICs. */
  readonly broadcastEoi: (vector: number) => void;
  /** Software has switched the APIC off in IA32_APIC_BASE: CPUID must stop reporting it. */
  readonly onDisable: () => void;
}

/**
 * The local APIC of processor 0 (Intel SDM volume 3, chapter "APIC", xAPIC mode). The timer ticks at 1 GHz before division.
 * Simplifications, as QEMU's: writes of reserved bits stick, no error interrupts, arbitration id 0, the base address does not move.
 */
export class LocalApic implements Device {
  readonly schema: StateSchema = {
    name: 'local-apic',
    version: 1,
    fields: {
      apicBase: 'u32',
      id: 'u8',
      tpr: 'u8',
      spurious: 'u32',
      logicalDestination: 'u8',
      destinationModel: 'u8',
      isr: 'u32s',
      tmr: 'u32s',
      irr: 'u32s',
      lvt: 'u32s',
      esr: 'u32',
      icrLow: 'u32',
      icrHigh: 'u32',
      divide: 'u8',
      countShift: 'u8',
      initialCount: 'u32',
      initialCountTimeNs: 'int',
      nextTimeNs: 'int',
      sipiVector: 'u8',
      waitForSipi: 'bool',
      timer: 'timer',
    },
  };
  apicBase = (LOCAL_APIC_BASE | BASE_BSP | BASE_ENABLE) >>> 0;
  id = 0;
  tpr = 0;
  spurious = 0xff;
  logicalDestination = 0;
  destinationModel = FLAT;
  readonly isr = new Uint32Array(8);
  readonly tmr = new Uint32Array(8);
  readonly irr = new Uint32Array(8);
  readonly lvt = new Uint32Array(LVT_COUNT).fill(LVT_MASKED);
  esr = 0;
  icrLow = 0;
  icrHigh = 0;
  divide = 0;
  /** Timer ticks are 2^countShift ns. */
  countShift = 0;
  initialCount = 0;
  /** Virtual time at which the initial count was written. */
  initialCountTimeNs = 0;
  /** When the timer expires (or expired last). */
  nextTimeNs = 0;
  /** Of the last startup IPI, which the bootstrap processor ignores: only a processor that waits for one takes it. */
  sipiVector = 0;
  /** Always false here; in the state because digests of recordings have it. */
  waitForSipi = false;
  readonly timer: Timer<number>;
  /** Registers and messages at LOCAL_APIC_BASE. */
  readonly io: IoHandlers;
  private readonly clock: Clock;
  private readonly cpu: CpuRequests;
  private readonly picOutput: () => boolean;
  private readonly broadcastEoi: (vector: number) => void;
  private readonly onDisable: () => void;

  constructor(options: LocalApicOptions) {
    this.clock = options.clock;
    this.cpu = options.cpu;
    this.picOutput = options.picOutput;
    this.broadcastEoi = options.broadcastEoi;
    this.onDisable = options.onDisable;
    this.timer = options.clock.timer('local apic', () => {
      this.deliverLocal(LVT_TIMER);
      this.armTimer(this.nextTimeNs);
    });
    this.io = {
      name: 'local-apic',
      read: (offset, size) => (isRegisterAccess(offset, size) ? this.read(offset) : 0),
      write: (offset, value, size) => {
        if (isRegisterAccess(offset, size)) this.write(offset, value);
      },
    };
  }

  reset(): void {
    this.apicBase = (LOCAL_APIC_BASE | BASE_BSP | BASE_ENABLE) >>> 0;
    this.id = 0;
    this.initialize();
  }

  /** INIT: everything but id and base address. */
  initialize(): void {
    this.tpr = 0;
    this.spurious = 0xff;
    this.logicalDestination = 0;
    this.destinationModel = FLAT;
    this.isr.fill(0);
    this.tmr.fill(0);
    this.irr.fill(0);
    this.lvt.fill(LVT_MASKED);
    this.esr = 0;
    this.icrLow = 0;
    this.icrHigh = 0;
    this.divide = 0;
    this.countShift = 0;
    this.initialCount = 0;
    this.initialCountTimeNs = 0;
    this.nextTimeNs = 0;
    this.waitForSipi = false;
    this.timer.cancel();
  }

  /** IA32_APIC_BASE, low half. */
  readBase(): number {
    return this.apicBase;
  }

  /** Once disabled, the APIC stays disabled until reset. Asking for x2APIC, which there is not, restores the id. */
  writeBase(value: number): void {
    if (value & BASE_X2APIC) this.id = 0;
    this.apicBase = ((value & 0xfffff000) | (this.apicBase & (BASE_BSP | BASE_ENABLE))) >>> 0;
    if (value & BASE_ENABLE) return;
    this.apicBase = (this.apicBase & ~BASE_ENABLE) >>> 0;
    this.spurious &= ~SPURIOUS_ENABLE;
    this.onDisable();
  }

  /** CR8, or the top half of TPR. */
  get taskPriority(): number {
    return this.tpr >> 4;
  }

  set taskPriority(value: number) {
    this.tpr = (value << 4) & 0xff;
    this.update();
  }

  /** Level change of the 8259A pair's INT pin (LINT0). */
  setPicInterrupt(level: boolean): void {
    if (!this.acceptsPic()) return;
    if (level) {
      this.deliverLocal(LVT_LINT0);
      return;
    }
    const entry = this.lvt[LVT_LINT0]!;
    const mode = (entry >> 8) & 7;
    if (mode === FIXED && entry & LVT_LEVEL) removeVector(this.irr, entry & 0xff);
    else if (mode !== EXTINT) return;
    this.update();
  }

  /** NMI pin (LINT1). */
  setNmi(): void {
    this.deliverLocal(LVT_LINT1);
  }

  /** Whether 8259A interrupts reach the processor: APIC disabled or LINT0 unmasked. */
  acceptsPic(): boolean {
    return (this.apicBase & BASE_ENABLE) === 0 || (this.lvt[LVT_LINT0]! & LVT_MASKED) === 0;
  }

  /** INTA: the vector to take from this APIC, or -1 when the 8259A pair (or nobody) has one. */
  acknowledge(): number {
    if ((this.spurious & SPURIOUS_ENABLE) === 0) return -1;
    const vector = this.pendingVector();
    // ExtINT ignores priorities: an 8259A request goes first.
    if (vector === 0 || this.forwardPic()) return -1;
    if (vector < 0) return this.spurious & 0xff;
    removeVector(this.irr, vector);
    addVector(this.isr, vector);
    this.update();
    return vector;
  }

  /** Answers REQUEST_POLL. */
  poll(): void {
    this.update();
  }

  /** An interrupt message from the bus (I/O APIC, MSI). `address` counts from LOCAL_APIC_BASE. */
  message(address: number, data: number): void {
    const destination = (address >> 12) & 0xff;
    if (!this.isDestination(destination, (address & 4) !== 0)) return;
    this.deliverBus((data >> 8) & 7, data & 0xff, (data & 0x8000) !== 0);
  }

  private isDestination(destination: number, logical: boolean): boolean {
    if (!logical) return destination === 0xff || destination === this.id;
    const own = this.logicalDestination;
    if (this.destinationModel === FLAT) return (destination & own) !== 0;
    if (this.destinationModel !== CLUSTER) return false;
    return (destination & 0xf0) === (own & 0xf0) && (destination & own & 0x0f) !== 0;
  }

  private deliverBus(mode: number, vector: number, level: boolean): void {
    switch (mode) {
      case FIXED:
      case LOWEST_PRIORITY:
      case EXTINT:
        this.request(vector, level);
        return;
      case SMI:
        this.cpu.raise(REQUEST_SMI);
        return;
      case NMI:
        this.cpu.raise(REQUEST_NMI);
        return;
      case INIT:
        this.cpu.raise(REQUEST_INIT);
        return;
      default:
    }
  }

  /** Interprocessor interrupt: one to ourselves, as there is no other. */
  private sendIpi(): void {
    const low = this.icrLow;
    const shorthand = (low >> 18) & 3;
    // "Self" and "all but self" go by the number in the id register, which the guest can change; we are number 0.
    if (shorthand === 1 ? this.id !== 0 : shorthand === 3 && this.id === 0) return;
    if (shorthand === 0 && !this.isDestination(this.icrHigh >>> 24, (low & 0x800) !== 0)) return;
    const mode = (low >> 8) & 7;
    const levelTriggered = (low & 0x8000) !== 0;
    const deassert = levelTriggered && (low & 0x4000) === 0;
    // INIT level de-assert only resets arbitration ids.
    if (mode === INIT && deassert) return;
    if (mode === STARTUP) {
      this.sipiVector = low & 0xff;
      this.cpu.raise(REQUEST_SIPI);
    } else this.deliverBus(mode, low & 0xff, levelTriggered);
  }

  private deliverLocal(index: number): void {
    const entry = this.lvt[index]!;
    if (entry & LVT_MASKED) return;
    switch ((entry >> 8) & 7) {
      case SMI:
        this.cpu.raise(REQUEST_SMI);
        return;
      case NMI:
        this.cpu.raise(REQUEST_NMI);
        return;
      case EXTINT:
        this.cpu.raise(REQUEST_HARD);
        return;
      case FIXED:
        this.request(entry & 0xff, (index === LVT_LINT0 || index === LVT_LINT1) && (entry & LVT_LEVEL) !== 0);
        return;
      default:
    }
  }

  private request(vector: number, level: boolean): void {
    addVector(this.irr, vector);
    if (level) addVector(this.tmr, vector);
    else removeVector(this.tmr, vector);
    this.update();
  }

  private get processorPriority(): number {
    const inService = highestVector(this.isr);
    const serviceClass = inService < 0 ? 0 : inService >> 4;
    return this.tpr >> 4 >= serviceClass ? this.tpr : serviceClass << 4;
  }

  /** The vector that can be taken now; 0: none; -1: one waits but its priority is too low. */
  private pendingVector(): number {
    if ((this.spurious & SPURIOUS_ENABLE) === 0) return 0;
    const vector = highestVector(this.irr);
    if (vector < 0) return 0;
    const priority = this.processorPriority;
    return priority !== 0 && (vector & 0xf0) <= (priority & 0xf0) ? -1 : vector;
  }

  private update(): void {
    if (!this.cpu.onCpuSide()) this.cpu.raise(REQUEST_POLL);
    else if (this.pendingVector() > 0) this.cpu.raise(REQUEST_HARD);
    else if (!this.acceptsPic() || !this.picOutput()) this.cpu.lower(REQUEST_HARD);
  }

  /** Passes a waiting 8259A request on; true when there was one. */
  private forwardPic(): boolean {
    if (!this.acceptsPic() || !this.picOutput()) return false;
    this.deliverLocal(LVT_LINT0);
    return true;
  }

  private endOfInterrupt(): void {
    const vector = highestVector(this.isr);
    if (vector < 0) return;
    removeVector(this.isr, vector);
    if ((this.spurious & SPURIOUS_DIRECTED_EOI) === 0 && hasVector(this.tmr, vector)) this.broadcastEoi(vector);
    this.update();
  }

  /** Whole timer ticks from the writing of the initial count to `now`. */
  private ticks(now: number): number {
    return Math.floor((now - this.initialCountTimeNs) / 2 ** this.countShift);
  }

  private armTimer(now: number): void {
    const expiry = this.nextExpiryTicks(now);
    if (expiry === null) {
      this.timer.cancel();
      return;
    }
    this.nextTimeNs = this.initialCountTimeNs + expiry * 2 ** this.countShift;
    this.timer.arm(this.nextTimeNs);
  }

  /** Ticks after the writing of the initial count at which the timer expires next. */
  private nextExpiryTicks(now: number): number | null {
    const entry = this.lvt[LVT_TIMER]!;
    if (entry & LVT_MASKED) return null;
    const elapsed = this.ticks(now);
    const period = this.initialCount + 1;
    if ((entry & LVT_PERIODIC) === 0) return elapsed >= this.initialCount ? null : period;
    return this.initialCount === 0 ? null : (Math.floor(elapsed / period) + 1) * period;
  }

  private currentCount(): number {
    const elapsed = this.ticks(this.clock.nowNs());
    if (this.lvt[LVT_TIMER]! & LVT_PERIODIC) return this.initialCount - (elapsed % (this.initialCount + 1));
    return elapsed >= this.initialCount ? 0 : this.initialCount - elapsed;
  }

  private read(offset: number): number {
    const register = (offset >> 4) & 0xff;
    switch (register) {
      case ID:
        return (this.id << 24) >>> 0;
      case VERSION_REGISTER:
        return VERSION;
      case TPR:
        return this.tpr;
      case PPR:
        return this.processorPriority;
      case APR:
      case EOI:
        return 0;
      case LDR:
        return (this.logicalDestination << 24) >>> 0;
      case DFR:
        return ((this.destinationModel << 28) | 0xfffffff) >>> 0;
      case SVR:
        return this.spurious;
      case ESR:
        return this.esr;
      case ICR_LOW:
        return this.icrLow;
      case ICR_HIGH:
        return this.icrHigh;
      case INITIAL_COUNT:
        return this.initialCount;
      case CURRENT_COUNT:
        return this.currentCount();
      case DIVIDE:
        return this.divide;
      default:
        return this.readArray(register);
    }
  }

  private readArray(register: number): number {
    if (register >= ISR && register < TMR) return this.isr[register & 7]!;
    if (register >= TMR && register < IRR) return this.tmr[register & 7]!;
    if (register >= IRR && register < ESR) return this.irr[register & 7]!;
    if (register >= LVT && register < INITIAL_COUNT) return this.lvt[register - LVT]!;
    this.esr |= ESR_ILLEGAL_ADDRESS;
    return 0;
  }

  private write(offset: number, value: number): void {
    const register = (offset >> 4) & 0xff;
    // Messages and registers share the page: messages use what the registers leave free.
    if (offset > 0xfff || register === 0) {
      this.message(offset, value);
      return;
    }
    switch (register) {
      case ID:
        this.id = value >>> 24;
        return;
      case TPR:
        this.tpr = value & 0xff;
        this.update();
        return;
      case EOI:
        this.endOfInterrupt();
        return;
      case LDR:
        this.logicalDestination = value >>> 24;
        return;
      case DFR:
        this.destinationModel = value >>> 28;
        return;
      case SVR:
        this.spurious = value & 0x1ff;
        this.update();
        return;
      case ICR_LOW:
        this.icrLow = value >>> 0;
        this.sendIpi();
        return;
      case ICR_HIGH:
        this.icrHigh = value >>> 0;
        return;
      case INITIAL_COUNT:
        this.initialCount = value >>> 0;
        this.initialCountTimeNs = this.clock.nowNs();
        this.armTimer(this.initialCountTimeNs);
        return;
      case DIVIDE:
        this.divide = value & 0xb;
        this.countShift = (((value & 3) | ((value >> 1) & 4)) + 1) & 7;
        return;
      default:
        this.writeOther(register, value);
    }
  }

  private writeOther(register: number, value: number): void {
    if (register >= LVT && register < INITIAL_COUNT) {
      const index = register - LVT;
      this.lvt[index] = value;
      if (index === LVT_TIMER) this.armTimer(this.clock.nowNs());
      else if (index === LVT_LINT0 && this.forwardPic()) this.update();
      return;
    }
    const readOnly = register === VERSION_REGISTER || register === APR || register === PPR || register === CURRENT_COUNT;
    if (readOnly || (register >= ISR && register <= ESR)) return;
    this.esr |= ESR_ILLEGAL_ADDRESS;
  }
}
