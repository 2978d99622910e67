import type { AccessSize } from '../../../src/core/bus.js';
import type { Cpu } from '../cpu.js';
import { guestFault } from '../fault.js';
import { load8, load16, load32, resolveRead, resolveWrite, store8, store16, store32 } from '../mmu.js';

/**
 * Thrown out of generated code when an access needs more than memory (a device, a fault, code in the page, a watchpoint): the catch
 * block makes the state that of before the instruction, and the interpreter does it.
 */
export const bail: { readonly isBailOut: true } = { isBailOut: true };

/** Backing address of an access inside one page, if it is plain memory; else bails out. */
function readAddress(cpu: Cpu, laddr: number): number {
  let at: number;
  try {
    at = resolveRead(cpu, laddr, cpu.cpl === 3);
  } catch (e) {
    throw e === guestFault ? bail : e;
  }
  if (at < 0 || cpu.breakBlock || (cpu.dr[7]! & 0xff) !== 0) throw bail;
  return at;
}

function writeAddress(cpu: Cpu, laddr: number): number {
  let at: number;
  try {
    at = resolveWrite(cpu, laddr, cpu.cpl === 3);
  } catch (e) {
    throw e === guestFault ? bail : e;
  }
  if (at < 0 || cpu.breakBlock || cpu.memory.codePage[at >>> 12] !== 0 || (cpu.dr[7]! & 0xff) !== 0) throw bail;
  return at;
}

function crosses(laddr: number, size: AccessSize): boolean {
  return (laddr & 0xfff) + size > 0x1000;
}

function prepareRead(cpu: Cpu, laddr: number, size: AccessSize): void {
  readAddress(cpu, laddr);
  if (crosses(laddr, size)) readAddress(cpu, (laddr + size) & ~0xfff);
}

function prepareWrite(cpu: Cpu, laddr: number, size: AccessSize): void {
  writeAddress(cpu, laddr);
  if (crosses(laddr, size)) writeAddress(cpu, (laddr + size) & ~0xfff);
}

/** What generated code calls when the TLB has no fast entry: fills it and does the access, or bails out. */
export function slowMemory(cpu: Cpu) {
  return {
    load8(laddr: number): number {
      prepareRead(cpu, laddr, 1);
      return load8(cpu, laddr);
    },
    load16(laddr: number): number {
      prepareRead(cpu, laddr, 2);
      return load16(cpu, laddr);
    },
    load32(laddr: number): number {
      prepareRead(cpu, laddr, 4);
      return load32(cpu, laddr);
    },
    store8(laddr: number, value: number): void {
      prepareWrite(cpu, laddr, 1);
      store8(cpu, laddr, value & 0xff);
    },
    store16(laddr: number, value: number): void {
      prepareWrite(cpu, laddr, 2);
      store16(cpu, laddr, value & 0xffff);
    },
    store32(laddr: number, value: number): void {
      prepareWrite(cpu, laddr, 4);
      store32(cpu, laddr, value | 0);
    },
    /** Backing address of an operand to be read and written. */
    modify(laddr: number, size: AccessSize): number {
      if (crosses(laddr, size)) throw bail;
      return writeAddress(cpu, laddr);
    },
  };
}
