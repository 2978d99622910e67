import type { Cpu } from './cpu.js';
import {
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
  stackMask,
  typeOf,
} from './descriptors.js';
import { loadEflags } from './eflags.js';
import { GP, NP, raiseFault, TS } from './fault.js';
import { innerStack, readInnerStack } from './inner-stack.js';
import { load16, load32, loadSys16 } from './mmu.js';
import { MODE_VM } from './mode.js';
import {
  CS,
  DS,
  EFLAGS,
  EIP,
  ES,
  ESP,
  FLAG_AC,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VIF,
  FLAG_VIP,
  FLAG_VM,
  FS,
  GS,
  SEG_BASE,
  SS,
} from './regs.js';
import { isProtected, loadCsReal, loadSegmentCache, loadSegmentVm86, updateMode } from './segments.js';
import { FarStack } from './stack.js';
import { switchTask, TASK_CALL, TASK_IRET, TASK_JMP } from './task.js';

const stack = new FarStack();

function fail(vector: number, selector: number): never {
  raiseFault(vector, selector & 0xfffc);
}

function currentStack(cpu: Cpu): FarStack {
  return stack.at(cpu.r[SEG_BASE + SS], cpu.r[ESP], stackMask(cpu.attributes[SS]));
}

function setStackPointer(cpu: Cpu, value: number, mask: number): void {
  cpu.r[ESP] = (cpu.r[ESP] & ~mask) | (value & mask);
}

function loadCs(cpu: Cpu, selector: number, low: number, high: number): void {
  loadSegmentCache(cpu, CS, selector, descriptorBase(low, high), descriptorLimit(low, high), high);
  updateMode(cpu);
}

/** Checks a code segment that a far JMP or CALL names directly (SDM Vol. 3A 5.8.1). */
function checkCodeTarget(cpu: Cpu, selector: number, high: number): void {
  if ((high & DESC_CODE) === 0) fail(GP, selector);
  const dpl = dplOf(high);
  if ((high & DESC_C) !== 0) {
    if (dpl > cpu.cpl) fail(GP, selector);
  } else if ((selector & 3) > cpu.cpl || dpl !== cpu.cpl) fail(GP, selector);
  if ((high & DESC_P) === 0) fail(NP, selector);
}

/** Far JMP to selector:offset; EIP is that of the next instruction. */
export function farJump(cpu: Cpu, selector: number, offset: number): void {
  if (!isProtected(cpu)) {
    loadCsReal(cpu, selector);
    cpu.r[EIP] = offset;
    return;
  }
  if ((selector & 0xfffc) === 0) raiseFault(GP);
  if (!readDescriptor(cpu, selector)) fail(GP, selector);
  const { low, high } = descriptor;
  if ((high & DESC_S) === 0) {
    jumpThroughGate(cpu, selector, low, high);
    return;
  }
  checkCodeTarget(cpu, selector, high);
  if (offset >>> 0 > descriptorLimit(low, high) >>> 0) raiseFault(GP);
  loadCs(cpu, (selector & 0xfffc) | cpu.cpl, low, high);
  cpu.r[EIP] = offset;
}

function jumpThroughGate(cpu: Cpu, selector: number, low: number, high: number): void {
  const type = typeOf(high);
  const dpl = dplOf(high);
  const task = type === 1 || type === 9 || type === 5;
  if (!task && type !== 4 && type !== 12) fail(GP, selector);
  if (dpl < cpu.cpl || dpl < (selector & 3)) fail(GP, selector);
  if (task) {
    switchTask(cpu, selector, low, high, TASK_JMP, cpu.r[EIP]);
    return;
  }
  if ((high & DESC_P) === 0) fail(NP, selector);
  const target = low >>> 16;
  const offset = type === 12 ? (low & 0xffff) | (high & 0xffff0000) : low & 0xffff;
  if (!readDescriptor(cpu, target)) fail(GP, target);
  const code = descriptor.high;
  if ((code & (DESC_S | DESC_CODE)) !== (DESC_S | DESC_CODE)) fail(GP, target);
  const codeDpl = dplOf(code);
  if ((code & DESC_C) !== 0 ? codeDpl > cpu.cpl : codeDpl !== cpu.cpl) fail(GP, target);
  if ((code & DESC_P) === 0) fail(GP, target);
  if (offset >>> 0 > descriptorLimit(descriptor.low, code) >>> 0) raiseFault(GP);
  loadCs(cpu, (target & 0xfffc) | cpu.cpl, descriptor.low, code);
  cpu.r[EIP] = offset;
}

