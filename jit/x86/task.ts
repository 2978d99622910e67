import type { Cpu } from './cpu.js';
import { setDr7 } from './debug-registers.js';
import {
  DESC_BUSY,
  DESC_CODE,
  DESC_P,
  DESC_RW,
  DESC_S,
  descriptor,
  descriptorBase,
  descriptorLimit,
  dplOf,
  readDescriptor,
  typeOf,
} from './descriptors.js';
import { loadEflags } from './eflags.js';
import { GP, NP, raiseFault, TS } from './fault.js';
import { readEflags } from './flags.js';
import { flushTlb, loadSys8, loadSys16, loadSys32, storeSys8, storeSys16, storeSys32 } from './mmu.js';
import { CS, DS, EIP, ES, FLAG_AC, FLAG_ID, FLAG_IF, FLAG_IOPL, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VM, FS, GS, LDTR, SS, TR } from './regs.js';
import { loadSegmentCache, loadSegmentVm86, updateMode } from './segments.js';

/** What caused a task switch (SDM Vol. 3A table 7-2). */
export const TASK_JMP = 0;
export const TASK_IRET = 1;
export const TASK_CALL = 2;

const CR0_TS = 8;
const DR7_LOCAL = 0x155;

/** Register values read from a TSS before anything changes. */
interface TaskState {
  cr3: number;
  eip: number;
  eflags: number;
  ldt: number;
  readonly regs: number[];
  readonly selectors: number[];
}

function error(vector: number, selector: number): never {
  raiseFault(vector, selector & 0xfffc);
}

/**
 * Switches to the task of `selector` whose descriptor (TSS or task gate) is low:high; `nextEip` is saved as the old task's EIP.
 * Order of checks and of memory accesses as QEMU 7.2. Faults behind the commit point find the new task's state.
 */
export function switchTask(cpu: Cpu, selector: number, low: number, high: number, source: number, nextEip: number): void {
  let tss = selector;
  let lo = low;
  let hi = high;
  if (typeOf(hi) === 5) {
    if ((hi & DESC_P) === 0) error(NP, tss);
    tss = lo >>> 16;
    if ((tss & 4) !== 0) error(TS, tss);
    if (!readDescriptor(cpu, tss)) error(GP, tss);
    lo = descriptor.low;
    hi = descriptor.high;
    if ((hi & DESC_S) !== 0 || (typeOf(hi) & 7) !== 1) error(GP, tss);
  }
  if ((hi & DESC_P) === 0) error(NP, tss);
  const wide = (typeOf(hi) & 8) !== 0;
  const limit = descriptorLimit(lo, hi);
  const base = descriptorBase(lo, hi);
  // A signed comparison, as in QEMU: limits of 2 GiB and more fail.
  if ((tss & 4) !== 0 || limit < (wide ? 103 : 43)) error(TS, tss);

  const next = wide ? readTss32(cpu, base) : readTss16(cpu, base);
  const oldWide = (typeOf(cpu.attributes[TR]) & 8) !== 0;
  touchOldTss(cpu, oldWide ? 103 : 43);
  if (source !== TASK_CALL) setBusy(cpu, cpu.selector[TR], false);
  let oldFlags = readEflags(cpu);
  if (source === TASK_IRET) oldFlags &= ~FLAG_NT;
  if (oldWide) saveTss32(cpu, nextEip, oldFlags);
  else saveTss16(cpu, nextEip, oldFlags);

  if (source === TASK_CALL) {
    storeSys16(cpu, base, cpu.selector[TR]);
    next.eflags |= FLAG_NT;
  }
  if (source !== TASK_IRET) setBusy(cpu, tss, true);

  cpu.cr0 |= CR0_TS;
  cpu.selector[TR] = tss;
  cpu.trBase = base;
  cpu.limit[TR] = limit;
  cpu.attributes[TR] = hi & ~DESC_BUSY & 0x00f0ff00;
  if (wide && cpu.cr0 < 0) {
    cpu.cr3 = next.cr3;
    flushTlb(cpu);
  }
  loadRegisters(cpu, next, wide);
  try {
    loadSegments(cpu, next);
  } finally {
    updateMode(cpu);
  }
  if ((cpu.dr[7] & DR7_LOCAL & 0xff) !== 0) setDr7(cpu, cpu.dr[7] & ~(DR7_LOCAL & 0xff));
}

function readTss32(cpu: Cpu, base: number): TaskState {
  const cr3 = loadSys32(cpu, base + 0x1c);
  const eip = loadSys32(cpu, base + 0x20);
  const eflags = loadSys32(cpu, base + 0x24);
  const regs: number[] = [];
  for (let k = 0; k < 8; k++) regs.push(loadSys32(cpu, base + 0x28 + 4 * k));
  const selectors: number[] = [];
  for (let k = 0; k < 6; k++) selectors.push(loadSys16(cpu, base + 0x48 + 4 * k));
  const ldt = loadSys16(cpu, base + 0x60);
  loadSys32(cpu, base + 0x64);
  return { cr3, eip, eflags, ldt, regs, selectors };
}

