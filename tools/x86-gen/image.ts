import { CODE_START, CODE_WINDOW, FX_BYTES, type Outcome, type SegmentName, type TestCase, WINDOW_BYTES, WINDOWS } from './case.js';

/**
 * RAM of the judge machine: descriptor tables, page tables and cases, built here so that the ROM (runner.asm) is only a loop, and so
 * that our CPU can be given the same tables. Addresses are shared with runner.asm.
 */
export const RAM_BYTES = 128 << 20;
export const GDT = 0x1000;
export const IDT = 0x2000;
export const TSS = 0x3000;
export const PAGE_DIRECTORY = 0x4000;
const FIRST_PAGE_TABLE = 0x200000;
/** Linear and physical address of the code window; segment base of the 16-bit code segment is CODE - 0x800. */
export const CODE = 0x310800;
export const CODE16_BASE = 0x310000;
/** Base of the 16-bit data and stack segments: the windows lie at offsets 0xf80, 0x1f80 and 0x3000. */
export const DATA16_BASE = 0x300000;
/** Base of segment `based`. */
export const BASED_BASE = 0x12340;
/** Parameter block: number of cases, address of the first. */
const PARAMETERS = 0x500;
const CASES = 0x400000;
/** In: 128 bytes header, code window, windows. Out: 64 bytes header, windows. */
export const IN_BYTES = 128 + CODE_WINDOW + WINDOW_BYTES;
export const OUT_BYTES = 64 + WINDOW_BYTES;

/** GDT index by use. */
export const SELECTOR = {
  flat: 0x23,
  data16: 0x33,
  based: 0x3b,
  code32: 0x1b,
  code16: 0x2b,
  stack16: 0x33,
} as const;

export const SEGMENT_BASE: Readonly<Record<SegmentName, number>> = { flat: 0, data16: DATA16_BASE, based: BASED_BASE };

function descriptor(dv: DataView, index: number, base: number, limit: number, access: number, flags: number): void {
  const at = GDT + index * 8;
  dv.setUint32(at, ((base & 0xffff) << 16) | (limit & 0xffff), true);
  dv.setUint32(at + 4, (base & 0xff000000) | (flags << 20) | (limit & 0xf0000) | (access << 8) | ((base >>> 16) & 0xff), true);
}

/** Writes descriptor tables, TSS and page tables. `handlers` is the linear address of the ROM's 32 exception stubs, 16 bytes each. */
export function writeTables(ram: Uint8Array, handlers: number): void {
  const dv = new DataView(ram.buffer, ram.byteOffset);
  descriptor(dv, 1, 0, 0xfffff, 0x9b, 0xc);
  descriptor(dv, 2, 0, 0xfffff, 0x93, 0xc);
  descriptor(dv, 3, 0, 0xfffff, 0xfb, 0xc);
  descriptor(dv, 4, 0, 0xfffff, 0xf3, 0xc);
  descriptor(dv, 5, CODE16_BASE, 0xffff, 0xfb, 0);
  descriptor(dv, 6, DATA16_BASE, 0xffff, 0xf3, 0);
  descriptor(dv, 7, BASED_BASE, 0xfffff, 0xf3, 0xc);
  descriptor(dv, 8, TSS, 0x67, 0x89, 0);
  for (let vector = 0; vector < 32; vector++) {
    const at = IDT + vector * 8;
    const handler = handlers + vector * 16;
    dv.setUint32(at, (0x08 << 16) | (handler & 0xffff), true);
    // INT3 and INTO may be called from CPL 3.
    dv.setUint32(at + 4, (handler & 0xffff0000) | (vector === 3 || vector === 4 ? 0xee00 : 0x8e00), true);
  }
  dv.setUint32(TSS + 4, 0x9f000, true);
  dv.setUint32(TSS + 8, 0x10, true);
  dv.setUint16(TSS + 0x66, 0x68, true);
  for (let n = 0; n < RAM_BYTES >>> 22; n++) {
    const table = FIRST_PAGE_TABLE + n * 0x1000;
    dv.setUint32(PAGE_DIRECTORY + 4 * n, table | 7, true);
    for (let k = 0; k < 1024; k++) dv.setUint32(table + 4 * k, ((n << 22) | (k << 12)) + 3, true);
  }
  // CPL 3 sees the windows' pages and the code, nothing else: stray accesses fault instead of reading what only one side has there.
  const user = (laddr: number, flags: number): void =>
    dv.setUint32(FIRST_PAGE_TABLE + (laddr >>> 12) * 4, flags === 0 ? 0 : laddr | flags, true);
  user(0x300000, 7);
  user(0x301000, 7);
  user(0x302000, 0);
  user(0x303000, 5);
  user(CODE & ~0xfff, 5);
  // Whoever jumps astray in the code page ends there too.
  ram.fill(0xcc, CODE & ~0xfff, (CODE & ~0xfff) + 0x1000);
}

/** The code window of a case: its code between INT3s. */
export function codeWindow(c: TestCase): Uint8Array {
  const window = new Uint8Array(CODE_WINDOW).fill(0xcc);
  window.set(c.code, CODE_START);
  return window;
}

