import { NOT_MEMORY } from '../../src/memory/physical.js';
import type { Cpu } from './cpu.js';
import { breakpointOnPage, checkWatchpoints } from './debug-registers.js';
import { CR4_SMAP, EXECUTE, READ, translate, WRITE, walk } from './paging.js';
import { eachEntry } from './tlb-scan.js';
import { SLOT_SHIFT, SLOTS } from './watch-table.js';

export { storePhysical32 } from './paging.js';

/**
 * Accesses to linear memory through software TLBs: one Int32Array per kind of access, indexed by linear page number. An entry is
 * - backing address minus linear address of the page (low 12 bits 0): the fast path may be used;
 * - the same plus SLOW: mapped, but accesses must come here (code in the page, data breakpoint, page not yet marked as read or written);
 * - the same plus a slot: mapped, but a watcher wants to know of accesses to it; generated code may know from the WatchTable that it does not want to know of this one. Without such a table slots are few, so that the lowest byte tells;
 * - both;
 * - -1: unknown.
 * Accesses that cross a page fault before any byte is written. Reads are unsigned for 8 and 16 bits, int32 for 32 bits.
 */
export const SLOW = 1;
const SLOT = SLOTS << SLOT_SHIFT;
const GUARDS = SLOW | SLOT;
/** Of the low bits, those that only an unknown entry has. */
export const UNKNOWN = 0xfff & ~GUARDS;

export function load8(cpu: Cpu, laddr: number): number {
  const d = cpu.tlbRead[laddr >>> 12];
  if ((d & 0xfff) === 0) return cpu.dv.getUint8((d + laddr) >>> 0);
  return loadSlow(cpu, laddr, 1, cpu.cpl === 3);
}

export function load16(cpu: Cpu, laddr: number): number {
  const d = cpu.tlbRead[laddr >>> 12];
  if ((d & 0xfff) === 0 && (laddr & 0xfff) <= 0xffe) return cpu.dv.getUint16((d + laddr) >>> 0, true);
  return loadSlow(cpu, laddr, 2, cpu.cpl === 3);
}

export function load32(cpu: Cpu, laddr: number): number {
  const d = cpu.tlbRead[laddr >>> 12];
  if ((d & 0xfff) === 0 && (laddr & 0xfff) <= 0xffc) return cpu.dv.getInt32((d + laddr) >>> 0, true);
  return loadSlow(cpu, laddr, 4, cpu.cpl === 3);
}

export function store8(cpu: Cpu, laddr: number, value: number): void {
  const d = cpu.tlbWrite[laddr >>> 12];
  if ((d & 0xfff) === 0) cpu.dv.setUint8((d + laddr) >>> 0, value);
  else storeSlow(cpu, laddr, value, 1, cpu.cpl === 3);
}

export function store16(cpu: Cpu, laddr: number, value: number): void {
  const d = cpu.tlbWrite[laddr >>> 12];
  if ((d & 0xfff) === 0 && (laddr & 0xfff) <= 0xffe) cpu.dv.setUint16((d + laddr) >>> 0, value, true);
  else storeSlow(cpu, laddr, value, 2, cpu.cpl === 3);
}

export function store32(cpu: Cpu, laddr: number, value: number): void {
  const d = cpu.tlbWrite[laddr >>> 12];
  if ((d & 0xfff) === 0 && (laddr & 0xfff) <= 0xffc) cpu.dv.setInt32((d + laddr) >>> 0, value, true);
  else storeSlow(cpu, laddr, value, 4, cpu.cpl === 3);
}

// Supervisor accesses whatever the CPL: descriptor tables, TSS, stacks of interrupt frames.

export function loadSys8(cpu: Cpu, laddr: number): number {
  return loadSlow(cpu, laddr, 1, false);
}

export function loadSys16(cpu: Cpu, laddr: number): number {
  return loadSlow(cpu, laddr, 2, false);
}

export function loadSys32(cpu: Cpu, laddr: number): number {
  return loadSlow(cpu, laddr, 4, false);
}

export function storeSys8(cpu: Cpu, laddr: number, value: number): void {
  storeSlow(cpu, laddr, value, 1, false);
}

export function storeSys16(cpu: Cpu, laddr: number, value: number): void {
  storeSlow(cpu, laddr, value, 2, false);
}

export function storeSys32(cpu: Cpu, laddr: number, value: number): void {
  storeSlow(cpu, laddr, value, 4, false);
}

/** Makes sure that `size` bytes can be written with the current CPL; throws the store's #PF without writing. */
export function probeWrite(cpu: Cpu, laddr: number, size: number): void {
  const user = cpu.cpl === 3;
  resolveWrite(cpu, laddr, user);
  if ((laddr & 0xfff) + size > 0x1000) resolveWrite(cpu, (laddr + size) & ~0xfff, user);
}

