import type { Cpu } from '../cpu.js';
import { NM, raiseStatic } from '../fault.js';
import { checkPendingError, SW_CONDITION } from '../fpu.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load16, store16, store32 } from '../mmu.js';
import { MODE_MP, MODE_TS } from '../mode.js';
import { effectiveAddress } from '../operands.js';
import { EAX } from '../regs.js';
import { loadRegisters, memoryRow, noteInstruction, plainRow, registerRow, storeRegisters, withRegister } from './x87-common.js';

/** FNSTENV: 7 words or doublewords (SDM Vol. 1, figures 8-9 to 8-12; QEMU has the protected mode layout in real mode too). */
function storeEnvironment(cpu: Cpu, laddr: number, sizeBits: number): void {
  const fpu = cpu.fpu;
  const words = [
    fpu.controlWord,
    fpu.getStatusWord(),
    fpu.tagWord(),
    fpu.instructionOffset,
    fpu.instructionSelector,
    fpu.dataOffset,
    fpu.dataSelector,
  ];
  for (let n = 0; n < 7; n++) {
    if (sizeBits === 32) store32(cpu, (laddr + 4 * n) | 0, words[n]!);
    else store16(cpu, (laddr + 2 * n) | 0, words[n]! & 0xffff);
  }
}

/** FLDENV: control, status and tag words; QEMU does not load the pointers. */
function loadEnvironment(cpu: Cpu, laddr: number, sizeBits: number): void {
  const fpu = cpu.fpu;
  const step = sizeBits >> 3;
  // The control word takes effect before the rest is read, and stays if that faults.
  fpu.setControlWord(load16(cpu, laddr));
  const statusWord = load16(cpu, (laddr + step) | 0);
  const tags = load16(cpu, (laddr + 2 * step) | 0);
  fpu.setStatusWord(statusWord);
  fpu.setTagWord(tags);
}

function fnsave(cpu: Cpu, i: Insn): void {
  const laddr = effectiveAddress(cpu, i);
  storeEnvironment(cpu, laddr, i.size);
  storeRegisters(cpu, laddr + (i.size === 32 ? 28 : 14), 10);
  cpu.fpu.init();
}

function frstor(cpu: Cpu, i: Insn): void {
  const laddr = effectiveAddress(cpu, i);
  loadEnvironment(cpu, laddr, i.size);
  loadRegisters(cpu, laddr + (i.size === 32 ? 28 : 14), 10);
}

function deviceNotAvailable(): never {
  return raiseStatic(NM);
}

function fwait(i: Insn): Exec {
  return (i.mode & (MODE_MP | MODE_TS)) === (MODE_MP | MODE_TS) ? deviceNotAvailable : checkPendingError;
}

function stepTop(by: number): Exec {
  return (cpu) => {
    cpu.fpu.top = (cpu.fpu.top + by) & 7;
    cpu.fpu.statusWord &= ~SW_CONDITION;
    noteInstruction(cpu);
  };
}

const ffree = withRegister((cpu, rm) => {
  cpu.fpu.empty[(cpu.fpu.top + rm) & 7] = 1;
});

const ffreep = withRegister((cpu, rm) => {
  cpu.fpu.empty[(cpu.fpu.top + rm) & 7] = 1;
  cpu.fpu.pop();
});

function fnstswAx(cpu: Cpu): void {
  cpu.r[EAX] = (cpu.r[EAX]! & ~0xffff) | cpu.fpu.getStatusWord();
  noteInstruction(cpu);
}

/** Control, environment and state; none of those with a memory operand changes FIP or FDP. */
export const x87ControlRows: readonly Row[] = [
  memoryRow('fldenv', 0xd9, 4, (cpu, i) => loadEnvironment(cpu, effectiveAddress(cpu, i), i.size), 'v'),
  memoryRow('fldcw', 0xd9, 5, (cpu, i) => cpu.fpu.setControlWord(load16(cpu, effectiveAddress(cpu, i))), 16),
  memoryRow('fnstenv', 0xd9, 6, (cpu, i) => storeEnvironment(cpu, effectiveAddress(cpu, i), i.size), 'v'),
  memoryRow('fnstcw', 0xd9, 7, (cpu, i) => store16(cpu, effectiveAddress(cpu, i), cpu.fpu.controlWord), 16),
  memoryRow('frstor', 0xdd, 4, frstor, 'v'),
  memoryRow('fnsave', 0xdd, 6, fnsave, 'v'),
  memoryRow('fnstsw', 0xdd, 7, (cpu, i) => store16(cpu, effectiveAddress(cpu, i), cpu.fpu.getStatusWord()), 16),
  plainRow('fnstsw', 0xdf, 0xe0, fnstswAx),
  plainRow('fnop', 0xd9, 0xd0, checkPendingError),
  plainRow('fnclex', 0xdb, 0xe2, (cpu) => cpu.fpu.clearExceptions()),
  plainRow('fninit', 0xdb, 0xe3, (cpu) => cpu.fpu.init()),
  // 8087 and 80287 only: nothing but FIP changes.
  plainRow('fneni', 0xdb, 0xe0, noteInstruction),
  plainRow('fndisi', 0xdb, 0xe1, noteInstruction),
  plainRow('fnsetpm', 0xdb, 0xe4, noteInstruction),
  plainRow('fdecstp', 0xd9, 0xf6, stepTop(-1)),
  plainRow('fincstp', 0xd9, 0xf7, stepTop(1)),
  registerRow('ffree', 0xdd, 0, ffree),
  registerRow('ffreep', 0xdf, 0, ffreep),
  { name: 'fwait', map: '1', opcode: 0x9b, modrm: false, size: 32, exec: fwait, test: 'fpu' },
];
