import type { Cpu } from './cpu.js';
import {
  DESC_C,
  DESC_CODE,
  DESC_P,
  DESC_S,
  descriptor,
  descriptorBase,
  descriptorLimit,
  dplOf,
  readDescriptor,
  stackMask,
  typeOf,
} from './descriptors.js';
import { DE, DF, GP, NP, PF, raiseFault, TS } from './fault.js';
import { readEflags } from './flags.js';
import { innerStack, readInnerStack } from './inner-stack.js';
import { loadSys16, loadSys32, storeSys16, storeSys32 } from './mmu.js';
import { MODE_PE, MODE_VM } from './mode.js';
import { CS, DS, EFLAGS, EIP, ES, ESP, FLAG_AC, FLAG_IF, FLAG_NT, FLAG_RF, FLAG_TF, FLAG_VM, FS, GS, SEG_BASE, SS, TR } from './regs.js';
import { loadSegmentCache, updateMode } from './segments.js';
import { FarStack } from './stack.js';
import { switchTask, TASK_CALL } from './task.js';

/** How an event enters the handler. */
export type DeliveryKind = 'exception' | 'software' | 'hardware';

/** Returned by `nextException` when a fault follows a double fault. */
export const TRIPLE_FAULT = -1;

function contributory(vector: number): boolean {
  return vector === DE || (vector >= TS && vector <= GP);
}

/**
 * Applies the double fault rules (SDM Vol. 3A table 6-5) to an exception that was raised, given the one still being delivered.
 * Returns the vector to deliver, or TRIPLE_FAULT. Not for INT n and hardware interrupts.
 */
export function nextException(cpu: Cpu, vector: number): number {
  const old = cpu.oldException;
  if (old === DF) return TRIPLE_FAULT;
  const second = contributory(vector);
  const double = (contributory(old) && second) || (old === PF && (second || vector === PF));
  const result = double ? DF : vector;
  if (second || result === PF || result === DF) cpu.oldException = result;
  return result;
}

/** Whether the processor pushes an error code (SDM Vol. 3A table 6-1). */
function hasErrorCode(vector: number): boolean {
  return vector === 8 || (vector >= 10 && vector <= 14) || vector === 17;
}

/**
 * Enters the handler of `vector` through the IVT or IDT. `nextEip`: for software interrupts, the EIP to push (EIP itself is the
 * instruction's, which is what a fault on the way pushes). Throws the guest fault of a failed delivery; nothing is changed then,
 * except what was already pushed.
 */
export function deliver(cpu: Cpu, vector: number, errorCode: number, kind: DeliveryKind, nextEip: number): void {
  const oldEip = kind === 'software' ? nextEip : cpu.r[EIP];
  if ((cpu.mode & MODE_PE) === 0) deliverReal(cpu, vector, oldEip);
  else deliverProtected(cpu, vector, errorCode, kind, oldEip);
}

const stack = new FarStack();