/** Backing address of a linear one for reading; -1: device registers (then `mmioPaddr` has the physical address). */
export function resolveRead(cpu: Cpu, laddr: number, user: boolean): number {
  const tlb = user ? cpu.userRead : cpu.supervisorRead;
  const d = tlb[laddr >>> 12];
  if ((d & 0xfff) === 0) return (d + laddr) >>> 0;
  cpu.linearRead[laddr >>> 12] = 1;
  if ((d & UNKNOWN) === 0) {
    unmarkSlow(cpu, tlb, laddr);
    return ((d & ~GUARDS) + laddr) >>> 0;
  }
  const paddr = translate(cpu, laddr, READ, user);
  const page = paddr > 0xffffffff ? NOT_MEMORY : cpu.memory.readPage[paddr >>> 12];
  if (page === NOT_MEMORY) {
    mmioPaddr = paddr;
    return -1;
  }
  if (mayCache(cpu, user)) {
    const delta = ((page << 12) - (laddr & ~0xfff)) | 0;
    tlb[laddr >>> 12] = delta | guardsOf(cpu, laddr);
    noteFilled(cpu, laddr);
  }
  return page * 4096 + (laddr & 0xfff);
}

/** The same for writing. */
export function resolveWrite(cpu: Cpu, laddr: number, user: boolean): number {
  cpu.linearWritten[laddr >>> 12] = 1;
  const tlb = user ? cpu.userWrite : cpu.supervisorWrite;
  const d = tlb[laddr >>> 12];
  if ((d & UNKNOWN) === 0) {
    const at = ((d & ~GUARDS) + laddr) >>> 0;
    cpu.memory.markWritten(at >>> 12);
    return at;
  }
  const paddr = translate(cpu, laddr, WRITE, user);
  const page = paddr > 0xffffffff ? NOT_MEMORY : cpu.memory.writePage[paddr >>> 12];
  if (page === NOT_MEMORY) {
    mmioPaddr = paddr;
    return -1;
  }
  cpu.memory.markWritten(page);
  // Generated code that reads and writes back looks here once; what is read elsewhere (ROM under RAM) must not be found here.
  if (mayCache(cpu, user) && cpu.memory.readPage[paddr >>> 12] === page) {
    const delta = ((page << 12) - (laddr & ~0xfff)) | 0;
    const guards = guardsOf(cpu, laddr);
    tlb[laddr >>> 12] = delta | guards | (cpu.memory.codePage[page] !== 0 ? SLOW : 0);
    // What may be written may be read, so an interpreter that reads first does not walk where generated code would not.
    (user ? cpu.userRead : cpu.supervisorRead)[laddr >>> 12] = delta | guards;
    noteFilled(cpu, laddr);
    noteWriteMapped(cpu, page, laddr >>> 12);
  }
  return page * 4096 + (laddr & 0xfff);
}

function noteWriteMapped(cpu: Cpu, page: number, linearPage: number): void {
  const seen = cpu.writeMapped[page];
  if (seen !== linearPage + 1) cpu.writeMapped[page] = seen === 0 ? linearPage + 1 : -1;
}

/** Puts back an entry that one of the TLBs once had, for a backing page. Writes go the slow way the first time. */
export function mapPage(cpu: Cpu, tlb: Int32Array, linearPage: number, page: number): void {
  const write = tlb === cpu.supervisorWrite || tlb === cpu.userWrite;
  const execute = tlb === cpu.supervisorExecute || tlb === cpu.userExecute;
  const delta = ((page - linearPage) << 12) | 0;
  tlb[linearPage] = delta | (execute ? 0 : guardsOf(cpu, linearPage << 12)) | (write ? SLOW : 0);
  if (write) noteWriteMapped(cpu, page, linearPage);
  walk.large = false;
  noteFilled(cpu, linearPage << 12);
}

let mmioPaddr = 0;

/** With SMAP, what a supervisor may do to a user page depends on EFLAGS.AC: such pages are looked up every time. */
function mayCache(cpu: Cpu, user: boolean): boolean {
  return user || (cpu.cr4 & CR4_SMAP) === 0 || !walk.user;
}

function noteFilled(cpu: Cpu, laddr: number): void {
  if (walk.large) cpu.tlbHasLargePage = true;
  if (cpu.tlbFilledCount < cpu.tlbFilled.length) cpu.tlbFilled[cpu.tlbFilledCount] = laddr >>> 12;
  cpu.tlbFilledCount++;
  cpu.fastPaths++;
}

/** What an entry for a page has to have because of who watches it. */
function guardsOf(cpu: Cpu, laddr: number): number {
  return (breakpointOnPage(cpu, laddr) ? SLOW : 0) | ((cpu.watcher?.slotOf(laddr) ?? 0) << SLOT_SHIFT);
}

