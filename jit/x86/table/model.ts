import type { CpuModelName } from '../cpu.js';
import { raiseStatic, UD } from '../fault.js';
import type { Exec } from '../insn.js';

/** An executor for an instruction only `model` has; #UD on the others. */
export function needsModel(model: CpuModelName, exec: Exec): Exec {
  return (cpu, i) => {
    if (cpu.model !== model) raiseStatic(UD);
    exec(cpu, i);
  };
}
