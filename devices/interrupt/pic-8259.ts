import type { IoHandlers, IrqLine, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';

/** Where one 8259A sits on the board. */
export interface Pic8259Options {
  readonly ports: PortSpace;
  /** Port of A0 = 0; A0 = 1 follows it. */
  readonly port: number;
  /** Port of the edge/level control register (ELCR, in the chipset). */
  readonly elcrPort: number;
  /** ELCR bits that exist: 0xf8 on the master, 0xde on the slave. */
  readonly elcrMask: number;
  readonly master: boolean;
  /** The INT pin. */
  readonly output: IrqLine;
}

/** Level of no request in `priorityOf`. */
const NONE = 8;

/** Bit positions after ICW2 in the initialisation sequence. */
const EXPECT_OCW1 = 0;
const EXPECT_ICW2 = 1;
const EXPECT_ICW3 = 2;
const EXPECT_ICW4 = 3;

/**
 * One 8259A interrupt controller with its ELCR half (Intel 8259A data sheet; ELCR: 82371SB data sheet).
 * ICW1's level bit has no effect: the ELCR decides. Cascading is the pair's business (pic-pair.ts).
 */
export class Pic8259 implements Device {
  readonly schema: StateSchema = {
    name: 'i8259',
    version: 1,
    fields: {
      lastIrr: 'u8',
      irr: 'u8',
      imr: 'u8',
      isr: 'u8',
      lowestPriority: 'u8',
      irqBase: 'u8',
      readIsr: 'bool',
      poll: 'bool',
      specialMask: 'bool',
      initState: 'u8',
      autoEoi: 'bool',
      rotateOnAutoEoi: 'bool',
      specialFullyNested: 'bool',
      icw4Needed: 'bool',
      single: 'bool',
      elcr: 'u8',
    },
  };
  /** Levels seen last, for edge detection. */
  lastIrr = 0;
  irr = 0;
  imr = 0;
  isr = 0;
  /** The line with the highest priority (0 unless rotated). */
  lowestPriority = 0;
  /** Vector of line 0 (ICW2). */
  irqBase = 0;
  readIsr = false;
  poll = false;
  specialMask = false;
  initState = EXPECT_OCW1;
  autoEoi = false;
  rotateOnAutoEoi = false;
  specialFullyNested = false;
  icw4Needed = false;
  single = false;
  elcr = 0;
  private readonly master: boolean;
  private readonly output: IrqLine;

  constructor(options: Pic8259Options) {
    this.master = options.master;
    this.output = options.output;
    const { elcrMask } = options;
    const registers: IoHandlers = {
      name: 'pic',
      maxSize: 1,
      read: (a0) => this.readRegister(a0),
      write: (a0, value) => (a0 === 0 ? this.writeCommand(value) : this.writeData(value)),
    };
    const elcr: IoHandlers = {
      name: 'elcr',
      maxSize: 1,
      read: () => this.elcr,
      write: (_offset, value) => {
        this.elcr = value & elcrMask;
      },
    };
    options.ports.map(options.port, 2, registers);
    options.ports.map(options.elcrPort, 1, elcr);
  }

  reset(): void {
    this.elcr = 0;
    this.initialize();
  }

  /** ICW1 and RESET; the ELCR and the levels it holds survive ICW1. */
  private initialize(): void {
    this.lastIrr = 0;
    this.irr &= this.elcr;
    this.imr = 0;
    this.isr = 0;
    this.lowestPriority = 0;
    this.irqBase = 0;
    this.readIsr = false;
    this.poll = false;
    this.specialMask = false;
    this.initState = EXPECT_OCW1;
    this.autoEoi = false;
    this.rotateOnAutoEoi = false;
    this.specialFullyNested = false;
    this.icw4Needed = false;
    this.single = false;
    this.update();
  }

  /** Input IR0 to IR7. */
  setLine(line: number, level: boolean): void {
    const bit = 1 << line;
    const levelTriggered = (this.elcr & bit) !== 0;
    if (level) {
      if (levelTriggered || (this.lastIrr & bit) === 0) this.irr |= bit;
      this.lastIrr |= bit;
    } else {
      if (levelTriggered) this.irr &= ~bit;
      this.lastIrr &= ~bit;
    }
    this.update();
  }

  /** The line to be served now, or -1. INT is high exactly when there is one. */
  wantedLine(): number {
    const wanted = this.priorityOf(this.irr & ~this.imr);
    if (wanted === NONE) return -1;
    let inService = this.isr;
    if (this.specialMask) inService &= ~this.imr;
    if (this.specialFullyNested && this.master) inService &= ~4;
    return wanted < this.priorityOf(inService) ? (wanted + this.lowestPriority) & 7 : -1;
  }

  /** INTA for `line`. */
  acknowledge(line: number): void {
    const bit = 1 << line;
    if (!this.autoEoi) this.isr |= bit;
    else if (this.rotateOnAutoEoi) this.lowestPriority = (line + 1) & 7;
    if ((this.elcr & bit) === 0) this.irr &= ~bit;
    this.update();
  }

  private update(): void {
    this.output.set(this.wantedLine() >= 0);
  }

  /** Highest priority (0) to lowest (7) among the lines in `mask`; NONE when empty. */
  private priorityOf(mask: number): number {
    if (mask === 0) return NONE;
    let priority = 0;
    while ((mask & (1 << ((priority + this.lowestPriority) & 7))) === 0) priority++;
    return priority;
  }

  private readRegister(a0: number): number {
    if (this.poll) return this.readPoll();
    if (a0 !== 0) return this.imr;
    return this.readIsr ? this.isr : this.irr;
  }

  private readPoll(): number {
    this.poll = false;
    const line = this.wantedLine();
    if (line < 0) return 0;
    this.acknowledge(line);
    return line | 0x80;
  }

  private writeCommand(value: number): void {
    if (value & 0x10) this.writeIcw1(value);
    else if (value & 0x08) this.writeOcw3(value);
    else this.writeOcw2(value);
  }

  private writeIcw1(value: number): void {
    this.initialize();
    this.initState = EXPECT_ICW2;
    this.icw4Needed = (value & 1) !== 0;
    this.single = (value & 2) !== 0;
  }

  private writeOcw3(value: number): void {
    if (value & 0x04) this.poll = true;
    if (value & 0x02) this.readIsr = (value & 1) !== 0;
    if (value & 0x40) this.specialMask = (value & 0x20) !== 0;
  }

  private writeOcw2(value: number): void {
    const rotate = (value & 0x80) !== 0;
    const named = value & 7;
    switch ((value >> 5) & 3) {
      case 0:
        this.rotateOnAutoEoi = rotate;
        return;
      case 1: {
        const priority = this.priorityOf(this.isr);
        if (priority !== NONE) this.endOfInterrupt((priority + this.lowestPriority) & 7, rotate);
        return;
      }
      case 2:
        if (!rotate) return;
        this.lowestPriority = (named + 1) & 7;
        this.update();
        return;
      default:
        this.endOfInterrupt(named, rotate);
    }
  }

  private endOfInterrupt(line: number, rotate: boolean): void {
    this.isr &= ~(1 << line);
    if (rotate) this.lowestPriority = (line + 1) & 7;
    this.update();
  }

  private writeData(value: number): void {
    switch (this.initState) {
      case EXPECT_ICW2:
        this.irqBase = value & 0xf8;
        if (!this.single) this.initState = EXPECT_ICW3;
        else this.initState = this.icw4Needed ? EXPECT_ICW4 : EXPECT_OCW1;
        return;
      case EXPECT_ICW3:
        this.initState = this.icw4Needed ? EXPECT_ICW4 : EXPECT_OCW1;
        return;
      case EXPECT_ICW4:
        this.specialFullyNested = (value & 0x10) !== 0;
        this.autoEoi = (value & 2) !== 0;
        this.initState = EXPECT_OCW1;
        return;
      default:
        this.imr = value & 0xff;
        this.update();
    }
  }
}