function readTss16(cpu: Cpu, base: number): TaskState {
  const eip = loadSys16(cpu, base + 0x0e);
  const eflags = loadSys16(cpu, base + 0x10);
  const regs: number[] = [];
  for (let k = 0; k < 8; k++) regs.push(loadSys16(cpu, base + 0x12 + 2 * k));
  const selectors: number[] = [];
  for (let k = 0; k < 4; k++) selectors.push(loadSys16(cpu, base + 0x22 + 2 * k));
  selectors.push(0, 0);
  const ldt = loadSys16(cpu, base + 0x2a);
  return { cr3: 0, eip, eflags, ldt, regs, selectors };
}

/** First and last byte of the old TSS are rewritten, so that page faults come before anything has changed. */
function touchOldTss(cpu: Cpu, last: number): void {
  const first = loadSys8(cpu, cpu.trBase);
  const end = loadSys8(cpu, cpu.trBase + last);
  storeSys8(cpu, cpu.trBase, first);
  storeSys8(cpu, cpu.trBase + last, end);
}

function setBusy(cpu: Cpu, selector: number, busy: boolean): void {
  const at = (cpu.gdtBase + (selector & 0xfff8) + 4) | 0;
  const high = loadSys32(cpu, at);
  storeSys32(cpu, at, busy ? high | DESC_BUSY : high & ~DESC_BUSY);
}

function saveTss32(cpu: Cpu, eip: number, eflags: number): void {
  const base = cpu.trBase;
  storeSys32(cpu, base + 0x20, eip);
  storeSys32(cpu, base + 0x24, eflags);
  for (let k = 0; k < 8; k++) storeSys32(cpu, base + 0x28 + 4 * k, cpu.r[k]);
  for (let k = 0; k < 6; k++) storeSys16(cpu, base + 0x48 + 4 * k, cpu.selector[k]);
}

function saveTss16(cpu: Cpu, eip: number, eflags: number): void {
  const base = cpu.trBase;
  storeSys16(cpu, base + 0x0e, eip);
  storeSys16(cpu, base + 0x10, eflags);
  for (let k = 0; k < 8; k++) storeSys16(cpu, base + 0x12 + 2 * k, cpu.r[k]);
  for (let k = 0; k < 4; k++) storeSys16(cpu, base + 0x22 + 2 * k, cpu.selector[k]);
}

function loadRegisters(cpu: Cpu, next: TaskState, wide: boolean): void {
  const r = cpu.r;
  r[EIP] = next.eip;
  const mask = FLAG_TF | FLAG_AC | FLAG_ID | FLAG_IF | FLAG_IOPL | FLAG_VM | FLAG_RF | FLAG_NT;
  loadEflags(cpu, next.eflags, wide ? mask : mask & 0xffff);
  for (let k = 0; k < 8; k++) r[k] = wide ? next.regs[k] : (r[k] & ~0xffff) | next.regs[k];
}

function loadSegments(cpu: Cpu, next: TaskState): void {
  const vm86 = (next.eflags & FLAG_VM) !== 0;
  for (let k = 0; k < 6; k++) {
    if (vm86) loadSegmentVm86(cpu, k, next.selectors[k]);
    else loadSegmentCache(cpu, k, next.selectors[k], 0, 0, 0);
  }
  loadTaskLdt(cpu, next.ldt);
  if (!vm86) {
    const cpl = next.selectors[CS] & 3;
    for (const seg of [CS, SS, ES, DS, FS, GS]) loadTaskSegment(cpu, seg, next.selectors[seg], cpl);
  }
  if (next.eip >>> 0 > cpu.limit[CS] >>> 0) raiseFault(GP);
}

function loadTaskLdt(cpu: Cpu, selector: number): void {
  cpu.selector[LDTR] = selector & ~4;
  cpu.ldtrBase = 0;
  cpu.limit[LDTR] = 0;
  cpu.attributes[LDTR] = 0;
  if ((selector & 4) !== 0) error(TS, selector);
  if ((selector & 0xfffc) === 0) return;
  if (!readDescriptor(cpu, selector)) error(TS, selector);
  const { low, high } = descriptor;
  if ((high & DESC_S) !== 0 || typeOf(high) !== 2 || (high & DESC_P) === 0) error(TS, selector);
  cpu.ldtrBase = descriptorBase(low, high);
  cpu.limit[LDTR] = descriptorLimit(low, high);
  cpu.attributes[LDTR] = high & 0x00f0ff00;
}

function loadTaskSegment(cpu: Cpu, seg: number, selector: number, cpl: number): void {
  if ((selector & 0xfffc) === 0) {
    if (seg === SS || seg === CS) error(TS, selector);
    return;
  }
  if (!readDescriptor(cpu, selector)) error(TS, selector);
  const { low, high } = descriptor;
  if ((high & DESC_S) === 0 || !taskSegmentLegal(seg, selector, high, cpl)) error(TS, selector);
  if ((high & DESC_P) === 0) error(NP, selector);
  loadSegmentCache(cpu, seg, selector, descriptorBase(low, high), descriptorLimit(low, high), high);
}

function taskSegmentLegal(seg: number, selector: number, high: number, cpl: number): boolean {
  const rpl = selector & 3;
  const dpl = dplOf(high);
  const code = (high & DESC_CODE) !== 0;
  if (seg === CS) return code && dpl === rpl;
  if (seg === SS) return !code && (high & DESC_RW) !== 0 && dpl === cpl && dpl === rpl;
  if (code && (high & DESC_RW) === 0) return false;
  return typeOf(high) >= 12 || (dpl >= cpl && dpl >= rpl);
}
