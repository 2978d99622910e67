import type { Cpu } from './cpu.js';
import {
  DESC_A,
  DESC_B,
  DESC_BUSY,
  DESC_C,
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
import { GP, NP, raiseFault, SS_FAULT } from './fault.js';
import { storeSys32 } from './mmu.js';
import {
  MODE_BREAKPOINTS,
  MODE_CPL_SHIFT,
  MODE_CS32,
  MODE_EM,
  MODE_FLAT,
  MODE_INHIBIT,
  MODE_IOPL,
  MODE_IOPL_SHIFT,
  MODE_MP,
  MODE_OSFXSR,
  MODE_PE,
  MODE_SMM,
  MODE_SS32,
  MODE_TF,
  MODE_TS,
  MODE_VM,
} from './mode.js';
import { CS, DS, EFLAGS, ES, FLAG_TF, FLAG_VM, FS, LDTR, SEG_BASE, SS, TR } from './regs.js';

const CR0_PE = 1;
const CR4_OSFXSR = 1 << 9;
/** P, S, writable, accessed, DPL 3: every segment in virtual-8086 mode. */
const VM86_ATTRIBUTES = DESC_P | DESC_S | DESC_RW | DESC_A | (3 << 13);

/** Recomputes Cpu.mode and the current data TLBs from the registers they depend on; MODE_INHIBIT stays. */
export function updateMode(cpu: Cpu): void {
  const flags = cpu.r[EFLAGS];
  let mode = cpu.mode & MODE_INHIBIT;
  if ((cpu.attributes[CS] & DESC_B) !== 0) mode |= MODE_CS32;
  if ((cpu.attributes[SS] & DESC_B) !== 0) mode |= MODE_SS32;
  if ((cpu.cr0 & CR0_PE) !== 0) mode |= MODE_PE;
  if ((flags & FLAG_VM) !== 0) mode |= MODE_VM;
  if ((flags & FLAG_TF) !== 0) mode |= MODE_TF;
  mode |= (cpu.cpl << MODE_CPL_SHIFT) | ((flags >>> (12 - MODE_IOPL_SHIFT)) & MODE_IOPL);
  if ((cpu.cr0 & 2) !== 0) mode |= MODE_MP;
  if ((cpu.cr0 & 4) !== 0) mode |= MODE_EM;
  if ((cpu.cr0 & 8) !== 0) mode |= MODE_TS;
  if ((cpu.cr4 & CR4_OSFXSR) !== 0) mode |= MODE_OSFXSR;
  if (cpu.smm) mode |= MODE_SMM;
  if ((cpu.dr[7] & 0xff) !== 0) mode |= MODE_BREAKPOINTS;
  cpu.mode = mode | flatness(cpu, mode);
  const user = cpu.cpl === 3;
  cpu.tlbRead = user ? cpu.userRead : cpu.supervisorRead;
  cpu.tlbWrite = user ? cpu.userWrite : cpu.supervisorWrite;
}

/** Sets a segment register ES..GS with its hidden part. CPL follows SS. The caller updates the mode when it is done with CS and SS. */
export function loadSegmentCache(cpu: Cpu, seg: number, selector: number, base: number, limit: number, attributes: number): void {
  cpu.selector[seg] = selector;
  cpu.r[SEG_BASE + seg] = base;
  cpu.limit[seg] = limit;
  cpu.attributes[seg] = attributes & 0x00f0ff00;
  if (seg === SS) cpu.cpl = dplOf(attributes);
  if (seg !== CS && seg < FS) cpu.mode = (cpu.mode & ~MODE_FLAT) | flatness(cpu, cpu.mode);
}

/** MODE_FLAT or 0. */
function flatness(cpu: Cpu, mode: number): number {
  if ((mode & (MODE_PE | MODE_VM | MODE_CS32)) !== (MODE_PE | MODE_CS32)) return 0;
  const { r } = cpu;
  return (r[SEG_BASE + ES] | r[SEG_BASE + SS] | r[SEG_BASE + DS]) === 0 ? MODE_FLAT : 0;
}

/** A segment register in virtual-8086 mode. */
export function loadSegmentVm86(cpu: Cpu, seg: number, selector: number): void {
  loadSegmentCache(cpu, seg, selector & 0xffff, (selector & 0xffff) << 4, 0xffff, VM86_ATTRIBUTES);
}

/** Segmentation by descriptors is in force: protected mode and not virtual-8086 mode. */
export function isProtected(cpu: Cpu): boolean {
  return (cpu.mode & (MODE_PE | MODE_VM)) === MODE_PE;
}

/** MOV, POP and Lxx to ES, SS, DS, FS, GS. Real and virtual-8086 mode leave limit and attributes alone, as QEMU does. */
export function loadSegment(cpu: Cpu, seg: number, value: number): void {
  const selector = value & 0xffff;
  if (!isProtected(cpu)) {
    cpu.selector[seg] = selector;
    cpu.r[SEG_BASE + seg] = selector << 4;
    return;
  }
  if ((selector & 0xfffc) === 0) {
    if (seg === SS) raiseFault(GP);
    loadSegmentCache(cpu, seg, selector, 0, 0, 0);
    return;
  }
  const error = selector & 0xfffc;
  if (!readDescriptor(cpu, selector)) raiseFault(GP, error);
  const { low } = descriptor;
  let { high } = descriptor;
  if ((high & DESC_S) === 0) raiseFault(GP, error);
  checkDataSegment(cpu, seg, selector, high);
  if ((high & DESC_P) === 0) raiseFault(seg === SS ? SS_FAULT : NP, error);
  if ((high & DESC_A) === 0) {
    high |= DESC_A;
    const table = (selector & 4) !== 0 ? cpu.ldtrBase : cpu.gdtBase;
    storeSys32(cpu, (table + (selector & 0xfff8) + 4) | 0, high);
  }
  loadSegmentCache(cpu, seg, selector, descriptorBase(low, high), descriptorLimit(low, high), high);
  if (seg === SS) updateMode(cpu);
}

function checkDataSegment(cpu: Cpu, seg: number, selector: number, high: number): void {
  const rpl = selector & 3;
  const dpl = dplOf(high);
  let legal: boolean;
  if (seg === SS) legal = (high & DESC_CODE) === 0 && (high & DESC_RW) !== 0 && rpl === cpu.cpl && dpl === cpu.cpl;
  else if ((high & (DESC_CODE | DESC_RW)) === DESC_CODE) legal = false;
  else legal = (high & (DESC_CODE | DESC_C)) === (DESC_CODE | DESC_C) || (dpl >= cpu.cpl && dpl >= rpl);
  if (!legal) raiseFault(GP, selector & 0xfffc);
}

/** Real and virtual-8086 mode: CS takes selector and base only. */
export function loadCsReal(cpu: Cpu, selector: number): void {
  cpu.selector[CS] = selector & 0xffff;
  cpu.r[SEG_BASE + CS] = (selector & 0xffff) << 4;
}

/** LLDT behind its privilege check. */
export function loadLdtr(cpu: Cpu, value: number): void {
  const selector = value & 0xffff;
  const error = selector & 0xfffc;
  if (error === 0) {
    cpu.ldtrBase = 0;
    cpu.limit[LDTR] = 0;
  } else {
    if ((selector & 4) !== 0 || !readDescriptor(cpu, selector)) raiseFault(GP, error);
    const { low, high } = descriptor;
    if ((high & 0x1f00) !== 0x200) raiseFault(GP, error);
    if ((high & DESC_P) === 0) raiseFault(NP, error);
    cpu.ldtrBase = descriptorBase(low, high);
    cpu.limit[LDTR] = descriptorLimit(low, high);
    cpu.attributes[LDTR] = high & 0x00f0ff00;
  }
  cpu.selector[LDTR] = selector;
}

/** LTR behind its privilege check: the descriptor becomes busy. */
export function loadTr(cpu: Cpu, value: number): void {
  const selector = value & 0xffff;
  const error = selector & 0xfffc;
  if (error === 0) {
    cpu.trBase = 0;
    cpu.limit[TR] = 0;
    cpu.attributes[TR] = 0;
  } else {
    if ((selector & 4) !== 0 || !readDescriptor(cpu, selector)) raiseFault(GP, error);
    const { low, high } = descriptor;
    const type = typeOf(high);
    if ((high & DESC_S) !== 0 || (type !== 1 && type !== 9)) raiseFault(GP, error);
    if ((high & DESC_P) === 0) raiseFault(NP, error);
    cpu.trBase = descriptorBase(low, high);
    cpu.limit[TR] = descriptorLimit(low, high);
    cpu.attributes[TR] = high & 0x00f0ff00;
    storeSys32(cpu, (cpu.gdtBase + (selector & 0xfff8) + 4) | 0, high | DESC_BUSY);
  }
  cpu.selector[TR] = selector;
}
