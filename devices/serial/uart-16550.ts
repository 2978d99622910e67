// Longer than most: one register file, receiver and transmitter of one chip.
import type { IoHandlers, IrqLine, PortSpace } from '../../src/core/bus.js';
import type { Clock } from '../../src/core/clock.js';
import type { CharBackend, CharFrontend } from '../../src/core/nondet.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';
import { NS_PER_SECOND } from '../../src/core/units.js';

/** Registers. */
const DATA = 0;
const IER = 1;
const IIR_FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const SCR = 7;

const IER_RECEIVED = 0x01;
const IER_THR_EMPTY = 0x02;
const IER_LINE = 0x04;
const IER_MODEM = 0x08;

const IIR_NONE = 0x01;
const IIR_MODEM = 0x00;
const IIR_THR_EMPTY = 0x02;
const IIR_RECEIVED = 0x04;
const IIR_LINE = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_ID = 0x06;
const IIR_FIFO = 0xc0;

const FCR_ENABLE = 0x01;
const FCR_RESET_RECEIVER = 0x02;
const FCR_RESET_TRANSMITTER = 0x04;
/** Bits of the FCR that are kept: enable, DMA mode, trigger level. */
const FCR_STICKY = 0xc9;
const TRIGGER_LEVELS = [1, 4, 8, 14];

const LCR_DLAB = 0x80;
const MCR_LOOP = 0x10;
const MCR_OUT2 = 0x08;

const LSR_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_BREAK = 0x10;
const LSR_ANY_ERROR = 0x1e;
const LSR_THR_EMPTY = 0x20;
const LSR_EMPTY = 0x40;

/** Modem inputs of a line without a modem: DCD, DSR, CTS up. */
const MSR_IDLE = 0xb0;
const MSR_DELTAS = 0x0f;

const FIFO_BYTES = 16;
/** Characters of silence after which a FIFO below its trigger level interrupts. */
const TIMEOUT_CHARACTERS = 4;
const BASE_BAUD = 115200;
/** Speed for divisor 0. */
const SLOW_BAUD = 3500;

/** Where a port sits and what it is connected to. */
export interface Uart16550Options {
  readonly ports: PortSpace;
  readonly port: number;
  readonly clock: Clock;
  readonly irq: IrqLine;
  readonly backend: CharBackend;
}

/** Ports and IRQs of COM1 to COM4. */
export const COM_PORTS: readonly { readonly port: number; readonly irq: number }[] = [
  { port: 0x3f8, irq: 4 },
  { port: 0x2f8, irq: 3 },
  { port: 0x3e8, irq: 4 },
  { port: 0x2e8, irq: 3 },
];

/**
 * 16550A UART (National PC16550D data sheet). A byte leaves as soon as it is written, one backend call each; one that the backend refuses is
 * lost. OUT2 does not gate the interrupt and modem inputs never change, as with QEMU's file, socket and null backends.
 */
export class Uart16550 implements Device, CharFrontend {
  readonly schema: StateSchema = {
    name: 'uart-16550',
    version: 1,
    fields: {
      divisor: 'u16',
      rbr: 'u8',
      thr: 'u8',
      ier: 'u8',
      iir: 'u8',
      fcr: 'u8',
      lcr: 'u8',
      mcr: 'u8',
      lsr: 'u8',
      msr: 'u8',
      scr: 'u8',
      thrPending: 'bool',
      timeoutPending: 'bool',
      triggerLevel: 'u8',
      characterNs: 'int',
      received: 'ints',
      timeout: 'timer',
    },
  };
  divisor = 0;
  rbr = 0;
  thr = 0;
  ier = 0;
  iir = 0;
  fcr = 0;
  lcr = 0;
  mcr = 0;
  lsr = 0;
  msr = 0;
  scr = 0;
  /** The transmitter-empty interrupt has not been acknowledged. */
  thrPending = false;
  timeoutPending = false;
  triggerLevel = 0;
  /** Duration of a character. */
  characterNs = 0;
  /** The receive FIFO, oldest first. */
  received: number[] = [];
  readonly timeout: Timer<number>;
  private readonly clock: Clock;
  private readonly irq: IrqLine;
  private readonly backend: CharBackend;