/** Far CALL; `wide`: 32-bit operand size. EIP is that of the next instruction. */
export function farCall(cpu: Cpu, selector: number, offset: number, wide: boolean): void {
  if (!isProtected(cpu)) {
    const s = currentStack(cpu);
    s.push(cpu, cpu.selector[CS], wide);
    s.push(cpu, cpu.r[EIP], wide);
    setStackPointer(cpu, s.pointer, s.mask);
    loadCsReal(cpu, selector);
    cpu.r[EIP] = offset;
    return;
  }
  if ((selector & 0xfffc) === 0) raiseFault(GP);
  if (!readDescriptor(cpu, selector)) fail(GP, selector);
  const { low, high } = descriptor;
  if ((high & DESC_S) === 0) {
    callThroughGate(cpu, selector, low, high);
    return;
  }
  checkCodeTarget(cpu, selector, high);
  const s = currentStack(cpu);
  s.push(cpu, cpu.selector[CS], wide);
  s.push(cpu, cpu.r[EIP], wide);
  // QEMU checks the limit behind the pushes, with the selector as error code.
  if (offset >>> 0 > descriptorLimit(low, high) >>> 0) fail(GP, selector);
  setStackPointer(cpu, s.pointer, s.mask);
  loadCs(cpu, (selector & 0xfffc) | cpu.cpl, low, high);
  cpu.r[EIP] = offset;
}

function callThroughGate(cpu: Cpu, gate: number, low: number, high: number): void {
  const type = (high >>> 8) & 0x1f;
  const gateDpl = dplOf(high);
  const task = type === 1 || type === 9 || type === 5;
  if (!task && type !== 4 && type !== 12) fail(GP, gate);
  if (gateDpl < cpu.cpl || gateDpl < (gate & 3)) fail(GP, gate);
  if (task) {
    switchTask(cpu, gate, low, high, TASK_CALL, cpu.r[EIP]);
    return;
  }
  const wide = type === 12;
  if ((high & DESC_P) === 0) fail(NP, gate);
  const selector = low >>> 16;
  const offset = (high & 0xffff0000) | (low & 0xffff);
  if ((selector & 0xfffc) === 0) raiseFault(GP);
  if (!readDescriptor(cpu, selector)) fail(GP, selector);
  const codeLow = descriptor.low;
  const code = descriptor.high;
  if ((code & (DESC_S | DESC_CODE)) !== (DESC_S | DESC_CODE)) fail(GP, selector);
  const dpl = dplOf(code);
  if (dpl > cpu.cpl) fail(GP, selector);
  if ((code & DESC_P) === 0) fail(NP, selector);

  const inner = (code & DESC_C) === 0 && dpl < cpu.cpl;
  const s = inner ? pushInnerFrame(cpu, dpl, high & 0x1f, wide) : currentStack(cpu);
  s.push(cpu, cpu.selector[CS], wide);
  s.push(cpu, cpu.r[EIP], wide);
  if (inner) {
    const ss = (innerStack.selector & ~3) | dpl;
    loadSegmentCache(cpu, SS, ss, s.base, descriptorLimit(innerStack.low, innerStack.high), innerStack.high);
  }
  loadCs(cpu, (selector & ~3) | dpl, codeLow, code);
  setStackPointer(cpu, s.pointer, s.mask);
  cpu.r[EIP] = offset;
}

