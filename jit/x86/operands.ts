import type { Cpu } from './cpu.js';
import type { Insn } from './insn.js';
import { load8, load16, load32, store8, store16, store32 } from './mmu.js';

/** Linear address (int32) of a memory operand. */
export function effectiveAddress(cpu: Cpu, i: Insn): number {
  const r = cpu.r;
  return (((r[i.base] + (r[i.index] << i.scale) + i.disp) & i.mask) + r[i.segment]) | 0;
}

/** Offset of a memory operand inside its segment (LEA, x87 data pointer); zero-extended for 16-bit addressing, int32 otherwise. */
export function effectiveOffset(cpu: Cpu, i: Insn): number {
  const r = cpu.r;
  return (r[i.base] + (r[i.index] << i.scale) + i.disp) & i.mask;
}

/** AL CL DL BL AH CH DH BH, unsigned. */
export function readReg8(cpu: Cpu, n: number): number {
  return (cpu.r[n & 3] >> ((n & 4) << 1)) & 0xff;
}

export function writeReg8(cpu: Cpu, n: number, value: number): void {
  const shift = (n & 4) << 1;
  const at = n & 3;
  cpu.r[at] = (cpu.r[at] & ~(0xff << shift)) | ((value & 0xff) << shift);
}

export function writeReg16(cpu: Cpu, n: number, value: number): void {
  cpu.r[n] = (cpu.r[n] & ~0xffff) | (value & 0xffff);
}

/** Writes a register of 16 or 32 bits. */
export function writeReg(cpu: Cpu, n: number, value: number, sizeBits: number): void {
  if (sizeBits === 16) cpu.r[n] = (cpu.r[n] & ~0xffff) | (value & 0xffff);
  else cpu.r[n] = value;
}

/** Byte r/m operand, unsigned. */
export function readRm8(cpu: Cpu, i: Insn): number {
  return i.mod === 3 ? readReg8(cpu, i.rm) : load8(cpu, effectiveAddress(cpu, i));
}

/** Word r/m operand, unsigned. */
export function readRm16(cpu: Cpu, i: Insn): number {
  return i.mod === 3 ? cpu.r[i.rm] & 0xffff : load16(cpu, effectiveAddress(cpu, i));
}

/** Doubleword r/m operand, int32. */
export function readRm32(cpu: Cpu, i: Insn): number {
  return i.mod === 3 ? cpu.r[i.rm] : load32(cpu, effectiveAddress(cpu, i));
}

/** r/m operand of the instruction's operand size (8, 16: unsigned; 32: int32). */
export function readRm(cpu: Cpu, i: Insn): number {
  return i.size === 32 ? readRm32(cpu, i) : i.size === 16 ? readRm16(cpu, i) : readRm8(cpu, i);
}

export function writeRm8(cpu: Cpu, i: Insn, value: number): void {
  if (i.mod === 3) writeReg8(cpu, i.rm, value);
  else store8(cpu, effectiveAddress(cpu, i), value & 0xff);
}

export function writeRm16(cpu: Cpu, i: Insn, value: number): void {
  if (i.mod === 3) writeReg16(cpu, i.rm, value);
  else store16(cpu, effectiveAddress(cpu, i), value & 0xffff);
}

export function writeRm32(cpu: Cpu, i: Insn, value: number): void {
  if (i.mod === 3) cpu.r[i.rm] = value;
  else store32(cpu, effectiveAddress(cpu, i), value | 0);
}

/** Writes the r/m operand of the instruction's operand size. */
export function writeRm(cpu: Cpu, i: Insn, value: number): void {
  if (i.size === 32) writeRm32(cpu, i, value);
  else if (i.size === 16) writeRm16(cpu, i, value);
  else writeRm8(cpu, i, value);
}

/** Loads 8, 16 (unsigned) or 32 (int32) bits from a linear address. */
export function loadSized(cpu: Cpu, laddr: number, sizeBits: number): number {
  return sizeBits === 32 ? load32(cpu, laddr) : sizeBits === 16 ? load16(cpu, laddr) : load8(cpu, laddr);
}

/** Stores the low 8, 16 or 32 bits of `value` at a linear address. */
export function storeSized(cpu: Cpu, laddr: number, value: number, sizeBits: number): void {
  if (sizeBits === 32) store32(cpu, laddr, value | 0);
  else if (sizeBits === 16) store16(cpu, laddr, value & 0xffff);
  else store8(cpu, laddr, value & 0xff);
}
