import type { Cpu } from './cpu.js';
import { GP, raiseFault } from './fault.js';
import { loadSys16 } from './mmu.js';
import { MODE_CPL, MODE_CPL_SHIFT, MODE_IOPL, MODE_IOPL_SHIFT, MODE_PE, MODE_VM } from './mode.js';
import { TR } from './regs.js';

/** Offset of the I/O map base in a 32-bit TSS (SDM Vol. 3A figure 8-2). */
const IO_MAP_BASE = 0x66;
const LAST_BYTE_OF_TSS = 103;
const ATTRIBUTE_P = 0x8000;
/** 32-bit TSS, as the type reads in the cached descriptor QEMU keeps: not busy. */
const TYPE_TSS32 = 9;

/**
 * May `bytes` ports from `port` be accessed? In protected mode above IOPL, and in v8086 mode, the TSS's permission bits say so; #GP(0) if not
 * (SDM Vol. 1 chapter 19.5). Two bytes of the map are always read.
 */
export function checkIo(cpu: Cpu, port: number, bytes: number): void {
  const mode = cpu.mode;
  if ((mode & MODE_PE) === 0) return;
  const privileged = (mode & MODE_CPL) >> MODE_CPL_SHIFT <= (mode & MODE_IOPL) >> MODE_IOPL_SHIFT;
  if (privileged && (mode & MODE_VM) === 0) return;
  const attributes = cpu.attributes[TR];
  const limit = cpu.limit[TR] >>> 0;
  if ((attributes & ATTRIBUTE_P) === 0 || ((attributes >> 8) & 15) !== TYPE_TSS32 || limit < LAST_BYTE_OF_TSS) raiseFault(GP, 0);
  const at = loadSys16(cpu, (cpu.trBase + IO_MAP_BASE) | 0) + (port >> 3);
  if (at + 1 > limit) raiseFault(GP, 0);
  const bits = loadSys16(cpu, (cpu.trBase + at) | 0) >> (port & 7);
  if ((bits & ((1 << bytes) - 1)) !== 0) raiseFault(GP, 0);
}
