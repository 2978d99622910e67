import type { AccessSize, DmaMemory, IoHandlers } from '../core/bus.js';
import { InvariantError } from '../core/errors.js';

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
const PAGES = 1 << 20;

/** readPage/writePage value: not backed by memory; go through the MMIO regions. */
export const NOT_MEMORY = -1;

/** dirtyPage value: not written since the marks were cleared, and a checkpoint that was made then still has to copy it. */
export const OWED = 2;

interface MmioRegion {
  readonly base: number;
  readonly length: number;
  readonly io: IoHandlers;
  /** Higher wins where regions overlap. */
  readonly priority: number;
}

/** A stretch of backing memory, in bytes, and what it is for. */
export interface MemoryArea {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The 4 GiB guest-physical address space, page by page. All memory (RAM, ROM, video RAM) lives in one backing buffer,
 * so that generated code needs one DataView: readPage/writePage give the backing page number of each guest-physical page.
 */
export class PhysicalMemory implements DmaMemory {
  /** Shared, so that other threads can look at it while the machine stands. */
  readonly buffer: SharedArrayBuffer;
  readonly u8: Uint8Array<SharedArrayBuffer>;
  readonly dv: DataView;
  /** Backing page number for reads of a guest-physical page, or NOT_MEMORY. */
  readonly readPage = new Int32Array(PAGES).fill(NOT_MEMORY);
  /** Backing page number for writes, or NOT_MEMORY (device or ROM: writes go to MMIO or are dropped). */
  readonly writePage = new Int32Array(PAGES).fill(NOT_MEMORY);
  /** By backing page: 1 where translated or decoded code lives; the CPU owns the marks. */
  readonly codePage: Uint8Array;
  /**
   * By backing page: 1 when it was written since the marks were last cleared (or may have been), else 0, or OWED. In a new memory, which is all zeros, none is marked. Whoever writes
   * marks the page before (`markWritten`); for the CPU's fast paths, see `watchWrites` in jit/x86/mmu.ts.
   */
  readonly dirtyPage: Uint8Array;
  /** A page that is OWED is about to be written: the last time to copy what it is. Backing page number. */
  onOwedWrite: ((backingPage: number) => void) | null = null;
  /** The map changed: cached translations are stale. */
  onRemap: (() => void) | null = null;
  /** A page with codePage set is about to be written by somebody other than the CPU (DMA). Backing page number. */
  onCodeWrite: ((backingPage: number) => void) | null = null;
  private readonly regions: MmioRegion[] = [];
  private readonly areas: MemoryArea[] = [];
  private used = 0;

  /** @param capacityBytes all memory of the machine together: RAM + ROMs + video RAM; rounded up to pages. */
  constructor(capacityBytes: number) {
    const size = Math.ceil(capacityBytes / PAGE_SIZE) * PAGE_SIZE;
    this.buffer = new SharedArrayBuffer(size);
    this.u8 = new Uint8Array(this.buffer);
    this.dv = new DataView(this.buffer);
    this.codePage = new Uint8Array(size >>> PAGE_SHIFT);
    this.dirtyPage = new Uint8Array(size >>> PAGE_SHIFT);
  }

  /** Takes `bytes` (page multiple) of backing memory; returns its byte offset in `buffer`. */
  allocate(bytes: number, name = 'memory'): number {
    const offset = this.used;
    this.areas.push({ name, offset, bytes });
    this.used += Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
    if (this.used > this.u8.length) throw new InvariantError(`physical memory exhausted: ${this.used} of ${this.u8.length} bytes`);
    return offset;
  }

  /** Puts the contents of a ROM into backing memory, at a byte offset in `buffer`. */
  install(offset: number, image: Uint8Array): void {
    for (let page = offset >>> PAGE_SHIFT; page * PAGE_SIZE < offset + image.length; page++) this.noteWrite(page);
    this.u8.set(image, offset);
  }

  /** What a backing page was allocated for; null when it was not. */
  areaOf(backingPage: number): MemoryArea | null {
    const at = backingPage * PAGE_SIZE;
    return this.areas.find(({ offset, bytes }) => at >= offset && at < offset + bytes) ?? null;
  }

  /** Where device registers are, seen or hidden by memory. */
  get ioRegions(): { readonly base: number; readonly length: number; readonly name: string }[] {
    return this.regions.map(({ base, length, io }) => ({ base, length, name: io.name }));
  }

  /** Backs guest-physical [paddr, paddr+length) with buffer bytes from `offset`. All page multiples. Give null to leave one direction unbacked. */
  map(paddr: number, length: number, readOffset: number | null, writeOffset: number | null): void {
    const first = paddr >>> PAGE_SHIFT;
    const count = length / PAGE_SIZE;
    for (let i = 0; i < count; i++) {
      this.readPage[first + i] = readOffset === null ? NOT_MEMORY : (readOffset / PAGE_SIZE + i) | 0;
      this.writePage[first + i] = writeOffset === null ? NOT_MEMORY : (writeOffset / PAGE_SIZE + i) | 0;
    }
    this.onRemap?.();
  }

