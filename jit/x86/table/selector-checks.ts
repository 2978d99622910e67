import type { Cpu } from '../cpu.js';
import { DESC_C, DESC_CODE, DESC_RW, DESC_S, descriptor, descriptorLimit, dplOf, readDescriptor, typeOf } from '../descriptors.js';
import { getArithFlags, setArithFlags } from '../flags.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load16, store16 } from '../mmu.js';
import { effectiveAddress, readRm16, writeReg, writeReg16 } from '../operands.js';
import { FLAG_ZF, FLAGS_ARITH } from '../regs.js';
import { protectedOnly } from './privilege.js';

/** System descriptor types LAR answers for: TSS, LDT, call gates, task gate; LSL leaves out the gates. */
const LAR_TYPES = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 9) | (1 << 11) | (1 << 12);
const LSL_TYPES = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 9) | (1 << 11);

function setZf(cpu: Cpu, on: boolean): void {
  const flags = getArithFlags(cpu);
  setArithFlags(cpu, on ? flags | FLAG_ZF : flags & ~FLAG_ZF);
}

function reachable(cpu: Cpu, selector: number): boolean {
  const dpl = dplOf(descriptor.high);
  return dpl >= cpu.cpl && dpl >= (selector & 3);
}

function isConforming(high: number): boolean {
  return (high & (DESC_CODE | DESC_C)) === (DESC_CODE | DESC_C);
}

/** Finds the descriptor and applies the rules LAR and LSL share. */
function visible(cpu: Cpu, selector: number, systemTypes: number): boolean {
  if ((selector & 0xfffc) === 0 || !readDescriptor(cpu, selector)) return false;
  const { high } = descriptor;
  if ((high & DESC_S) !== 0) return isConforming(high) || reachable(cpu, selector);
  return (systemTypes & (1 << typeOf(high))) !== 0 && reachable(cpu, selector);
}

const lar: Exec = (cpu, i) => {
  const found = visible(cpu, readRm16(cpu, i), LAR_TYPES);
  setZf(cpu, found);
  if (found) writeReg(cpu, i.reg, descriptor.high & 0x00f0ff00, i.size);
};
const lsl: Exec = (cpu, i) => {
  const found = visible(cpu, readRm16(cpu, i), LSL_TYPES);
  setZf(cpu, found);
  if (found) writeReg(cpu, i.reg, descriptorLimit(descriptor.low, descriptor.high), i.size);
};

function readable(cpu: Cpu, selector: number): boolean {
  if ((selector & 0xfffc) === 0 || !readDescriptor(cpu, selector)) return false;
  const { high } = descriptor;
  if ((high & DESC_S) === 0) return false;
  if ((high & DESC_CODE) === 0) return reachable(cpu, selector);
  return (high & DESC_RW) !== 0 && ((high & DESC_C) !== 0 || reachable(cpu, selector));
}

function writable(cpu: Cpu, selector: number): boolean {
  if ((selector & 0xfffc) === 0 || !readDescriptor(cpu, selector)) return false;
  const { high } = descriptor;
  return (high & (DESC_S | DESC_CODE | DESC_RW)) === (DESC_S | DESC_RW) && reachable(cpu, selector);
}

const verr: Exec = (cpu, i) => setZf(cpu, readable(cpu, readRm16(cpu, i)));
const verw: Exec = (cpu, i) => setZf(cpu, writable(cpu, readRm16(cpu, i)));

/** A memory operand is written back whether it changes or not. */
function arpl(cpu: Cpu, i: Insn): void {
  const laddr = i.mod === 3 ? 0 : effectiveAddress(cpu, i);
  const destination = i.mod === 3 ? cpu.r[i.rm] & 0xffff : load16(cpu, laddr);
  const rpl = cpu.r[i.reg] & 3;
  const raised = (destination & 3) < rpl;
  const result = raised ? (destination & ~3) | rpl : destination;
  if (i.mod === 3) writeReg16(cpu, i.rm, result);
  else store16(cpu, laddr, result);
  setZf(cpu, raised);
}

const common = { modrm: true, reads: FLAGS_ARITH, writes: FLAGS_ARITH, test: 'privileged' } as const;

/** LAR, LSL, VERR, VERW, ARPL (SDM Vol. 2): only ZF changes. */
export const selectorRows: readonly Row[] = [
  { ...common, map: '0f', name: 'verr', opcode: 0x00, digit: 4, size: 16, exec: () => protectedOnly(verr) },
  { ...common, map: '0f', name: 'verw', opcode: 0x00, digit: 5, size: 16, exec: () => protectedOnly(verw) },
  { ...common, map: '0f', name: 'lar', opcode: 0x02, size: 'v', exec: () => protectedOnly(lar) },
  { ...common, map: '0f', name: 'lsl', opcode: 0x03, size: 'v', exec: () => protectedOnly(lsl) },
  { ...common, map: '1', name: 'arpl', opcode: 0x63, size: 16, exec: () => protectedOnly(arpl) },
];