  constructor(options: Uart16550Options) {
    this.clock = options.clock;
    this.irq = options.irq;
    this.backend = options.backend;
    this.timeout = options.clock.timer('uart fifo timeout', () => this.receiverTimedOut());
    const io: IoHandlers = {
      name: 'uart',
      maxSize: 1,
      read: (offset) => this.read(offset),
      write: (offset, value) => this.write(offset, value),
    };
    options.ports.map(options.port, 8, io);
    this.reset();
  }

  /** The FIFO control bits and the trigger level survive, as in QEMU. */
  reset(): void {
    this.rbr = 0;
    this.ier = 0;
    this.iir = IIR_NONE;
    this.lcr = 0;
    this.lsr = LSR_EMPTY | LSR_THR_EMPTY;
    this.msr = MSR_IDLE;
    this.divisor = 12;
    this.mcr = MCR_OUT2;
    this.scr = 0;
    this.characterNs = Math.trunc(NS_PER_SECOND / 9600) * 10;
    this.timeoutPending = false;
    this.timeout.cancel();
    this.received.length = 0;
    this.thrPending = false;
    this.irq.set(false);
  }

  private get fifoEnabled(): boolean {
    return (this.fcr & FCR_ENABLE) !== 0;
  }

  private updateIrq(): void {
    const id = this.interruptId();
    this.iir = id | (this.iir & 0xf0);
    this.irq.set(id !== IIR_NONE);
  }

  /** The highest interrupt condition that is enabled. */
  private interruptId(): number {
    const { ier, lsr } = this;
    if (ier & IER_LINE && lsr & LSR_ANY_ERROR) return IIR_LINE;
    if (ier & IER_RECEIVED) {
      if (this.timeoutPending) return IIR_TIMEOUT;
      if (lsr & LSR_READY && (!this.fifoEnabled || this.received.length >= this.triggerLevel)) return IIR_RECEIVED;
    }
    if (ier & IER_THR_EMPTY && this.thrPending) return IIR_THR_EMPTY;
    if (ier & IER_MODEM && this.msr & MSR_DELTAS) return IIR_MODEM;
    return IIR_NONE;
  }

  /** Character time in single precision, as QEMU computes it: timers depend on it. */
  private updateCharacterTime(): void {
    const parityBits = this.lcr & 0x08 ? 1 : 0;
    const stopBits = this.lcr & 0x04 ? 2 : 1;
    const frameBits = 1 + parityBits + ((this.lcr & 3) + 5) + stopBits;
    const baud = this.divisor === 0 ? SLOW_BAUD : Math.fround(BASE_BAUD / this.divisor);
    this.characterNs = Math.trunc(Math.fround(Math.fround(NS_PER_SECOND / baud) * frameBits));
  }

  private armTimeout(): void {
    this.timeout.arm(this.clock.nowNs() + this.characterNs * TIMEOUT_CHARACTERS);
  }

  private receiverTimedOut(): void {
    if (this.received.length === 0) return;
    this.timeoutPending = true;
    this.updateIrq();
  }

  /** Bytes the receiver takes now: up to its trigger level, then one at a time. */
  canReceive(): number {
    if (!this.fifoEnabled) return this.lsr & LSR_READY ? 0 : 1;
    const { length } = this.received;
    if (length >= FIFO_BYTES) return 0;
    return length <= this.triggerLevel ? this.triggerLevel - length : 1;
  }

  receive(bytes: Uint8Array): void {
    if (this.fifoEnabled) {
      for (const byte of bytes) this.pushReceived(byte);
      this.lsr |= LSR_READY;
      this.armTimeout();
    } else {
      if (this.lsr & LSR_READY) this.lsr |= LSR_OVERRUN;
      this.rbr = bytes[0]!;
      this.lsr |= LSR_READY;
    }
    this.updateIrq();
  }

  /** A break condition on the line. */
  receiveBreak(): void {
    this.rbr = 0;
    this.pushReceived(0);
    this.lsr |= LSR_BREAK | LSR_READY;
    this.updateIrq();
  }

  /** An overrun keeps what is in the FIFO. */
  private pushReceived(byte: number): void {
    if (this.received.length < FIFO_BYTES) this.received.push(byte);
    else this.lsr |= LSR_OVERRUN;
  }

