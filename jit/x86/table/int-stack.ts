import type { Exec, Insn, Row } from '../insn.js';
import { load16, load32, store16, store32 } from '../mmu.js';
import { readRm16, readRm32, writeReg, writeRm } from '../operands.js';
import { dropStack, push, push16, push32, setStackPointer, stackAddress, stackTop } from '../push-pop.js';
import { EBP, ESP } from '../regs.js';

const pushReg16: Exec = (cpu, i) => push16(cpu, cpu.r[i.reg]);
const pushReg32: Exec = (cpu, i) => push32(cpu, cpu.r[i.reg]);
const pushImm: Exec = (cpu, i) => push(cpu, i, i.imm);
const pushRm16: Exec = (cpu, i) => push16(cpu, readRm16(cpu, i));
const pushRm32: Exec = (cpu, i) => push32(cpu, readRm32(cpu, i));

/** The register is written last: POP ESP. */
const popReg: Exec = (cpu, i) => {
  const value = stackTop(cpu, i);
  dropStack(cpu, i.size >> 3);
  writeReg(cpu, i.reg, value, i.size);
};
const popRmReg: Exec = (cpu, i) => {
  const value = stackTop(cpu, i);
  dropStack(cpu, i.size >> 3);
  writeReg(cpu, i.rm, value, i.size);
};
const popMem: Exec = (cpu, i) => {
  writeRm(cpu, i, stackTop(cpu, i));
  dropStack(cpu, i.size >> 3);
};

/** An ESP base means ESP after the pop (SDM Vol. 2, POP): known now, so it goes into the displacement. */
function popRm(i: Insn): Exec {
  if (i.mod === 3) return popRmReg;
  if (i.base === ESP) i.disp = (i.disp + (i.size >> 3)) | 0;
  return popMem;
}

/** Lowest address (EDI) first, as QEMU. */
const pusha: Exec = (cpu, i) => {
  const r = cpu.r;
  const bytes = i.size >> 3;
  const esp = r[ESP];
  for (let n = 0; n < 8; n++) {
    const laddr = stackAddress(cpu, esp + (n - 8) * bytes);
    if (i.size === 32) store32(cpu, laddr, r[7 - n]!);
    else store16(cpu, laddr, r[7 - n]! & 0xffff);
  }
  setStackPointer(cpu, (esp - 8 * bytes) | 0);
};

const popa: Exec = (cpu, i) => {
  const r = cpu.r;
  const bytes = i.size >> 3;
  const esp = r[ESP];
  for (let n = 0; n < 8; n++) {
    const register = 7 - n;
    if (register === ESP) continue;
    const laddr = stackAddress(cpu, esp + n * bytes);
    writeReg(cpu, register, i.size === 32 ? load32(cpu, laddr) : load16(cpu, laddr), i.size);
  }
  setStackPointer(cpu, (esp + 8 * bytes) | 0);
};

const enter: Exec = (cpu, i) => {
  const r = cpu.r;
  const bytes = i.size >> 3;
  const level = i.imm2 & 31;
  const frame = (r[ESP] - bytes) | 0;
  const storeAt = (offset: number, value: number): void => {
    const laddr = stackAddress(cpu, offset);
    if (i.size === 32) store32(cpu, laddr, value);
    else store16(cpu, laddr, value & 0xffff);
  };
  storeAt(frame, r[EBP]);
  for (let n = 1; n < level; n++) {
    const from = stackAddress(cpu, r[EBP] - n * bytes);
    storeAt(frame - n * bytes, i.size === 32 ? load32(cpu, from) : load16(cpu, from));
  }
  if (level !== 0) storeAt(frame - level * bytes, frame);
  writeReg(cpu, EBP, frame, i.size);
  setStackPointer(cpu, (frame - level * bytes - i.imm) | 0);
};

const leave: Exec = (cpu, i) => {
  const r = cpu.r;
  const laddr = stackAddress(cpu, r[EBP]);
  const value = i.size === 32 ? load32(cpu, laddr) : load16(cpu, laddr);
  const esp = (r[EBP] + (i.size >> 3)) | 0;
  writeReg(cpu, EBP, value, i.size);
  setStackPointer(cpu, esp);
};

/** Stack instructions without segment registers and flags (SDM Vol. 2). */
export const stackTable: readonly Row[] = [
  { name: 'push', opcode: 0x50, count: 8, modrm: false, exec: (i: Insn) => (i.size === 32 ? pushReg32 : pushReg16) } as const,
  { name: 'pop', opcode: 0x58, count: 8, modrm: false, exec: () => popReg } as const,
  { name: 'pusha', opcode: 0x60, modrm: false, exec: () => pusha } as const,
  { name: 'popa', opcode: 0x61, modrm: false, exec: () => popa } as const,
  { name: 'push', opcode: 0x68, modrm: false, imm: 'v', exec: () => pushImm } as const,
  { name: 'push', opcode: 0x6a, modrm: false, imm: 'sb', exec: () => pushImm } as const,
  // Any /digit, as QEMU (the SDM has /0 only).
  { name: 'pop', opcode: 0x8f, modrm: true, exec: popRm } as const,
  { name: 'push', opcode: 0xff, digit: 6, modrm: true, exec: (i: Insn) => (i.size === 32 ? pushRm32 : pushRm16) } as const,
  { name: 'enter', opcode: 0xc8, modrm: false, imm: 'wb', exec: () => enter } as const,
  { name: 'leave', opcode: 0xc9, modrm: false, exec: () => leave } as const,
].map((row): Row => ({ map: '1', size: 'v', test: 'integer', ...row }));
