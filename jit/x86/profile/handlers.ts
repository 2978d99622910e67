import type { Cpu } from '../cpu.js';
import { UNKNOWN } from '../mmu.js';

/**
 * Linear address of the handler that the IDT names for an exception, when the processor has just looked into the IDT; null: it is not at hand. Only the TLB is asked, so that
 * nothing of the guest changes.
 */
export function handlerOf(cpu: Cpu, vector: number): number | null {
  const gate = (cpu.idtBase + 8 * vector) | 0;
  const delta = cpu.supervisorRead[gate >>> 12]!;
  if ((cpu.cr0 & 1) === 0 || (delta & UNKNOWN) !== 0 || (gate & 0xfff) > 0xff8) return null;
  const at = ((delta & ~0xfff) + gate) >>> 0;
  return (cpu.dv.getInt32(at, true) & 0xffff) | (cpu.dv.getInt32(at + 4, true) & ~0xffff);
}
