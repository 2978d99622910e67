import type { Cpu } from './cpu.js';
import { hasFeature } from './cpuid.js';
import { flushTlb } from './mmu.js';
import { CR0_WP, CR4_PAE, CR4_PSE, CR4_SMAP, CR4_SMEP } from './paging.js';
import { updateMode } from './segments.js';

const CR0_PE = 1;
const CR0_ET = 16;
const CR0_PG = 0x80000000 | 0;
const CR4_PGE = 1 << 7;
/** UMIP, LA57, protection keys: features no model has. */
const CR4_NEVER = (1 << 11) | (1 << 12) | (1 << 22) | (1 << 24);
/** Bits whose change makes every translation stale. */
const CR0_MAPPING = CR0_PG | CR0_WP | CR0_PE;
const CR4_MAPPING = CR4_PGE | CR4_PAE | CR4_PSE | CR4_SMEP | CR4_SMAP;

/** Any write of CR0: no checks on combinations, as QEMU. */
export function updateCr0(cpu: Cpu, value: number): void {
  if (((value ^ cpu.cr0) & CR0_MAPPING) !== 0) flushTlb(cpu);
  cpu.cr0 = value | CR0_ET;
  updateMode(cpu);
}

export function updateCr3(cpu: Cpu, value: number): void {
  cpu.cr3 = value;
  if ((cpu.cr0 & CR0_PG) !== 0) flushTlb(cpu);
}

/** Any write of CR4; bits of absent features do not stick where QEMU drops them. */
export function updateCr4(cpu: Cpu, value: number): void {
  if (((value ^ cpu.cr4) & CR4_MAPPING) !== 0) flushTlb(cpu);
  const dropped = CR4_NEVER | (hasFeature(cpu.model, 'smap') ? 0 : CR4_SMAP);
  cpu.cr4 = value & ~dropped;
  updateMode(cpu);
}