/** Old SS:ESP and the parameters on the new stack. */
function pushInnerFrame(cpu: Cpu, dpl: number, parameters: number, wide: boolean): FarStack {
  readInnerStack(cpu, dpl);
  const oldBase = cpu.r[SEG_BASE + SS];
  const oldMask = stackMask(cpu.attributes[SS]);
  const s = stack.at(descriptorBase(innerStack.low, innerStack.high), innerStack.pointer, stackMask(innerStack.high));
  s.push(cpu, cpu.selector[SS], wide);
  s.push(cpu, cpu.r[ESP], wide);
  const old = new FarStack();
  for (let k = parameters - 1; k >= 0; k--) {
    old.at(oldBase, (cpu.r[ESP] + k * (wide ? 4 : 2)) | 0, oldMask);
    s.push(cpu, old.pop(cpu, wide), wide);
  }
  return s;
}

/** Far RET, `extra` bytes of parameters released. */
export function farReturn(cpu: Cpu, wide: boolean, extra: number): void {
  if (isProtected(cpu)) {
    returnProtected(cpu, wide, false, extra);
    return;
  }
  // Ordinary accesses of the current CPL, unlike in protected mode.
  const r = cpu.r;
  const mask = stackMask(cpu.attributes[SS]);
  const size = wide ? 4 : 2;
  const laddr = (r[SEG_BASE + SS] + (r[ESP] & mask)) | 0;
  const eip = wide ? load32(cpu, laddr) : load16(cpu, laddr);
  const cs = wide ? load32(cpu, (laddr + size) | 0) : load16(cpu, (laddr + size) | 0);
  r[EIP] = eip;
  loadCsReal(cpu, cs);
  setStackPointer(cpu, r[ESP] + extra + 2 * size, mask);
}

/** IRET; static checks (IOPL in virtual-8086 mode) are the caller's. EIP is that of the next instruction. */
export function interruptReturn(cpu: Cpu, wide: boolean): void {
  if (!isProtected(cpu)) returnReal(cpu, wide);
  else if ((cpu.r[EFLAGS] & FLAG_NT) !== 0) returnToTask(cpu);
  else returnProtected(cpu, wide, true, 0);
  cpu.nmiMasked = false;
}

function returnReal(cpu: Cpu, wide: boolean): void {
  const r = cpu.r;
  const s = stack.at(r[SEG_BASE + SS], r[ESP], 0xffff);
  const eip = s.pop(cpu, wide);
  const cs = s.pop(cpu, wide);
  const flags = s.pop(cpu, wide);
  setStackPointer(cpu, s.pointer, 0xffff);
  loadCsReal(cpu, cs);
  r[EIP] = eip;
  let mask = FLAG_TF | FLAG_AC | FLAG_ID | FLAG_IF | FLAG_RF | FLAG_NT;
  if ((cpu.mode & MODE_VM) === 0) mask |= FLAG_IOPL;
  loadEflags(cpu, flags, wide ? mask : mask & 0xffff);
}

function returnToTask(cpu: Cpu): void {
  const selector = loadSys16(cpu, cpu.trBase);
  if ((selector & 4) !== 0 || !readDescriptor(cpu, selector)) fail(TS, selector);
  const { low, high } = descriptor;
  if (((high >>> 8) & 0x17) !== 3) fail(TS, selector);
  switchTask(cpu, selector, low, high, TASK_IRET, cpu.r[EIP]);
}

function returnProtected(cpu: Cpu, wide: boolean, iret: boolean, extra: number): void {
  const s = currentStack(cpu);
  const eip = s.pop(cpu, wide);
  const cs = s.pop(cpu, wide) & 0xffff;
  let flags = 0;
  if (iret) {
    flags = s.pop(cpu, wide);
    if (wide && (flags & FLAG_VM) !== 0) {
      returnToVm86(cpu, s, eip, cs, flags);
      return;
    }
  }
  if ((cs & 0xfffc) === 0 || !readDescriptor(cpu, cs)) fail(GP, cs);
  const { low, high } = descriptor;
  const oldCpl = cpu.cpl;
  const rpl = cs & 3;
  checkReturnCode(cs, high, oldCpl);
  s.pointer = (s.pointer + extra) | 0;
  if (rpl === oldCpl) {
    loadCs(cpu, cs, low, high);
    setStackPointer(cpu, s.pointer, s.mask);
  } else returnOuter(cpu, s, wide, cs, low, high, extra);
  cpu.r[EIP] = eip;
  if (!iret) return;
  let mask = FLAG_TF | FLAG_AC | FLAG_ID | FLAG_RF | FLAG_NT;
  if (oldCpl === 0) mask |= FLAG_IOPL;
  if (oldCpl <= ((cpu.r[EFLAGS] >>> 12) & 3)) mask |= FLAG_IF;
  loadEflags(cpu, flags, wide ? mask : mask & 0xffff);
}

