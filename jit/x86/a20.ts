import type { Cpu } from './cpu.js';
import { flushTlb } from './mmu.js';

/** The A20 gate: closed, bit 20 of every physical address the CPU gives is 0. */
export function setA20Gate(cpu: Cpu, open: boolean): void {
  const mask = open ? -1 : ~(1 << 20);
  if (mask === cpu.a20Mask) return;
  cpu.a20Mask = mask;
  flushTlb(cpu);
  cpu.breakBlock = true;
}
