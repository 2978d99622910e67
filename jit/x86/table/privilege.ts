import type { Cpu } from '../cpu.js';
import { GP, raiseStatic, UD } from '../fault.js';
import type { Exec } from '../insn.js';
import { MODE_VM } from '../mode.js';
import { EFLAGS } from '../regs.js';
import { isProtected } from '../segments.js';

// Checks that QEMU makes while translating: the instruction counts as executed when they fail.

function iopl(cpu: Cpu): number {
  return (cpu.r[EFLAGS] >>> 12) & 3;
}

/** Wraps an executor: #GP(0) unless CPL is 0. */
export function privileged(exec: Exec): Exec {
  return (cpu, i) => {
    if (cpu.cpl !== 0) raiseStatic(GP);
    exec(cpu, i);
  };
}

/** Wraps an executor: #UD outside protected mode (virtual-8086 mode included). */
export function protectedOnly(exec: Exec): Exec {
  return (cpu, i) => {
    if (!isProtected(cpu)) raiseStatic(UD);
    exec(cpu, i);
  };
}

/** #GP(0) in virtual-8086 mode with IOPL below 3: INT n, IRET, PUSHF, POPF. */
export function checkVm86Iopl(cpu: Cpu): void {
  if ((cpu.mode & MODE_VM) !== 0 && iopl(cpu) !== 3) raiseStatic(GP);
}

/** #GP(0) unless IOPL allows it: CLI, STI. */
export function checkIopl(cpu: Cpu): void {
  const allowed = (cpu.mode & MODE_VM) !== 0 ? iopl(cpu) === 3 : cpu.cpl <= iopl(cpu);
  if (!allowed) raiseStatic(GP);
}
