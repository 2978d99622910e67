import type { PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { PAGE_SHIFT, type PhysicalMemory } from '../../src/memory/physical.js';
import type { PcMemoryMap } from '../pci/pc-memory-map.js';
import { DISPI, VbeDispi } from './vbe-dispi.js';
import { readWindow, writeWindow } from './vga-memory.js';
import { mapVgaPorts } from './vga-ports.js';
import { CHAIN_4, CR, GR, SR } from './vga-registers.js';

/** Bits that exist in the sequencer and graphics registers. */
const SR_MASKS = [0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff] as const;
const GR_MASKS = [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0, 0, 0, 0, 0, 0, 0] as const;
/** Attribute registers 0x10-0x14: mode, overscan, plane enable, panning, colour page; 0 to 0x0f are the palette. */
const AR_MASKS = [0xef, 0xff, 0x3f, 0x0f, 0x0f] as const;
const AR_COUNT = 0x15;

const ALL_PLANES = 0x0f;
const GRAPHICS = 1;
const CR_PROTECT = 0x80;
const MISC_COLOR = 1;
const VERTICAL_RETRACE = 0x08;
const DISPLAY_DISABLED = 0x01;

const WINDOW_BASE = 0xa0000;
const WINDOW_BYTES = 0x20000;
/** Where the window can be shown as plain memory, by graphics register 6 bits 2-3: address and length. */
const LINEAR_WINDOWS = [
  [0xa0000, 0x20000],
  [0xa0000, 0x10000],
  [0xb0000, 0x8000],
  [0xb8000, 0x8000],
] as const;

export interface VgaOptions {
  readonly ports: PortSpace;
  readonly memory: PhysicalMemory;
  readonly map: PcMemoryMap;
  /** Video memory: byte offset in the backing buffer and size (a power of two). */
  readonly vramOffset: number;
  readonly vramBytes: number;
}

/**
 * VGA with the Bochs display interface (IBM VGA technical reference; FreeVGA). As QEMU: each read of input status 1 toggles retrace and
 * display enable.
 */
export class Vga implements Device {
  readonly schema: StateSchema = {
    name: 'vga',
    version: 1,
    fields: {
      srIndex: 'u8',
      sr: 'bytes',
      srVbe: 'bytes',
      grIndex: 'u8',
      gr: 'bytes',
      arIndex: 'u8',
      ar: 'bytes',
      arDataNext: 'bool',
      crIndex: 'u8',
      cr: 'bytes',
      misc: 'u8',
      feature: 'u8',
      status1: 'u8',
      dacState: 'u8',
      dacSubIndex: 'u8',
      dacReadIndex: 'u8',
      dacWriteIndex: 'u8',
      dacCache: 'bytes',
      palette: 'bytes',
      latch: 'i32',
      vbe: 'part',
    },
  };
  srIndex = 0;
  readonly sr = new Uint8Array(8);
  /** Sequencer bits that a VBE mode sets, in force instead of `sr` meanwhile. */
  readonly srVbe = new Uint8Array(8);
  grIndex = 0;
  readonly gr = new Uint8Array(16);
  arIndex = 0;
  readonly ar = new Uint8Array(AR_COUNT);
  /** The next write to port 0x3c0 is data. */
  arDataNext = false;
  crIndex = 0;
  readonly cr = new Uint8Array(256);
  misc = 0;
  feature = 0;
  status1 = 0;
  dacState = 0;
  dacSubIndex = 0;
  dacReadIndex = 0;
  dacWriteIndex = 0;
  readonly dacCache = new Uint8Array(3);
  readonly palette = new Uint8Array(768);
  /** The four latches, plane 0 in the low byte. */
  latch = 0;
  readonly vbe: VbeDispi;
  readonly vramBytes: number;
  readonly vramOffset: number;
  private readonly memory: PhysicalMemory;
  private readonly map: PcMemoryMap;
  private linear: { base: number; length: number; offset: number; unmap(): void } | null = null;

  constructor(options: VgaOptions) {
    this.memory = options.memory;
    this.map = options.map;
    this.vramOffset = options.vramOffset;
    this.vramBytes = options.vramBytes;
    this.vbe = new VbeDispi({
      vramBytes: options.vramBytes,
      modeChanged: () => this.followVbe(),
      windowChanged: () => this.updateWindow(),
      clear: (length) => this.clearVram(length),
    });
    mapVgaPorts(this, options.ports);
    options.map.addPciRegion(WINDOW_BASE, WINDOW_BYTES, null, null);
    options.memory.mapIo(WINDOW_BASE, WINDOW_BYTES, {
      name: 'vga-window',
      maxSize: 1,
      read: (offset) => readWindow(this, offset),
      write: (offset, value) => writeWindow(this, offset, value),
    });
  }

  reset(): void {
    for (const registers of [this.sr, this.srVbe, this.gr, this.ar, this.cr, this.dacCache, this.palette]) registers.fill(0);
    this.srIndex = 0;
    this.grIndex = 0;
    this.arIndex = 0;
    this.arDataNext = false;
    this.crIndex = 0;
    this.misc = 0;
    this.feature = 0;
    this.status1 = 0;
    this.dacState = 0;
    this.dacSubIndex = 0;
    this.dacReadIndex = 0;
    this.dacWriteIndex = 0;
    this.vbe.reset();
    this.updateWindow();
  }

  afterRestore(): void {
    this.updateWindow();
  }

  /** A sequencer register as it is in force. */
  sequencer(index: number): number {
    return this.vbe.enabled ? this.srVbe[index]! : this.sr[index]!;
  }

  /** 0xff behind the end of video memory. */
  vramByte(at: number): number {
    return at < this.vramBytes ? this.memory.u8[this.vramOffset + at]! : 0xff;
  }

  setVramByte(at: number, value: number): void {
    if (at >= this.vramBytes) return;
    this.memory.noteWrite((this.vramOffset + at) >>> PAGE_SHIFT);
    this.memory.u8[this.vramOffset + at] = value;
  }

  vramDword(at: number): number {
    return this.memory.dv.getInt32(this.vramOffset + at, true);
  }

  setVramDword(at: number, value: number): void {
    this.memory.noteWrite((this.vramOffset + at) >>> PAGE_SHIFT);
    this.memory.dv.setInt32(this.vramOffset + at, value, true);
  }

  private clearVram(length: number): void {
    for (let at = 0; at < length; at += 1 << PAGE_SHIFT) this.memory.noteWrite((this.vramOffset + at) >>> PAGE_SHIFT);
    this.memory.u8.fill(0, this.vramOffset, this.vramOffset + length);
  }

  /** The CRT controller answers at 0x3bx or 0x3dx only, as the miscellaneous register says. */
  private notDecoded(port: number): boolean {
    return port >> 4 === (this.misc & MISC_COLOR ? 0x3b : 0x3d);
  }

  /** Reads a register by its port. */
  readRegister(port: number): number {
    if (this.notDecoded(port)) return 0xff;
    switch (port) {
      case 0x3c0:
        return this.arDataNext ? 0 : this.arIndex;
      case 0x3c1:
        return this.ar[this.arIndex & 0x1f] ?? 0;
      case 0x3c4:
        return this.srIndex;
      case 0x3c5:
        return this.sr[this.srIndex]!;
      case 0x3c7:
        return this.dacState;
      case 0x3c8:
        return this.dacWriteIndex;
      case 0x3c9:
        return this.readPalette();
      case 0x3ca:
        return this.feature;
      case 0x3cc:
        return this.misc;
      case 0x3ce:
        return this.grIndex;
      case 0x3cf:
        return this.gr[this.grIndex]!;
      case 0x3b4:
      case 0x3d4:
        return this.crIndex;
      case 0x3b5:
      case 0x3d5:
        return this.cr[this.crIndex]!;
      case 0x3ba:
      case 0x3da:
        this.status1 ^= VERTICAL_RETRACE | DISPLAY_DISABLED;
        this.arDataNext = false;
        return this.status1;
      default:
        return 0;
    }
  }

  /** Writes a register by its port. */
  writeRegister(port: number, value: number): void {
    if (this.notDecoded(port)) return;
    switch (port) {
      case 0x3c0:
        if (this.arDataNext) this.writeAttribute(value);
        else this.arIndex = value & 0x3f;
        this.arDataNext = !this.arDataNext;
        return;
      case 0x3c2:
        this.misc = value & ~0x10;
        return;
      case 0x3c4:
        this.srIndex = value & 7;
        return;
      case 0x3c5:
        this.sr[this.srIndex] = value & SR_MASKS[this.srIndex]!;
        this.updateWindow();
        return;
      case 0x3c7:
        this.dacReadIndex = value;
        this.dacSubIndex = 0;
        this.dacState = 3;
        return;
      case 0x3c8:
        this.dacWriteIndex = value;
        this.dacSubIndex = 0;
        this.dacState = 0;
        return;
      case 0x3c9:
        this.writePalette(value);
        return;
      case 0x3ce:
        this.grIndex = value & 15;
        return;
      case 0x3cf:
        this.gr[this.grIndex] = value & GR_MASKS[this.grIndex]!;
        this.followVbe();
        this.updateWindow();
        return;
      case 0x3b4:
      case 0x3d4:
        this.crIndex = value;
        return;
      case 0x3b5:
      case 0x3d5:
        this.writeCrtc(value);
        return;
      case 0x3ba:
      case 0x3da:
        this.feature = value & 0x10;
    }
  }

  private writeAttribute(value: number): void {
    const index = this.arIndex & 0x1f;
    if (index < 0x10) this.ar[index] = value & 0x3f;
    else if (index < AR_COUNT) this.ar[index] = value & AR_MASKS[index - 0x10]!;
  }

  private readPalette(): number {
    const value = this.palette[this.dacReadIndex * 3 + this.dacSubIndex]!;
    if (++this.dacSubIndex === 3) {
      this.dacSubIndex = 0;
      this.dacReadIndex = (this.dacReadIndex + 1) & 0xff;
    }
    return value;
  }

  private writePalette(value: number): void {
    this.dacCache[this.dacSubIndex] = value;
    if (++this.dacSubIndex < 3) return;
    this.palette.set(this.dacCache, this.dacWriteIndex * 3);
    this.dacSubIndex = 0;
    this.dacWriteIndex = (this.dacWriteIndex + 1) & 0xff;
  }

  private writeCrtc(value: number): void {
    const { cr, crIndex } = this;
    if ((cr[CR.V_SYNC_END]! & CR_PROTECT) !== 0 && crIndex <= CR.OVERFLOW) {
      // Bit 8 of the line compare can always be written.
      if (crIndex !== CR.OVERFLOW) return;
      cr[CR.OVERFLOW] = (cr[CR.OVERFLOW]! & ~0x10) | (value & 0x10);
    } else cr[crIndex] = value;
    this.followVbe();
  }

  /** While a VBE mode is on, the VGA registers say what it is. */
  private followVbe(): void {
    if (!this.vbe.enabled) return;
    const { cr, gr, srVbe } = this;
    const { registers } = this.vbe;
    gr[GR.MISC] = (gr[GR.MISC]! & ~0x0c) | 0x04 | GRAPHICS;
    cr[CR.MODE]! |= 3;
    cr[CR.OFFSET] = this.vbe.lineOffset >>> 3;
    cr[CR.H_DISPLAY_END] = (registers[DISPI.XRES]! >> 3) - 1;
    const last = registers[DISPI.YRES]! - 1;
    cr[CR.V_DISPLAY_END] = last;
    cr[CR.OVERFLOW] = (cr[CR.OVERFLOW]! & ~0x42) | ((last >> 7) & 0x02) | ((last >> 3) & 0x40) | 0x10;
    cr[CR.LINE_COMPARE] = 0xff;
    cr[CR.MAX_SCAN] = (cr[CR.MAX_SCAN]! | 0x40) & ~0x9f;
    const planar = registers[DISPI.BPP] === 4;
    if (planar) srVbe[SR.CLOCKING]! &= ~8;
    else {
      srVbe[SR.MEMORY_MODE]! |= CHAIN_4;
      srVbe[SR.MAP_MASK]! |= ALL_PLANES;
    }
    gr[GR.MODE] = (gr[GR.MODE]! & ~0x60) | (planar ? 0 : 0x40);
  }

  /** Chained with all planes on, the window is plain memory. */
  private updateWindow(): void {
    const plain = (this.sequencer(SR.MAP_MASK) & ALL_PLANES) === ALL_PLANES && (this.sequencer(SR.MEMORY_MODE) & CHAIN_4) !== 0;
    const mode = (this.gr[GR.MISC]! >> 2) & 3;
    const [base, length] = LINEAR_WINDOWS[mode]!;
    const offset = this.vramOffset + (mode === 1 ? this.vbe.bankOffset : 0);
    const now = this.linear;
    if (plain && now !== null && now.base === base && now.length === length && now.offset === offset) return;
    now?.unmap();
    this.linear = plain ? { base, length, offset, ...this.map.addPciRegion(base, length, offset, offset, 2) } : null;
  }
}
