import type { Cpu } from '../cpu.js';
import { loadEflags } from '../eflags.js';
import { farCall, farJump, farReturn, interruptReturn } from '../far.js';
import { BP, BR, GP, OF, raiseFault, raiseSoftware, raiseStatic } from '../fault.js';
import { getOF, readEflags } from '../flags.js';
import { END_SYSTEM, type Exec, type Insn, type Row } from '../insn.js';
import { load16, load32 } from '../mmu.js';
import { MODE_INHIBIT } from '../mode.js';
import { MSR_SYSENTER_CS, MSR_SYSENTER_EIP, MSR_SYSENTER_ESP } from '../msr.js';
import { effectiveAddress } from '../operands.js';
import { dropStack, push, stackTop } from '../push-pop.js';
import {
  CS,
  ECX,
  EDX,
  EFLAGS,
  EIP,
  ESP,
  FLAG_AC,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VM,
  FLAGS_ARITH,
  SS,
} from '../regs.js';
import { loadSegmentCache, updateMode } from '../segments.js';
import { checkIopl, checkVm86Iopl } from './privilege.js';

function wide(i: Insn): boolean {
  return i.size === 32;
}

const jumpFar: Exec = (cpu, i) => farJump(cpu, i.imm2, i.imm);
const callFar: Exec = (cpu, i) => farCall(cpu, i.imm2, i.imm, wide(i));

/** Offset first, then the selector behind it; the second address is not cut to the address size. */
function readFarPointer(cpu: Cpu, i: Insn): { offset: number; selector: number } {
  const laddr = effectiveAddress(cpu, i);
  const offset = wide(i) ? load32(cpu, laddr) : load16(cpu, laddr);
  return { offset, selector: load16(cpu, (laddr + (i.size >> 3)) | 0) };
}

const jumpFarMem: Exec = (cpu, i) => {
  const { offset, selector } = readFarPointer(cpu, i);
  farJump(cpu, selector, offset);
};
const callFarMem: Exec = (cpu, i) => {
  const { offset, selector } = readFarPointer(cpu, i);
  farCall(cpu, selector, offset, wide(i));
};
const returnFar: Exec = (cpu, i) => farReturn(cpu, wide(i), 0);
/** QEMU takes the immediate as signed. */
const returnFarImm: Exec = (cpu, i) => farReturn(cpu, wide(i), (i.imm << 16) >> 16);
const iret: Exec = (cpu, i) => {
  checkVm86Iopl(cpu);
  interruptReturn(cpu, wide(i));
};

const int3: Exec = () => raiseSoftware(BP);
const intN: Exec = (cpu, i) => {
  checkVm86Iopl(cpu);
  raiseSoftware(i.imm);
};
const into: Exec = (cpu) => {
  if (getOF(cpu)) raiseSoftware(OF);
};
const bound: Exec = (cpu, i) => {
  const laddr = effectiveAddress(cpu, i);
  let low: number;
  let high: number;
  let index = cpu.r[i.reg];
  if (wide(i)) {
    low = load32(cpu, laddr);
    high = load32(cpu, (laddr + 4) | 0);
  } else {
    low = (load16(cpu, laddr) << 16) >> 16;
    high = (load16(cpu, (laddr + 2) | 0) << 16) >> 16;
    index = (index << 16) >> 16;
  }
  if (index < low || index > high) raiseFault(BR);
};

const cli: Exec = (cpu) => {
  checkIopl(cpu);
  cpu.r[EFLAGS] &= ~FLAG_IF;
};
/** Opens the interrupt shadow, unless it executes in one. */
export function openShadow(cpu: Cpu): void {
  cpu.mode |= MODE_INHIBIT;
}
const sti: Exec = (cpu) => {
  checkIopl(cpu);
  cpu.r[EFLAGS] |= FLAG_IF;
  openShadow(cpu);
};

const pushf: Exec = (cpu, i) => {
  checkVm86Iopl(cpu);
  push(cpu, i, readEflags(cpu) & ~(FLAG_VM | FLAG_RF));
};
const popf: Exec = (cpu, i) => {
  checkVm86Iopl(cpu);
  const value = stackTop(cpu, i);
  let mask = FLAG_TF | FLAG_AC | FLAG_ID | FLAG_NT;
  if (cpu.cpl === 0) mask |= FLAG_IF | FLAG_IOPL;
  else if (cpu.cpl <= ((cpu.r[EFLAGS] >>> 12) & 3)) mask |= FLAG_IF;
  loadEflags(cpu, value, wide(i) ? mask : mask & 0xffff);
  dropStack(cpu, i.size >> 3);
};