/** Whether several accesses in a row to the page of a TLB's entry may be made at once, unless a watcher wants to know of each; for the entries of two pages, joined by OR, too. */
export function mayBeBulk(d: number): boolean {
  return (d & (SLOW | UNKNOWN)) === 0;
}

/**
 * Backing address of several accesses in a row from a linear address on, all in its page; -1: they must be made one by one.
 * @param d the entry of the TLB, which `mayBeBulk`
 */
export function bulkAddress(cpu: Cpu, d: number, laddr: number, bytes: number, write: boolean): number {
  if ((d & SLOT) !== 0 && cpu.watcher?.accessedAll(laddr, bytes, write) === false) return -1;
  return ((d & ~SLOT) + laddr) >>> 0;
}

type Size = 1 | 2 | 4;

function loadSlow(cpu: Cpu, laddr: number, size: Size, user: boolean): number {
  if ((laddr & 0xfff) + size > 0x1000) return loadCrossing(cpu, laddr, size, user);
  const at = resolveRead(cpu, laddr, user);
  if (cpu.dr[7] & 0xff) checkWatchpoints(cpu, laddr, size, false);
  cpu.watcher?.accessed(cpu, laddr, size, false);
  if (at < 0) {
    cpu.breakBlock = true;
    const value = mmioPaddr > 0xffffffff ? 0 : cpu.memory.read(mmioPaddr, size);
    return size === 4 ? value | 0 : value;
  }
  return size === 1 ? cpu.dv.getUint8(at) : size === 2 ? cpu.dv.getUint16(at, true) : cpu.dv.getInt32(at, true);
}

/** Both pages are looked up, the first one first, before a byte is read. */
function loadCrossing(cpu: Cpu, laddr: number, size: Size, user: boolean): number {
  resolveRead(cpu, laddr, user);
  resolveRead(cpu, (laddr + size) & ~0xfff, user);
  let value = 0;
  for (let k = 0; k < size; k++) value |= loadSlow(cpu, (laddr + k) | 0, 1, user) << (8 * k);
  return value;
}

function storeSlow(cpu: Cpu, laddr: number, value: number, size: Size, user: boolean): void {
  if ((laddr & 0xfff) + size > 0x1000) {
    storeCrossing(cpu, laddr, value, size, user);
    return;
  }
  const at = resolveWrite(cpu, laddr, user);
  if (cpu.dr[7] & 0xff) checkWatchpoints(cpu, laddr, size, true);
  cpu.watcher?.accessed(cpu, laddr, size, true);
  if (at < 0) {
    cpu.breakBlock = true;
    const cut = size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
    if (mmioPaddr <= 0xffffffff) cpu.memory.write(mmioPaddr, cut, size);
    return;
  }
  if (cpu.memory.codePage[at >>> 12] !== 0) cpu.codeWatcher?.storeTo(at, size);
  else unmarkSlow(cpu, user ? cpu.userWrite : cpu.supervisorWrite, laddr);
  if (size === 1) cpu.dv.setUint8(at, value);
  else if (size === 2) cpu.dv.setUint16(at, value, true);
  else cpu.dv.setInt32(at, value, true);
}

/** A page that held code or a watchpoint no longer does, or is marked as read or written now: its fast path comes back. */
function unmarkSlow(cpu: Cpu, tlb: Int32Array, laddr: number): void {
  const d = tlb[laddr >>> 12];
  if ((d & UNKNOWN) !== 0) return;
  const guards = guardsOf(cpu, laddr);
  if (guards === (d & GUARDS)) return;
  tlb[laddr >>> 12] = (d & ~GUARDS) | guards;
  cpu.fastPaths++;
}

function storeCrossing(cpu: Cpu, laddr: number, value: number, size: Size, user: boolean): void {
  resolveWrite(cpu, laddr, user);
  resolveWrite(cpu, (laddr + size) & ~0xfff, user);
  for (let k = 0; k < size; k++) storeSlow(cpu, (laddr + k) | 0, (value >>> (8 * k)) & 0xff, 1, user);
}

/** Backing address of the code byte at a linear address; -1: it lies in device registers, read it with `fetchIo8`. */
export function resolveExecute(cpu: Cpu, laddr: number): number {
  const tlb = cpu.cpl === 3 ? cpu.userExecute : cpu.supervisorExecute;
  const d = tlb[laddr >>> 12];
  if ((d & 0xfff) === 0) return (d + laddr) >>> 0;
  const paddr = translate(cpu, laddr, EXECUTE, cpu.cpl === 3);
  const page = paddr > 0xffffffff ? NOT_MEMORY : cpu.memory.readPage[paddr >>> 12];
  if (page === NOT_MEMORY) {
    mmioPaddr = paddr;
    return -1;
  }
  tlb[laddr >>> 12] = ((page << 12) - (laddr & ~0xfff)) | 0;
  noteFilled(cpu, laddr);
  return page * 4096 + (laddr & 0xfff);
}

