import type { Cpu } from './cpu.js';
import { setArithFlags } from './flags.js';
import { EFLAGS, FLAG_DF } from './regs.js';
import { updateMode } from './segments.js';

/** Loads EFLAGS: arithmetic flags and DF always, the others where `mask` has them. */
export function loadEflags(cpu: Cpu, value: number, mask: number): void {
  setArithFlags(cpu, value);
  const taken = mask | FLAG_DF;
  cpu.r[EFLAGS] = (cpu.r[EFLAGS] & ~taken) | (value & taken) | 2;
  updateMode(cpu);
}