  private read(register: number): number {
    switch (register) {
      case DATA:
        return this.lcr & LCR_DLAB ? this.divisor & 0xff : this.readData();
      case IER:
        return this.lcr & LCR_DLAB ? this.divisor >> 8 : this.ier;
      case IIR_FCR:
        return this.readIir();
      case LCR:
        return this.lcr;
      case MCR:
        return this.mcr;
      case LSR:
        return this.readLsr();
      case MSR:
        return this.readMsr();
      default:
        return this.scr;
    }
  }

  private readData(): number {
    let byte = this.rbr;
    if (this.fifoEnabled) {
      byte = this.received.shift() ?? 0;
      if (this.received.length === 0) this.lsr &= ~(LSR_READY | LSR_BREAK);
      else this.armTimeout();
      this.timeoutPending = false;
    } else this.lsr &= ~(LSR_READY | LSR_BREAK);
    this.updateIrq();
    return byte;
  }

  private readIir(): number {
    const value = this.iir;
    if ((value & IIR_ID) === IIR_THR_EMPTY) {
      this.thrPending = false;
      this.updateIrq();
    }
    return value;
  }

  private readLsr(): number {
    const value = this.lsr;
    if (value & (LSR_BREAK | LSR_OVERRUN)) {
      this.lsr &= ~(LSR_BREAK | LSR_OVERRUN);
      this.updateIrq();
    }
    return value;
  }

  private readMsr(): number {
    // Loopback: OUT2, OUT1, RTS, DTR appear as DCD, RI, CTS, DSR.
    if (this.mcr & MCR_LOOP) return ((this.mcr & 0x0c) << 4) | ((this.mcr & 0x02) << 3) | ((this.mcr & 0x01) << 5);
    const value = this.msr;
    if (value & MSR_DELTAS) {
      this.msr &= 0xf0;
      this.updateIrq();
    }
    return value;
  }

  private write(register: number, value: number): void {
    switch (register) {
      case DATA:
        if (this.lcr & LCR_DLAB) this.setDivisor((this.divisor & 0xff00) | value);
        else this.transmit(value);
        return;
      case IER:
        if (this.lcr & LCR_DLAB) this.setDivisor((this.divisor & 0xff) | (value << 8));
        else this.writeIer(value & 0x0f);
        return;
      case IIR_FCR:
        this.writeFcr(value);
        return;
      case LCR:
        this.lcr = value;
        this.updateCharacterTime();
        return;
      case MCR:
        this.mcr = value & 0x1f;
        return;
      case SCR:
        this.scr = value;
        return;
      default:
    }
  }

  private setDivisor(value: number): void {
    this.divisor = value;
    this.updateCharacterTime();
  }

  private transmit(value: number): void {
    this.thr = value;
    this.thrPending = false;
    this.lsr &= ~(LSR_THR_EMPTY | LSR_EMPTY);
    this.updateIrq();
    this.lsr |= LSR_THR_EMPTY;
    this.thrPending = true;
    this.updateIrq();
    const byte = Uint8Array.of(value);
    if (this.mcr & MCR_LOOP) this.receive(byte);
    else this.backend.write(byte);
    this.lsr |= LSR_EMPTY;
  }

  private writeIer(value: number): void {
    const changed = this.ier ^ value;
    if (changed === 0) return;
    this.ier = value;
    // Enabling the interrupt while the transmitter is empty raises it, even when it was acknowledged before (Windows relies on it).
    if (changed & IER_THR_EMPTY) this.thrPending = (value & IER_THR_EMPTY) !== 0 && (this.lsr & LSR_THR_EMPTY) !== 0;
    this.updateIrq();
  }

  private writeFcr(written: number): void {
    const toggled = (written ^ this.fcr) & FCR_ENABLE;
    const value = toggled ? written | FCR_RESET_RECEIVER | FCR_RESET_TRANSMITTER : written;
    if (value & FCR_RESET_RECEIVER) {
      this.lsr &= ~(LSR_READY | LSR_BREAK);
      this.timeout.cancel();
      this.timeoutPending = false;
      this.received.length = 0;
    }
    if (value & FCR_RESET_TRANSMITTER) {
      this.lsr |= LSR_THR_EMPTY;
      this.thrPending = true;
    }
    this.fcr = value & FCR_STICKY;
    if (this.fifoEnabled) {
      this.iir |= IIR_FIFO;
      this.triggerLevel = TRIGGER_LEVELS[value >> 6]!;
    } else this.iir &= ~IIR_FIFO;
    this.updateIrq();
  }
}
