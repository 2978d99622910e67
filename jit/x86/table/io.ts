import type { AccessSize } from '../../../src/core/bus.js';
import type { Cpu } from '../cpu.js';
import { checkIoBreakpoints } from '../debug-registers.js';
import { END_IO, type Exec, type Insn, type Row } from '../insn.js';
import { checkIo } from '../io-permission.js';
import { MODE_CS32 } from '../mode.js';
import { loadSized, storeSized, writeReg, writeReg8, writeReg16 } from '../operands.js';
import { EAX, ECX, EDI, EDX, EFLAGS, EIP, ES, ESI, FLAG_DF, SEG_BASE } from '../regs.js';
import { stayOnInsn } from './string.js';

function readPort(cpu: Cpu, port: number, i: Insn): number {
  return cpu.board.readPort(port, (i.size >> 3) as AccessSize);
}

function writePort(cpu: Cpu, port: number, value: number, i: Insn): void {
  const size = (i.size >> 3) as AccessSize;
  cpu.board.writePort(port, size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff, size);
}

function input(cpu: Cpu, i: Insn, port: number): void {
  checkIo(cpu, port, i.size >> 3);
  const value = readPort(cpu, port, i);
  if (i.size === 8) writeReg8(cpu, EAX, value);
  else if (i.size === 16) writeReg16(cpu, EAX, value);
  else cpu.r[EAX] = value;
  checkIoBreakpoints(cpu, port, i.size >> 3);
}

function output(cpu: Cpu, i: Insn, port: number): void {
  checkIo(cpu, port, i.size >> 3);
  writePort(cpu, port, cpu.r[EAX], i);
  checkIoBreakpoints(cpu, port, i.size >> 3);
}

const inImm: Exec = (cpu, i) => input(cpu, i, i.imm);
const inDx: Exec = (cpu, i) => input(cpu, i, cpu.r[EDX] & 0xffff);
const outImm: Exec = (cpu, i) => output(cpu, i, i.imm);
const outDx: Exec = (cpu, i) => output(cpu, i, cpu.r[EDX] & 0xffff);

function advance(cpu: Cpu, i: Insn, n: number): void {
  const bytes = i.size >> 3;
  writeReg(cpu, n, (cpu.r[n] + ((cpu.r[EFLAGS] & FLAG_DF) !== 0 ? -bytes : bytes)) | 0, i.addressSize);
}

/** Stores a 0 first, so that a page fault comes before the port is read (QEMU). */
function ins(cpu: Cpu, i: Insn): void {
  const laddr = ((cpu.r[EDI] & i.mask) + cpu.r[SEG_BASE + ES]) | 0;
  storeSized(cpu, laddr, 0, i.size);
  storeSized(cpu, laddr, readPort(cpu, cpu.r[EDX] & 0xffff, i), i.size);
  advance(cpu, i, EDI);
  // Ahead of the count register: a trapped REP INS goes on behind itself, as in QEMU.
  checkIoBreakpoints(cpu, cpu.r[EDX] & 0xffff, i.size >> 3);
}

function outs(cpu: Cpu, i: Insn): void {
  const value = loadSized(cpu, ((cpu.r[ESI] & i.mask) + cpu.r[i.segment]) | 0, i.size);
  writePort(cpu, cpu.r[EDX] & 0xffff, value, i);
  advance(cpu, i, ESI);
  checkIoBreakpoints(cpu, cpu.r[EDX] & 0xffff, i.size >> 3);
}

/** One pass of INS or OUTS, with or without repeat prefix. The permission check comes even when (E)CX is 0. */
function pass(cpu: Cpu, i: Insn, iteration: (cpu: Cpu, i: Insn) => void): void {
  const r = cpu.r;
  checkIo(cpu, r[EDX] & 0xffff, i.size >> 3);
  if (i.rep === 0) {
    iteration(cpu, i);
    return;
  }
  if ((r[ECX] & i.mask) === 0) {
    if ((i.mode & MODE_CS32) === 0) r[EIP] &= 0xffff;
    return;
  }
  iteration(cpu, i);
  writeReg(cpu, ECX, (r[ECX] - 1) | 0, i.addressSize);
  stayOnInsn(cpu, i);
}

const insPass: Exec = (cpu, i) => pass(cpu, i, ins);
const outsPass: Exec = (cpu, i) => pass(cpu, i, outs);

/** IN, OUT, INS, OUTS (SDM Vol. 2). Each ends its block; a repeated one does one iteration per pass. */
export const ioRows: readonly Row[] = [
  { name: 'in', opcode: 0xe4, imm: 'b', exec: () => inImm } as const,
  { name: 'out', opcode: 0xe6, imm: 'b', exec: () => outImm } as const,
  { name: 'in', opcode: 0xec, exec: () => inDx } as const,
  { name: 'out', opcode: 0xee, exec: () => outDx } as const,
  { name: 'ins', opcode: 0x6c, exec: () => insPass } as const,
  { name: 'outs', opcode: 0x6e, exec: () => outsPass } as const,
].flatMap((row): Row[] => [
  { map: '1', modrm: false, size: 8, end: END_IO, test: 'privileged', ...row },
  { map: '1', modrm: false, size: 'v', end: END_IO, test: 'privileged', ...row, opcode: row.opcode + 1 },
]);