/** One code byte from device registers. */
export function fetchIo8(cpu: Cpu, laddr: number): number {
  const paddr = translate(cpu, laddr, EXECUTE, cpu.cpl === 3);
  return paddr > 0xffffffff ? 0 : cpu.memory.read(paddr, 1);
}

/** All mappings are forgotten. QEMU flushes global pages too, whatever CR4.PGE says: so do we. */
export function flushTlb(cpu: Cpu): void {
  forgetWriteMapped(cpu);
  const tlbs = [cpu.supervisorRead, cpu.supervisorWrite, cpu.supervisorExecute, cpu.userRead, cpu.userWrite, cpu.userExecute];
  if (cpu.tlbFilledCount > cpu.tlbFilled.length) for (const tlb of tlbs) tlb.fill(-1);
  else
    for (const tlb of tlbs) {
      const filled = cpu.tlbFilled;
      for (let k = 0, n = cpu.tlbFilledCount; k < n; k++) tlb[filled[k]] = -1;
    }
  cpu.tlbFilledCount = 0;
  cpu.tlbHasLargePage = false;
  cpu.mapChanges++;
}

function forgetWriteMapped(cpu: Cpu): void {
  if (cpu.tlbFilledCount > cpu.tlbFilled.length) {
    cpu.writeMapped.fill(0);
    return;
  }
  for (let k = 0; k < cpu.tlbFilledCount; k++) {
    const linearPage = cpu.tlbFilled[k];
    const a = cpu.supervisorWrite[linearPage];
    const b = cpu.userWrite[linearPage];
    if (a !== -1) cpu.writeMapped[((a >> 12) + linearPage) & 0xfffff] = 0;
    if (b !== -1) cpu.writeMapped[((b >> 12) + linearPage) & 0xfffff] = 0;
  }
}

/** INVLPG. */
export function invalidatePage(cpu: Cpu, laddr: number): void {
  if (cpu.tlbHasLargePage) {
    flushTlb(cpu);
    return;
  }
  const page = laddr >>> 12;
  cpu.mapChanges++;
  cpu.supervisorRead[page] = cpu.supervisorWrite[page] = cpu.supervisorExecute[page] = -1;
  cpu.userRead[page] = cpu.userWrite[page] = cpu.userExecute[page] = -1;
}

/** Backing page `page` holds code from now on: writes through any linear page must be seen. */
export function protectCodePage(cpu: Cpu, page: number): void {
  const mapped = cpu.writeMapped[page];
  if (mapped === 0) return;
  if (mapped > 0) {
    slowDown(cpu.supervisorWrite, mapped - 1, page);
    slowDown(cpu.userWrite, mapped - 1, page);
    return;
  }
  eachOf(cpu, [cpu.supervisorWrite, cpu.userWrite], (tlb, linearPage) => slowDown(tlb, linearPage, page));
}

/** All entries there are of some TLBs, and perhaps some that are none. */
function eachOf(cpu: Cpu, tlbs: readonly Int32Array[], visit: (tlb: Int32Array, linearPage: number) => void): void {
  const known = cpu.tlbFilledCount <= cpu.tlbFilled.length;
  for (const tlb of tlbs)
    if (known) for (let k = 0; k < cpu.tlbFilledCount; k++) visit(tlb, cpu.tlbFilled[k]);
    else eachEntry(tlb, (linearPage) => visit(tlb, linearPage));
}

/**
 * Clears all marks of written backing pages (those of linear ones are cleared by who reads them, just before): the next store to each goes the slow way and marks it. Mappings stay as they are: what was cached must not depend on when somebody looked
 * (a walk sets bits in page tables).
 */
export function watchWrites(cpu: Cpu): void {
  cpu.memory.dirtyPage.fill(0);
  eachOf(cpu, [cpu.supervisorWrite, cpu.userWrite], watch);
}

/**
 * Clears all marks of linear pages that were read: the next read through each goes the slow way and marks it. Not where something is written before: generated code that reads and writes back looks
 * only into the TLB for writing, and that makes an entry for reading too. So what may have been read is what is marked as read or as written.
 */
export function watchReads(cpu: Cpu): void {
  cpu.linearRead.fill(0);
  eachOf(cpu, [cpu.supervisorRead, cpu.userRead], watch);
}

function watch(tlb: Int32Array, linearPage: number): void {
  const d = tlb[linearPage];
  if ((d & UNKNOWN) === 0) tlb[linearPage] = d | SLOW;
}

function slowDown(tlb: Int32Array, linearPage: number, backingPage: number): void {
  const d = tlb[linearPage];
  if ((d & UNKNOWN) === 0 && ((d >> 12) + linearPage) << 12 === backingPage << 12) tlb[linearPage] = d | SLOW;
}
