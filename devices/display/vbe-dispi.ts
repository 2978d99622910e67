import type { StatefulPart, StateSchema } from '../../src/core/state.js';

/** Register numbers of the Bochs display interface (Bochs "VBE extensions", vbe.h). */
export const DISPI = {
  ID: 0,
  XRES: 1,
  YRES: 2,
  BPP: 3,
  ENABLE: 4,
  BANK: 5,
  VIRT_WIDTH: 6,
  VIRT_HEIGHT: 7,
  X_OFFSET: 8,
  Y_OFFSET: 9,
  VIDEO_MEMORY_64K: 10,
} as const;

const REGISTERS = 10;
const ID_FIRST = 0xb0c0;
const ID_LAST = 0xb0c5;
const ENABLED = 0x01;
const GET_CAPABILITIES = 0x02;
const DAC_8_BIT = 0x20;
const NO_CLEAR = 0x80;
const MAX_XRES = 16000;
const MAX_YRES = 12000;
const MAX_BPP = 32;
const DEPTHS: readonly number[] = [4, 8, 15, 16, 24, 32];

/** What the interface does to the rest of the display. */
export interface DispiHost {
  readonly vramBytes: number;
  /** A mode is set or changed: the VGA registers follow. */
  modeChanged(): void;
  /** The window at 0xa0000 must be mapped anew. */
  windowChanged(): void;
  /** Clears this many bytes of video memory. */
  clear(lengthBytes: number): void;
}

/** The Bochs display interface: linear modes of any size in a few 16-bit registers. */
export class VbeDispi implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'vbe-dispi',
    version: 1,
    fields: { index: 'u16', registers: 'i32s', startAddress: 'u32', lineOffset: 'u32', bankOffset: 'u32', dac8Bit: 'bool' },
  };
  index = 0;
  readonly registers = new Int32Array(REGISTERS);
  /** Start of the picture in units of 4 bytes. */
  startAddress = 0;
  /** Bytes from line to line. */
  lineOffset = 0;
  /** Start of the window at 0xa0000 in video memory, bytes. */
  bankOffset = 0;
  /** The palette holds 8 bits a colour instead of 6. */
  dac8Bit = false;
  private readonly host: DispiHost;

  constructor(host: DispiHost) {
    this.host = host;
    this.reset();
  }

  reset(): void {
    this.index = 0;
    this.registers.fill(0);
    this.registers[DISPI.ID] = ID_LAST;
    this.startAddress = 0;
    this.lineOffset = 0;
    this.bankOffset = 0;
    this.dac8Bit = false;
  }

  get enabled(): boolean {
    return (this.registers[DISPI.ENABLE]! & ENABLED) !== 0;
  }

  read(): number {
    if (this.index === DISPI.VIDEO_MEMORY_64K) return this.host.vramBytes >>> 16;
    if (this.index >= REGISTERS) return 0;
    if (this.registers[DISPI.ENABLE]! & GET_CAPABILITIES) {
      if (this.index === DISPI.XRES) return MAX_XRES;
      if (this.index === DISPI.YRES) return MAX_YRES;
      if (this.index === DISPI.BPP) return MAX_BPP;
    }
    return this.registers[this.index]!;
  }

  write(value: number): void {
    switch (this.index) {
      case DISPI.ID:
        if (value >= ID_FIRST && value <= ID_LAST) this.registers[DISPI.ID] = value;
        return;
      case DISPI.XRES:
      case DISPI.YRES:
      case DISPI.BPP:
      case DISPI.VIRT_WIDTH:
      case DISPI.X_OFFSET:
      case DISPI.Y_OFFSET:
        this.registers[this.index] = value;
        this.changeMode();
        return;
      case DISPI.BANK:
        this.registers[DISPI.BANK] = value & ((this.host.vramBytes >>> 16) - 1);
        this.bankOffset = this.registers[DISPI.BANK]! << 16;
        this.host.windowChanged();
        return;
      case DISPI.ENABLE:
        this.writeEnable(value);
    }
  }

  private writeEnable(value: number): void {
    const r = this.registers;
    if ((value & ENABLED) !== 0 && !this.enabled) {
      r[DISPI.VIRT_WIDTH] = 0;
      r[DISPI.X_OFFSET] = 0;
      r[DISPI.Y_OFFSET] = 0;
      r[DISPI.ENABLE]! |= ENABLED;
      this.changeMode();
      if ((value & NO_CLEAR) === 0) this.host.clear(r[DISPI.YRES]! * this.lineOffset);
    } else this.bankOffset = 0;
    this.dac8Bit = (value & DAC_8_BIT) !== 0;
    r[DISPI.ENABLE] = value;
    this.host.windowChanged();
  }

  private changeMode(): void {
    if (!this.enabled) return;
    this.correctRegisters();
    this.host.modeChanged();
  }

  /** There are no errors: impossible values become the nearest possible ones. */
  private correctRegisters(): void {
    const r = this.registers;
    const memory = this.host.vramBytes;
    if (!DEPTHS.includes(r[DISPI.BPP]!)) r[DISPI.BPP] = 8;
    const bits = r[DISPI.BPP] === 15 ? 16 : r[DISPI.BPP]!;
    r[DISPI.XRES] = Math.min(MAX_XRES, r[DISPI.XRES]! & ~7 || 8);
    r[DISPI.VIRT_WIDTH] = Math.max(Math.min(MAX_XRES, r[DISPI.VIRT_WIDTH]! & ~7), r[DISPI.XRES]!);
    const line = (r[DISPI.VIRT_WIDTH]! * bits) >>> 3;
    const lines = Math.floor(memory / line);
    r[DISPI.YRES] = Math.min(Math.max(r[DISPI.YRES]!, 1), MAX_YRES, lines);
    r[DISPI.X_OFFSET] = Math.min(r[DISPI.X_OFFSET]!, MAX_XRES);
    r[DISPI.Y_OFFSET] = Math.min(r[DISPI.Y_OFFSET]!, MAX_YRES);
    const column = (r[DISPI.X_OFFSET]! * bits) >>> 3;
    if (column + (r[DISPI.Y_OFFSET]! + r[DISPI.YRES]!) * line > memory) r[DISPI.Y_OFFSET] = 0;
    if (column + (r[DISPI.Y_OFFSET]! + r[DISPI.YRES]!) * line > memory) r[DISPI.X_OFFSET] = 0;
    r[DISPI.VIRT_HEIGHT] = lines & 0xffff;
    this.lineOffset = line;
    this.startAddress = (((r[DISPI.X_OFFSET]! * bits) >>> 3) + r[DISPI.Y_OFFSET]! * line) >>> 2;
  }
}