export function codeSelector(c: TestCase): number {
  return c.mode === 'cs32' || c.mode === 'cs32ss16' ? SELECTOR.code32 : SELECTOR.code16;
}

export function stackSelector(c: TestCase): number {
  return c.mode === 'cs32' || c.mode === 'cs16ss32' ? SELECTOR.flat : SELECTOR.stack16;
}

/** EIP of the first byte of the code window. */
export function codeOffset(c: TestCase): number {
  return codeSelector(c) === SELECTOR.code32 ? CODE : CODE - CODE16_BASE;
}

/** Where each case's record and result lie. */
export class Layout {
  private readonly count: number;
  private readonly fxFirst: number;

  constructor(cases: readonly TestCase[]) {
    this.count = cases.length;
    this.fxFirst = (CASES + this.count * (IN_BYTES + OUT_BYTES) + 63) & ~63;
    if (this.fxFirst + this.count * 2 * FX_BYTES > RAM_BYTES)
      throw new RangeError(`${cases.length} cases do not fit into the judge's memory`);
  }

  input(n: number): number {
    return CASES + n * IN_BYTES;
  }

  output(n: number): number {
    return CASES + this.count * IN_BYTES + n * OUT_BYTES;
  }

  fxInput(n: number): number {
    return this.fxFirst + n * 2 * FX_BYTES;
  }

  fxOutput(n: number): number {
    return this.fxInput(n) + FX_BYTES;
  }
}

/** Most cases one run can hold. */
export const MOST_CASES = Math.floor((RAM_BYTES - CASES - 64) / (IN_BYTES + OUT_BYTES + 2 * FX_BYTES));

/** Writes all cases. Header words are named in runner.asm. */
export function writeCases(ram: Uint8Array, cases: readonly TestCase[]): Layout {
  const dv = new DataView(ram.buffer, ram.byteOffset);
  const layout = new Layout(cases);
  dv.setUint32(PARAMETERS, cases.length, true);
  dv.setUint32(PARAMETERS + 4, layout.input(0), true);
  dv.setUint32(PARAMETERS + 8, layout.output(0), true);
  cases.forEach((c, n) => {
    const at = layout.input(n);
    for (let k = 0; k < 8; k++) dv.setInt32(at + 4 * k, c.regs[k]!, true);
    dv.setUint32(at + 32, c.eflags, true);
    dv.setUint32(at + 36, codeOffset(c) + CODE_START, true);
    dv.setUint32(at + 40, codeSelector(c), true);
    dv.setUint32(at + 44, stackSelector(c), true);
    c.segments.forEach((s, k) => {
      dv.setUint32(at + 48 + 4 * k, SELECTOR[s], true);
    });
    dv.setUint32(at + 64, c.fx === null ? 0 : layout.fxInput(n), true);
    dv.setUint32(at + 68, c.fx === null ? 0 : layout.fxOutput(n), true);
    ram.set(codeWindow(c), at + 128);
    ram.set(c.memory, at + 128 + CODE_WINDOW);
    if (c.fx !== null) ram.set(c.fx, layout.fxInput(n));
  });
  return layout;
}

/** Reads a result as runner.asm left it. */
export function readOutcome(ram: Uint8Array, c: TestCase, layout: Layout, n: number): Outcome {
  const dv = new DataView(ram.buffer, ram.byteOffset);
  const at = layout.output(n);
  const regs = new Int32Array(8);
  for (let k = 0; k < 8; k++) regs[k] = dv.getInt32(at + 4 * k, true);
  const vector = dv.getUint32(at + 40, true);
  return {
    regs,
    eflags: comparableFlags(dv.getUint32(at + 32, true)),
    eip: (dv.getUint32(at + 36, true) - codeOffset(c) - (vector === 3 ? 1 : 0)) | 0,
    vector,
    errorCode: dv.getUint32(at + 44, true),
    cr2: vector === 14 ? dv.getInt32(at + 48, true) : 0,
    memory: ram.slice(at + 64, at + 64 + WINDOW_BYTES),
    fx: c.fx === null ? null : ram.slice(layout.fxOutput(n), layout.fxOutput(n) + FX_BYTES),
  };
}

/** Without RF, which is the exception delivery's, and VIF and VIP, which the ROM's IRET cannot clear again. */
export function comparableFlags(eflags: number): number {
  return eflags & ~0x190000;
}

/** Writes the windows' contents to where they belong; the rest of the first two pages is cleared, so that no case sees another's traces. */
export function writeWindows(ram: Uint8Array, memory: Uint8Array): void {
  let at = 0;
  ram.fill(0, 0x300000, 0x302000);
  for (const { address, bytes } of WINDOWS) {
    ram.set(memory.subarray(at, at + bytes), address);
    at += bytes;
  }
}

export function readWindows(ram: Uint8Array): Uint8Array {
  const memory = new Uint8Array(WINDOW_BYTES);
  let at = 0;
  for (const { address, bytes } of WINDOWS) {
    memory.set(ram.subarray(address, address + bytes), at);
    at += bytes;
  }
  return memory;
}