function deliverReal(cpu: Cpu, vector: number, oldEip: number): void {
  const r = cpu.r;
  if (vector * 4 + 3 > cpu.idtLimit >>> 0) raiseFault(GP, vector * 8 + 2);
  const at = (cpu.idtBase + vector * 4) | 0;
  const offset = loadSys16(cpu, at);
  const selector = loadSys16(cpu, (at + 2) | 0);
  const s = stack.at(r[SEG_BASE + SS], r[ESP], 0xffff);
  s.push(cpu, readEflags(cpu), false);
  s.push(cpu, cpu.selector[CS], false);
  s.push(cpu, oldEip, false);
  r[ESP] = (r[ESP] & ~0xffff) | (s.pointer & 0xffff);
  r[EIP] = offset;
  cpu.selector[CS] = selector;
  r[SEG_BASE + CS] = selector << 4;
  r[EFLAGS] &= ~(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
  updateMode(cpu);
}

function deliverProtected(cpu: Cpu, vector: number, errorCode: number, kind: DeliveryKind, oldEip: number): void {
  const idtError = vector * 8 + 2;
  if (vector * 8 + 7 > cpu.idtLimit >>> 0) raiseFault(GP, idtError);
  const at = (cpu.idtBase + vector * 8) | 0;
  const low = loadSys32(cpu, at);
  const high = loadSys32(cpu, (at + 4) | 0);
  const type = (high >>> 8) & 0x1f;
  if (type !== 5 && type !== 6 && type !== 7 && type !== 14 && type !== 15) raiseFault(GP, idtError);
  if (kind === 'software' && dplOf(high) < cpu.cpl) raiseFault(GP, idtError);
  if ((high & DESC_P) === 0) raiseFault(NP, idtError);
  const withError = kind === 'exception' && hasErrorCode(vector);
  if (type !== 5) {
    enterGate(cpu, type, low, high, withError, errorCode, oldEip);
    return;
  }
  switchTask(cpu, vector * 8, low, high, TASK_CALL, oldEip);
  if (withError) pushTaskErrorCode(cpu, errorCode);
}

function pushTaskErrorCode(cpu: Cpu, errorCode: number): void {
  const wide = typeOf(cpu.attributes[TR]) >> 3 !== 0;
  const mask = stackMask(cpu.attributes[SS]);
  const pointer = (cpu.r[ESP] - (wide ? 4 : 2)) & mask;
  const at = (cpu.r[SEG_BASE + SS] + pointer) | 0;
  if (wide) storeSys32(cpu, at, errorCode);
  else storeSys16(cpu, at, errorCode);
  cpu.r[ESP] = (cpu.r[ESP] & ~mask) | pointer;
}

/** Interrupt and trap gates of 16 and 32 bits. */
function enterGate(cpu: Cpu, type: number, low: number, high: number, withError: boolean, errorCode: number, oldEip: number): void {
  const selector = low >>> 16;
  const offset = (high & 0xffff0000) | (low & 0xffff);
  const error = selector & 0xfffc;
  if (error === 0) raiseFault(GP);
  if (!readDescriptor(cpu, selector)) raiseFault(GP, error);
  const codeLow = descriptor.low;
  const code = descriptor.high;
  if ((code & (DESC_S | DESC_CODE)) !== (DESC_S | DESC_CODE)) raiseFault(GP, error);
  let dpl = dplOf(code);
  if (dpl > cpu.cpl) raiseFault(GP, error);
  if ((code & DESC_P) === 0) raiseFault(NP, error);
  if ((code & DESC_C) !== 0) dpl = cpu.cpl;
  const vm86 = (cpu.mode & MODE_VM) !== 0;
  const inner = dpl < cpu.cpl;
  if (inner) {
    readInnerStack(cpu, dpl);
    stack.at(descriptorBase(innerStack.low, innerStack.high), innerStack.pointer, stackMask(innerStack.high));
  } else {
    if (vm86) raiseFault(GP, error);
    stack.at(cpu.r[SEG_BASE + SS], cpu.r[ESP], stackMask(cpu.attributes[SS]));
  }
  const wide = type >> 3 !== 0;
  pushFrame(cpu, wide, inner, vm86, oldEip);
  if (withError) stack.push(cpu, errorCode, wide);

  if ((type & 1) === 0) cpu.r[EFLAGS] &= ~FLAG_IF;
  cpu.r[EFLAGS] &= ~(FLAG_TF | FLAG_VM | FLAG_RF | FLAG_NT);
  if (inner) {
    if (vm86) for (const seg of [ES, DS, FS, GS]) loadSegmentCache(cpu, seg, 0, 0, 0, 0);
    const ss = (innerStack.selector & ~3) | dpl;
    loadSegmentCache(cpu, SS, ss, stack.base, descriptorLimit(innerStack.low, innerStack.high), innerStack.high);
  }
  cpu.r[ESP] = (cpu.r[ESP] & ~stack.mask) | (stack.pointer & stack.mask);
  loadSegmentCache(cpu, CS, (selector & ~3) | dpl, descriptorBase(codeLow, code), descriptorLimit(codeLow, code), code);
  cpu.r[EIP] = offset;
  updateMode(cpu);
}

function pushFrame(cpu: Cpu, wide: boolean, inner: boolean, vm86: boolean, oldEip: number): void {
  if (inner) {
    if (vm86) for (const seg of [GS, FS, DS, ES]) stack.push(cpu, cpu.selector[seg], wide);
    stack.push(cpu, cpu.selector[SS], wide);
    stack.push(cpu, cpu.r[ESP], wide);
  }
  stack.push(cpu, readEflags(cpu), wide);
  stack.push(cpu, cpu.selector[CS], wide);
  stack.push(cpu, oldEip, wide);
}
