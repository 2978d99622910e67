import type { Cpu } from './cpu.js';
import type { Insn } from './insn.js';
import { load16, load32, store16, store32 } from './mmu.js';
import { MODE_SS32 } from './mode.js';
import { ESP, SEG_BASE, SS } from './regs.js';

const SS_BASE = SEG_BASE + SS;

/** Linear address of an offset in the stack segment, cut to the stack's address size. */
export function stackAddress(cpu: Cpu, offset: number): number {
  return ((cpu.mode & MODE_SS32) !== 0 ? offset + cpu.r[SS_BASE] : (offset & 0xffff) + cpu.r[SS_BASE]) | 0;
}

/** Sets ESP, or SP when the stack segment is 16-bit. */
export function setStackPointer(cpu: Cpu, value: number): void {
  const r = cpu.r;
  r[ESP] = (cpu.mode & MODE_SS32) !== 0 ? value : (r[ESP] & ~0xffff) | (value & 0xffff);
}

/** Pushes 16 bits; ESP changes only after the store succeeded. */
export function push16(cpu: Cpu, value: number): void {
  const r = cpu.r;
  if ((cpu.mode & MODE_SS32) !== 0) {
    const esp = (r[ESP] - 2) | 0;
    store16(cpu, (esp + r[SS_BASE]) | 0, value & 0xffff);
    r[ESP] = esp;
  } else {
    const sp = (r[ESP] - 2) & 0xffff;
    store16(cpu, (sp + r[SS_BASE]) | 0, value & 0xffff);
    r[ESP] = (r[ESP] & ~0xffff) | sp;
  }
}

/** Pushes 32 bits; ESP changes only after the store succeeded. */
export function push32(cpu: Cpu, value: number): void {
  const r = cpu.r;
  if ((cpu.mode & MODE_SS32) !== 0) {
    const esp = (r[ESP] - 4) | 0;
    store32(cpu, (esp + r[SS_BASE]) | 0, value);
    r[ESP] = esp;
  } else {
    const sp = (r[ESP] - 4) & 0xffff;
    store32(cpu, (sp + r[SS_BASE]) | 0, value);
    r[ESP] = (r[ESP] & ~0xffff) | sp;
  }
}

/** Pushes a value of the instruction's operand size. */
export function push(cpu: Cpu, i: Insn, value: number): void {
  if (i.size === 32) push32(cpu, value);
  else push16(cpu, value);
}

/** Top of the stack, of the instruction's operand size (16 bits: unsigned); ESP stays: the caller drops the operand when all went well. */
export function stackTop(cpu: Cpu, i: Insn): number {
  const r = cpu.r;
  const laddr = ((cpu.mode & MODE_SS32) !== 0 ? r[ESP] + r[SS_BASE] : (r[ESP] & 0xffff) + r[SS_BASE]) | 0;
  return i.size === 32 ? load32(cpu, laddr) : load16(cpu, laddr);
}

/** Takes `bytes` off the stack. */
export function dropStack(cpu: Cpu, bytes: number): void {
  const r = cpu.r;
  if ((cpu.mode & MODE_SS32) !== 0) r[ESP] = (r[ESP] + bytes) | 0;
  else r[ESP] = (r[ESP] & ~0xffff) | ((r[ESP] + bytes) & 0xffff);
}
