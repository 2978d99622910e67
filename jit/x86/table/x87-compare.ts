import type { Cpu } from '../cpu.js';
import { getArithFlags, setArithFlags } from '../flags.js';
import { SW_C0, SW_C1, SW_C2, SW_C3, SW_CONDITION } from '../fpu.js';
import type { Exec, Row } from '../insn.js';
import { FLAG_CF, FLAG_PF, FLAG_ZF } from '../regs.js';
import { EXP_MAX, isInfinity, isZero, setZero } from '../softfloat/floatx80.js';
import { compareFloatx80 } from '../softfloat/floatx80-convert.js';
import { noteInstruction, plainRow, registerRow, withRegister, X, Y } from './x87-common.js';

/** Condition codes of ORDER_LESS .. ORDER_UNORDERED. */
const COMPARE_CODES = [SW_C0, SW_C3, 0, SW_C3 | SW_C2 | SW_C0];

/** Compares ST(0) with Y. */
export function compareTop(cpu: Cpu, quiet: boolean): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  fpu.status.flags = 0;
  const order = compareFloatx80(fpu.status, X, Y, quiet);
  fpu.statusWord = (fpu.statusWord & ~(SW_C3 | SW_C2 | SW_C0)) | COMPARE_CODES[order + 1]!;
  fpu.mergeExceptions();
}

function compareFlags(cpu: Cpu, quiet: boolean): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  fpu.status.flags = 0;
  const order = compareFloatx80(fpu.status, X, Y, quiet);
  const flags = order === 2 ? FLAG_ZF | FLAG_PF | FLAG_CF : order === 0 ? FLAG_ZF : order < 0 ? FLAG_CF : 0;
  setArithFlags(cpu, (getArithFlags(cpu) & ~(FLAG_ZF | FLAG_PF | FLAG_CF)) | flags);
  fpu.mergeExceptions();
}

/** Compares ST(0) with ST(i) and pops 0, 1 or 2 times. */
function compareRegister(quiet: boolean, pops: number): Exec {
  return withRegister((cpu, rm) => {
    cpu.fpu.get(rm, Y);
    compareTop(cpu, quiet);
    for (let n = 0; n < pops; n++) cpu.fpu.pop();
  });
}

function compareFlagsRow(name: string, opcode: number, digit: number, quiet: boolean): Row {
  const pops = opcode === 0xdf;
  const exec = withRegister((cpu, rm) => {
    cpu.fpu.get(rm, Y);
    compareFlags(cpu, quiet);
    if (pops) cpu.fpu.pop();
  });
  return { ...registerRow(name, opcode, digit, exec), writes: FLAG_ZF | FLAG_PF | FLAG_CF };
}

function ftst(cpu: Cpu): void {
  setZero(Y, 0);
  compareTop(cpu, false);
  noteInstruction(cpu);
}

function fxam(cpu: Cpu): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  let codes = X.signExp >> 15 !== 0 ? SW_C1 : 0;
  const exp = X.signExp & EXP_MAX;
  if (fpu.empty[fpu.top] !== 0) codes |= SW_C3 | SW_C0;
  else if (exp === 0) codes |= isZero(X) ? SW_C3 : SW_C3 | SW_C2;
  else if (X.hi < 0) codes |= exp !== EXP_MAX ? SW_C2 : isInfinity(X) ? SW_C2 | SW_C0 : SW_C0;
  fpu.statusWord = (fpu.statusWord & ~SW_CONDITION) | codes;
  noteInstruction(cpu);
}

/** Comparison of registers, and classification. */
export const x87CompareRows: readonly Row[] = [
  registerRow('fcom', 0xd8, 2, compareRegister(false, 0)),
  registerRow('fcomp', 0xd8, 3, compareRegister(false, 1)),
  registerRow('fcom', 0xdc, 2, compareRegister(false, 0)),
  registerRow('fcomp', 0xdc, 3, compareRegister(false, 1)),
  registerRow('fcomp', 0xde, 2, compareRegister(false, 1)),
  plainRow('fcompp', 0xde, 0xd9, compareRegister(false, 2)),
  registerRow('fucom', 0xdd, 4, compareRegister(true, 0)),
  registerRow('fucomp', 0xdd, 5, compareRegister(true, 1)),
  plainRow('fucompp', 0xda, 0xe9, compareRegister(true, 2)),
  compareFlagsRow('fucomi', 0xdb, 5, true),
  compareFlagsRow('fcomi', 0xdb, 6, false),
  compareFlagsRow('fucomip', 0xdf, 5, true),
  compareFlagsRow('fcomip', 0xdf, 6, false),
  plainRow('ftst', 0xd9, 0xe4, ftst),
  plainRow('fxam', 0xd9, 0xe5, fxam),
];