function checkReturnCode(cs: number, high: number, cpl: number): void {
  if ((high & (DESC_S | DESC_CODE)) !== (DESC_S | DESC_CODE)) fail(GP, cs);
  const rpl = cs & 3;
  const dpl = dplOf(high);
  if (rpl < cpl) fail(GP, cs);
  if ((high & DESC_C) !== 0 ? dpl > rpl : dpl !== rpl) fail(GP, cs);
  if ((high & DESC_P) === 0) fail(NP, cs);
}

function returnOuter(cpu: Cpu, s: FarStack, wide: boolean, cs: number, low: number, high: number, extra: number): void {
  const rpl = cs & 3;
  const esp = s.pop(cpu, wide);
  const ss = s.pop(cpu, wide) & 0xffff;
  if ((ss & 0xfffc) === 0) raiseFault(GP);
  if ((ss & 3) !== rpl || !readDescriptor(cpu, ss)) fail(GP, ss);
  const ssLow = descriptor.low;
  const ssHigh = descriptor.high;
  if ((ssHigh & (DESC_S | DESC_CODE | DESC_RW)) !== (DESC_S | DESC_RW) || dplOf(ssHigh) !== rpl) fail(GP, ss);
  if ((ssHigh & DESC_P) === 0) fail(NP, ss);
  loadSegmentCache(cpu, SS, ss, descriptorBase(ssLow, ssHigh), descriptorLimit(ssLow, ssHigh), ssHigh);
  loadCs(cpu, cs, low, high);
  for (const seg of [ES, DS, FS, GS]) dropPrivileged(cpu, seg, rpl);
  setStackPointer(cpu, (esp + extra) | 0, stackMask(ssHigh));
}

/** A data segment too privileged for the outer level becomes unusable. */
function dropPrivileged(cpu: Cpu, seg: number, cpl: number): void {
  if ((seg === FS || seg === GS) && (cpu.selector[seg] & 0xfffc) === 0) return;
  const attributes = cpu.attributes[seg];
  const conforming = (attributes & DESC_CODE) !== 0 && (attributes & DESC_C) !== 0;
  if (conforming || dplOf(attributes) >= cpl) return;
  cpu.selector[seg] = 0;
  cpu.attributes[seg] = attributes & ~DESC_P;
}

function returnToVm86(cpu: Cpu, s: FarStack, eip: number, cs: number, flags: number): void {
  const esp = s.pop(cpu, true);
  const ss = s.pop(cpu, true);
  const es = s.pop(cpu, true);
  const ds = s.pop(cpu, true);
  const fs = s.pop(cpu, true);
  const gs = s.pop(cpu, true);
  loadEflags(cpu, flags, FLAG_TF | FLAG_AC | FLAG_ID | FLAG_IF | FLAG_IOPL | FLAG_VM | FLAG_NT | FLAG_VIF | FLAG_VIP);
  loadSegmentVm86(cpu, CS, cs);
  loadSegmentVm86(cpu, SS, ss);
  loadSegmentVm86(cpu, ES, es);
  loadSegmentVm86(cpu, DS, ds);
  loadSegmentVm86(cpu, FS, fs);
  loadSegmentVm86(cpu, GS, gs);
  updateMode(cpu);
  cpu.r[EIP] = eip & 0xffff;
  cpu.r[ESP] = esp;
}
