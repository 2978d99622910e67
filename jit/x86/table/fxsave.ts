import type { Cpu } from '../cpu.js';
import { GP, NM, raiseFault, raiseStatic } from '../fault.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load16, load32, store16, store32 } from '../mmu.js';
import { MODE_EM, MODE_TS } from '../mode.js';
import { effectiveAddress } from '../operands.js';
import { loadRegisters, storeRegisters } from './x87-common.js';

// The FXSAVE area (SDM Vol. 1, table 10-2).
const CONTROL_WORD = 0;
const STATUS_WORD = 2;
const ABRIDGED_TAGS = 4;
const POINTERS = 8;
const MXCSR = 24;
const MXCSR_MASK = 28;
const REGISTERS = 32;
const XMM_REGISTERS = 160;

const CR4_OSFXSR = 0x200;
const WRITABLE_MXCSR = 0xffff;

/** The x87 part; QEMU writes the pointers as 0 and leaves the opcode field alone. */
function storeX87(cpu: Cpu, laddr: number): void {
  const fpu = cpu.fpu;
  let valid = 0;
  for (let n = 0; n < 8; n++) if (fpu.empty[n] === 0) valid |= 1 << n;
  store16(cpu, (laddr + CONTROL_WORD) | 0, fpu.controlWord);
  store16(cpu, (laddr + STATUS_WORD) | 0, fpu.getStatusWord());
  store16(cpu, (laddr + ABRIDGED_TAGS) | 0, valid);
  for (let n = POINTERS; n < MXCSR; n += 4) store32(cpu, (laddr + n) | 0, 0);
  storeRegisters(cpu, laddr + REGISTERS, 16);
}

function loadX87(cpu: Cpu, laddr: number): void {
  const fpu = cpu.fpu;
  const controlWord = load16(cpu, (laddr + CONTROL_WORD) | 0);
  const statusWord = load16(cpu, (laddr + STATUS_WORD) | 0);
  const valid = load16(cpu, (laddr + ABRIDGED_TAGS) | 0);
  fpu.setControlWord(controlWord);
  fpu.setStatusWord(statusWord);
  for (let n = 0; n < 8; n++) fpu.empty[n] = (valid & (1 << n)) !== 0 ? 0 : 1;
  loadRegisters(cpu, laddr + REGISTERS, 16);
}

function storeSse(cpu: Cpu, laddr: number): void {
  store32(cpu, (laddr + MXCSR) | 0, cpu.sse.mxcsr | 0);
  store32(cpu, (laddr + MXCSR_MASK) | 0, WRITABLE_MXCSR);
  for (let n = 0; n < 32; n++) store32(cpu, (laddr + XMM_REGISTERS + 4 * n) | 0, cpu.sse.i32[n]!);
}

function loadSse(cpu: Cpu, laddr: number): void {
  cpu.sse.mxcsr = load32(cpu, (laddr + MXCSR) | 0);
  for (let n = 0; n < 32; n++) cpu.sse.i32[n] = load32(cpu, (laddr + XMM_REGISTERS + 4 * n) | 0);
}

/** The operand: #GP(0) unless it lies on a multiple of 16. */
function area(cpu: Cpu, i: Insn): number {
  const laddr = effectiveAddress(cpu, i);
  if ((laddr & 15) !== 0) raiseFault(GP);
  return laddr;
}

function fxsave(cpu: Cpu, i: Insn): void {
  const laddr = area(cpu, i);
  storeX87(cpu, laddr);
  if ((cpu.cr4 & CR4_OSFXSR) !== 0) storeSse(cpu, laddr);
}

function fxrstor(cpu: Cpu, i: Insn): void {
  const laddr = area(cpu, i);
  loadX87(cpu, laddr);
  if ((cpu.cr4 & CR4_OSFXSR) !== 0) loadSse(cpu, laddr);
}

function deviceNotAvailable(): never {
  return raiseStatic(NM);
}

function row(name: string, digit: number, exec: Exec): Row {
  const pick = (i: Insn): Exec => ((i.mode & (MODE_EM | MODE_TS)) !== 0 ? deviceNotAvailable : exec);
  return { name, map: '0f', opcode: 0xae, digit, form: 'mem', modrm: true, size: 32, lockable: false, exec: pick, test: 'fpu' };
}

/** FXSAVE and FXRSTOR: with CR4.OSFXSR the SSE state too. */
export const fxsaveRows: readonly Row[] = [row('fxsave', 0, fxsave), row('fxrstor', 1, fxrstor)];