  /** Puts device registers at [base, base+length). They are seen wherever the page is not backed by memory. */
  mapIo(base: number, length: number, io: IoHandlers, priority = 0): { unmap(): void } {
    const region = { base, length, io, priority };
    this.regions.push(region);
    this.regions.sort((a, b) => b.priority - a.priority);
    this.onRemap?.();
    return {
      unmap: () => {
        const at = this.regions.indexOf(region);
        if (at >= 0) this.regions.splice(at, 1);
        this.onRemap?.();
      },
    };
  }

  private regionAt(paddr: number): MmioRegion | null {
    for (const r of this.regions) if (paddr >= r.base && paddr - r.base < r.length) return r;
    return null;
  }

  /** Reads 1, 2 or 4 bytes inside one page; unsigned. */
  read(paddr: number, size: AccessSize): number {
    const page = this.readPage[paddr >>> PAGE_SHIFT]!;
    if (page !== NOT_MEMORY) {
      const at = page * PAGE_SIZE + (paddr & 0xfff);
      return size === 1 ? this.u8[at]! : size === 2 ? this.dv.getUint16(at, true) : this.dv.getUint32(at, true);
    }
    return this.readIo(paddr >>> 0, size);
  }

  /** Writes 1, 2 or 4 bytes inside one page. ROM and holes ignore it. */
  write(paddr: number, value: number, size: AccessSize): void {
    const page = this.writePage[paddr >>> PAGE_SHIFT]!;
    if (page === NOT_MEMORY) {
      this.writeIo(paddr >>> 0, value >>> 0, size);
      return;
    }
    this.noteWrite(page);
    const at = page * PAGE_SIZE + (paddr & 0xfff);
    if (size === 1) this.u8[at] = value;
    else if (size === 2) this.dv.setUint16(at, value, true);
    else this.dv.setInt32(at, value | 0, true);
  }

  /** A backing page is about to be written. */
  markWritten(page: number): void {
    if (this.dirtyPage[page] === OWED) this.onOwedWrite?.(page);
    this.dirtyPage[page] = 1;
  }

  /** Somebody other than the CPU is about to write to a backing page. */
  noteWrite(page: number): void {
    this.markWritten(page);
    if (this.codePage[page] !== 0) this.onCodeWrite?.(page);
  }

  private readIo(paddr: number, size: AccessSize): number {
    const region = this.regionAt(paddr);
    if (region === null) return 0;
    return splitRead(region.io, paddr - region.base, size);
  }

  private writeIo(paddr: number, value: number, size: AccessSize): void {
    // ROM: readable memory whose writes are dropped unless a device claims them.
    const region = this.regionAt(paddr);
    if (region !== null) splitWrite(region.io, paddr - region.base, value, size);
  }

  readBytes(paddr: number, target: Uint8Array): void {
    for (let i = 0; i < target.length; ) {
      const at = (paddr + i) >>> 0;
      const n = Math.min(target.length - i, PAGE_SIZE - (at & 0xfff));
      const page = this.readPage[at >>> PAGE_SHIFT]!;
      if (page !== NOT_MEMORY) {
        const from = page * PAGE_SIZE + (at & 0xfff);
        target.set(this.u8.subarray(from, from + n), i);
      } else for (let k = 0; k < n; k++) target[i + k] = this.readIo(at + k, 1);
      i += n;
    }
  }

  writeBytes(paddr: number, source: Uint8Array): void {
    for (let i = 0; i < source.length; ) {
      const at = (paddr + i) >>> 0;
      const n = Math.min(source.length - i, PAGE_SIZE - (at & 0xfff));
      const page = this.writePage[at >>> PAGE_SHIFT]!;
      if (page !== NOT_MEMORY) {
        this.noteWrite(page);
        this.u8.set(source.subarray(i, i + n), page * PAGE_SIZE + (at & 0xfff));
      } else for (let k = 0; k < n; k++) this.writeIo(at + k, source[i + k]!, 1);
      i += n;
    }
  }
}

/** Reads through a device's declared access widths. */
export function splitRead(io: IoHandlers, offset: number, size: AccessSize): number {
  const max = io.maxSize ?? 4;
  const min = io.minSize ?? 1;
  if (size < min) return io.read(offset, min) & (size === 1 ? 0xff : 0xffff);
  if (size <= max) return io.read(offset, size) >>> 0;
  let value = 0;
  for (let i = 0; i < size; i += max) value |= io.read(offset + i, max) << (i * 8);
  return value >>> 0;
}

/** Writes through a device's declared access widths. */
export function splitWrite(io: IoHandlers, offset: number, value: number, size: AccessSize): void {
  const max = io.maxSize ?? 4;
  const min = io.minSize ?? 1;
  if (size <= max) {
    io.write(offset, value, size < min ? min : size);
    return;
  }
  const mask = max === 1 ? 0xff : 0xffff;
  for (let i = 0; i < size; i += max) io.write(offset + i, (value >>> (i * 8)) & mask, max);
}
