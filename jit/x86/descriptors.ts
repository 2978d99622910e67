import type { Cpu } from './cpu.js';
import { loadSys32 } from './mmu.js';
import { LDTR } from './regs.js';

/** Bits of a descriptor's high doubleword (SDM Vol. 3A 3.4.5). */
export const DESC_A = 1 << 8;
export const DESC_RW = 1 << 9;
export const DESC_C = 1 << 10;
export const DESC_CODE = 1 << 11;
export const DESC_S = 1 << 12;
export const DESC_P = 1 << 15;
export const DESC_B = 1 << 22;
export const DESC_G = 1 << 23;
/** The busy bit of a TSS descriptor. */
export const DESC_BUSY = 1 << 9;

/** Low and high doubleword of the descriptor `readDescriptor` found. */
export const descriptor = { low: 0, high: 0 };

/** Reads a descriptor from GDT or LDT into `descriptor`; false when it lies beyond the limit. */
export function readDescriptor(cpu: Cpu, selector: number): boolean {
  const local = (selector & 4) !== 0;
  const index = selector & 0xfff8;
  if (index + 7 > (local ? cpu.limit[LDTR] >>> 0 : cpu.gdtLimit >>> 0)) return false;
  const at = ((local ? cpu.ldtrBase : cpu.gdtBase) + index) | 0;
  descriptor.low = loadSys32(cpu, at);
  descriptor.high = loadSys32(cpu, (at + 4) | 0);
  return true;
}

export function descriptorBase(low: number, high: number): number {
  return (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
}

/** Limit in bytes (int32 bits of an unsigned number). */
export function descriptorLimit(low: number, high: number): number {
  const limit = (low & 0xffff) | (high & 0xf0000);
  return (high & DESC_G) !== 0 ? (limit << 12) | 0xfff : limit;
}

export function dplOf(high: number): number {
  return (high >>> 13) & 3;
}

/** Type field without S. */
export function typeOf(high: number): number {
  return (high >>> 8) & 0xf;
}

/** Mask of the stack pointer by the B bit of a stack segment. */
export function stackMask(attributes: number): number {
  return (attributes & DESC_B) !== 0 ? -1 : 0xffff;
}