/** Flat segments of SYSENTER and SYSEXIT (SDM Vol. 2): G, D/B, P, S, accessed, code+readable or writable. */
const FLAT_CODE = 0xc09b00;
const FLAT_DATA = 0xc09300;
const DPL3 = 3 << 13;

function checkFast(cpu: Cpu): number {
  if ((cpu.cr0 & 1) === 0) raiseStatic(GP);
  return cpu.msr[2 * MSR_SYSENTER_CS];
}

const sysenter: Exec = (cpu) => {
  const base = checkFast(cpu);
  if (base === 0) raiseFault(GP);
  cpu.r[EFLAGS] &= ~(FLAG_VM | FLAG_IF | FLAG_RF);
  loadSegmentCache(cpu, CS, base & 0xfffc, 0, -1, FLAT_CODE);
  loadSegmentCache(cpu, SS, (base + 8) & 0xfffc, 0, -1, FLAT_DATA);
  cpu.r[ESP] = cpu.msr[2 * MSR_SYSENTER_ESP];
  cpu.r[EIP] = cpu.msr[2 * MSR_SYSENTER_EIP];
  updateMode(cpu);
};
const sysexit: Exec = (cpu) => {
  const base = checkFast(cpu);
  if (base === 0 || cpu.cpl !== 0) raiseFault(GP);
  loadSegmentCache(cpu, CS, ((base + 16) & 0xfffc) | 3, 0, -1, FLAT_CODE | DPL3);
  loadSegmentCache(cpu, SS, ((base + 24) & 0xfffc) | 3, 0, -1, FLAT_DATA | DPL3);
  cpu.r[ESP] = cpu.r[ECX];
  cpu.r[EIP] = cpu.r[EDX];
  updateMode(cpu);
};

const one = { map: '1', modrm: false, size: 'v', test: 'control' } as const;

/** Far transfers, interrupts by instruction, flags, SYSENTER (SDM Vol. 2). */
export const controlFarRows: readonly Row[] = [
  { ...one, name: 'jmpf', opcode: 0xea, imm: 'far', end: END_SYSTEM, exec: () => jumpFar },
  { ...one, name: 'callf', opcode: 0x9a, imm: 'far', end: END_SYSTEM, exec: () => callFar },
  { ...one, name: 'jmpf', opcode: 0xff, modrm: true, digit: 5, form: 'mem', end: END_SYSTEM, exec: () => jumpFarMem },
  { ...one, name: 'callf', opcode: 0xff, modrm: true, digit: 3, form: 'mem', end: END_SYSTEM, exec: () => callFarMem },
  { ...one, name: 'retf', opcode: 0xcb, end: END_SYSTEM, exec: () => returnFar },
  { ...one, name: 'retf', opcode: 0xca, imm: 'w', end: END_SYSTEM, exec: () => returnFarImm },
  { ...one, name: 'iret', opcode: 0xcf, writes: FLAGS_ARITH, end: END_SYSTEM, exec: () => iret },
  { ...one, name: 'int3', opcode: 0xcc, reads: FLAGS_ARITH, end: END_SYSTEM, exec: () => int3 },
  { ...one, name: 'int', opcode: 0xcd, imm: 'b', reads: FLAGS_ARITH, end: END_SYSTEM, exec: () => intN },
  // Does not end its block in QEMU: see Engine for what that does to the count.
  { ...one, name: 'into', opcode: 0xce, reads: FLAGS_ARITH, exec: () => into },
  { ...one, name: 'bound', opcode: 0x62, modrm: true, form: 'mem', exec: () => bound },
  { ...one, name: 'cli', opcode: 0xfa, test: 'privileged', exec: () => cli },
  { ...one, name: 'sti', opcode: 0xfb, test: 'privileged', end: END_SYSTEM, exec: () => sti },
  { ...one, name: 'pushf', opcode: 0x9c, reads: FLAGS_ARITH, test: 'integer', exec: () => pushf },
  { ...one, name: 'popf', opcode: 0x9d, writes: FLAGS_ARITH, end: END_SYSTEM, exec: () => popf },
  { ...one, map: '0f', name: 'sysenter', opcode: 0x34, end: END_SYSTEM, exec: () => sysenter },
  { ...one, map: '0f', name: 'sysexit', opcode: 0x35, end: END_SYSTEM, exec: () => sysexit },
];
