import type { Cpu } from '../cpu.js';
import { CC_SAR, CC_SHL, ccOp, getArithFlags, setArithFlags } from '../flags.js';
import type { Exec, Insn, Row } from '../insn.js';
import { effectiveAddress, loadSized, readReg8, storeSized, writeReg8, writeReg16 } from '../operands.js';
import { CC_DST, CC_OP, CC_SRC, ECX, FLAG_CF, FLAG_OF, FLAGS_ARITH } from '../regs.js';

/** /digit of group 2; /6 is SHL too. */
const ROL = 0;
const ROR = 1;
const RCL = 2;
const RCR = 3;
const SHL = 4;
const SHR = 5;
const SAR = 7;

/** r/m operand, zero-extended (as int32 for 32 bits). */
function readOperand(cpu: Cpu, i: Insn, laddr: number): number {
  if (i.mod !== 3) return loadSized(cpu, laddr, i.size);
  return i.size === 8 ? readReg8(cpu, i.rm) : i.size === 16 ? cpu.r[i.rm] & 0xffff : cpu.r[i.rm];
}

function writeOperand(cpu: Cpu, i: Insn, laddr: number, value: number): void {
  if (i.mod !== 3) storeSized(cpu, laddr, value, i.size);
  else if (i.size === 8) writeReg8(cpu, i.rm, value);
  else if (i.size === 16) writeReg16(cpu, i.rm, value);
  else cpu.r[i.rm] = value;
}

/** SHL, SHR, SAR. A count of 0 (after masking with 31) still writes the operand back but leaves the flags. */
function shift(cpu: Cpu, i: Insn, op: number, count: number): void {
  const laddr = i.mod === 3 ? 0 : effectiveAddress(cpu, i);
  const value = readOperand(cpu, i, laddr);
  if (count === 0) {
    if (i.mod !== 3) writeOperand(cpu, i, laddr, value);
    return;
  }
  let last: number;
  let result: number;
  if (op === SHR) {
    last = value >>> (count - 1);
    result = value >>> count;
  } else if (op === SAR) {
    const top = 32 - i.size;
    const signed = (value << top) >> top;
    last = signed >> (count - 1);
    result = signed >> count;
  } else {
    last = value << (count - 1);
    result = value << count;
  }
  writeOperand(cpu, i, laddr, result | 0);
  const r = cpu.r;
  r[CC_OP] = ccOp(op === SHR || op === SAR ? CC_SAR : CC_SHL, i.size);
  r[CC_DST] = result;
  r[CC_SRC] = last;
}

/** ROL, ROR: CF and OF from the result, also when the masked count is a multiple of the size but not 0 (SDM; QEMU). */
function rotate(cpu: Cpu, i: Insn, op: number, count: number): void {
  const size = i.size;
  const laddr = i.mod === 3 ? 0 : effectiveAddress(cpu, i);
  const value = readOperand(cpu, i, laddr);
  if (count === 0) {
    if (i.mod !== 3) writeOperand(cpu, i, laddr, value);
    return;
  }
  const by = (op === ROL ? count : -count) & (size - 1);
  const result = by === 0 ? value : (value << by) | (value >>> (size - by));
  writeOperand(cpu, i, laddr, result | 0);
  const high = (result >>> (size - 1)) & 1;
  const carry = op === ROL ? result & 1 : high;
  const overflow = op === ROL ? high ^ carry : high ^ ((result >>> (size - 2)) & 1);
  setArithFlags(cpu, (getArithFlags(cpu) & ~(FLAG_CF | FLAG_OF)) | (carry !== 0 ? FLAG_CF : 0) | (overflow !== 0 ? FLAG_OF : 0));
}

/** RCL, RCR: the count is taken modulo size + 1 after masking with 31. OF is the change of the sign bit. */
function rotateCarry(cpu: Cpu, i: Insn, op: number, masked: number): void {
  const size = i.size;
  const laddr = i.mod === 3 ? 0 : effectiveAddress(cpu, i);
  const value = readOperand(cpu, i, laddr);
  const count = size === 32 ? masked : masked % (size + 1);
  const flags = getArithFlags(cpu);
  if (count === 0) {
    if (i.mod !== 3) writeOperand(cpu, i, laddr, value);
    return;
  }
  const carryIn = flags & FLAG_CF;
  let result: number;
  let carry: number;
  if (op === RCL) {
    result = (value << count) | (carryIn << (count - 1));
    if (count > 1) result |= value >>> (size + 1 - count);
    carry = (value >>> (size - count)) & 1;
  } else {
    result = (value >>> count) | (carryIn << (size - count));
    if (count > 1) result |= value << (size + 1 - count);
    carry = (value >>> (count - 1)) & 1;
  }
  writeOperand(cpu, i, laddr, result | 0);
  const overflow = ((value ^ result) >>> (size - 1)) & 1;
  setArithFlags(cpu, (flags & ~(FLAG_CF | FLAG_OF)) | carry | (overflow !== 0 ? FLAG_OF : 0));
}

const rolImm: Exec = (cpu, i) => rotate(cpu, i, ROL, i.imm & 31);
const rorImm: Exec = (cpu, i) => rotate(cpu, i, ROR, i.imm & 31);
const rclImm: Exec = (cpu, i) => rotateCarry(cpu, i, RCL, i.imm & 31);
const rcrImm: Exec = (cpu, i) => rotateCarry(cpu, i, RCR, i.imm & 31);
const shlImm: Exec = (cpu, i) => shift(cpu, i, SHL, i.imm & 31);
const shrImm: Exec = (cpu, i) => shift(cpu, i, SHR, i.imm & 31);
const sarImm: Exec = (cpu, i) => shift(cpu, i, SAR, i.imm & 31);
const rolCl: Exec = (cpu, i) => rotate(cpu, i, ROL, cpu.r[ECX] & 31);
const rorCl: Exec = (cpu, i) => rotate(cpu, i, ROR, cpu.r[ECX] & 31);
const rclCl: Exec = (cpu, i) => rotateCarry(cpu, i, RCL, cpu.r[ECX] & 31);
const rcrCl: Exec = (cpu, i) => rotateCarry(cpu, i, RCR, cpu.r[ECX] & 31);
const shlCl: Exec = (cpu, i) => shift(cpu, i, SHL, cpu.r[ECX] & 31);
const shrCl: Exec = (cpu, i) => shift(cpu, i, SHR, cpu.r[ECX] & 31);
const sarCl: Exec = (cpu, i) => shift(cpu, i, SAR, cpu.r[ECX] & 31);

// Frequent: 32-bit register by a constant that is not 0.
const shlReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  const value = r[i.rm];
  const result = value << i.imm;
  r[i.rm] = result;
  r[CC_OP] = CC_SHL << 5;
  r[CC_DST] = result;
  r[CC_SRC] = value << (i.imm - 1);
};
const shrReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  const value = r[i.rm];
  const result = value >>> i.imm;
  r[i.rm] = result;
  r[CC_OP] = CC_SAR << 5;
  r[CC_DST] = result;
  r[CC_SRC] = value >>> (i.imm - 1);
};
const sarReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  const value = r[i.rm];
  const result = value >> i.imm;
  r[i.rm] = result;
  r[CC_OP] = CC_SAR << 5;
  r[CC_DST] = result;
  r[CC_SRC] = value >> (i.imm - 1);
};

const BY_IMM = [rolImm, rorImm, rclImm, rcrImm, shlImm, shrImm, shlImm, sarImm];
const BY_CL = [rolCl, rorCl, rclCl, rcrCl, shlCl, shrCl, shlCl, sarCl];

function byImmediate(i: Insn): Exec {
  const plain = i.size === 32 && i.mod === 3 && (i.imm & 31) !== 0;
  if (plain && (i.reg === SHL || i.reg === 6)) return shlReg32;
  if (plain && i.reg === SHR) return shrReg32;
  if (plain && i.reg === SAR) return sarReg32;
  return BY_IMM[i.reg]!;
}

/** D0, D1: the count is 1. */
function byOne(i: Insn): Exec {
  i.imm = 1;
  return byImmediate(i);
}

/**
 * SHLD, SHRD. 16-bit counts above 16 go on with the bits of the destination (SDM: undefined; Intel hardware and QEMU: destination, source,
 * destination as one long word).
 */
function doubleShift(cpu: Cpu, i: Insn, right: boolean, count: number): void {
  const laddr = i.mod === 3 ? 0 : effectiveAddress(cpu, i);
  const value = readOperand(cpu, i, laddr);
  if (count === 0) {
    if (i.mod !== 3) writeOperand(cpu, i, laddr, value);
    return;
  }
  const source = cpu.r[i.reg];
  let last: number;
  let result: number;
  if (i.size === 16) {
    if (right) {
      const long = value | (source << 16);
      last = long >>> (count - 1);
      result = (long >>> count) | (value << (32 - count));
    } else {
      const tail = (source << 16) | value;
      last = (value << (count - 1)) | (tail >>> (33 - count));
      result = (value << count) | (tail >>> (32 - count));
    }
  } else if (right) {
    last = value >>> (count - 1);
    result = (value >>> count) | (source << (32 - count));
  } else {
    last = value << (count - 1);
    result = (value << count) | (source >>> (32 - count));
  }
  writeOperand(cpu, i, laddr, result | 0);
  const r = cpu.r;
  r[CC_OP] = ccOp(right ? CC_SAR : CC_SHL, i.size);
  r[CC_DST] = result;
  r[CC_SRC] = last;
}

const shldImm: Exec = (cpu, i) => doubleShift(cpu, i, false, i.imm & 31);
const shldCl: Exec = (cpu, i) => doubleShift(cpu, i, false, cpu.r[ECX] & 31);
const shrdImm: Exec = (cpu, i) => doubleShift(cpu, i, true, i.imm & 31);
const shrdCl: Exec = (cpu, i) => doubleShift(cpu, i, true, cpu.r[ECX] & 31);

const GROUP2_NAMES = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'];

function group2(digit: number): Row[] {
  const name = GROUP2_NAMES[digit]!;
  // Rotates leave SF, ZF, AF, PF; any of them leaves all flags when the count is 0.
  const all = digit < SHL ? FLAG_CF | FLAG_OF : FLAGS_ARITH;
  const reads = digit === RCL || digit === RCR ? FLAG_CF : 0;
  const common = { name, map: '1', digit, modrm: true, test: 'integer' } as const;
  return ([8, 'v'] as const).flatMap((size, odd): Row[] => [
    { ...common, opcode: 0xc0 + odd, size, imm: 'b', reads: reads | all, writes: all, exec: byImmediate },
    { ...common, opcode: 0xd0 + odd, size, reads, writes: all, exec: byOne },
    { ...common, opcode: 0xd2 + odd, size, reads: reads | all, writes: all, exec: () => BY_CL[digit]! },
  ]);
}

/** Shifts and rotates (SDM Vol. 2: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD). */
export const shiftTable: readonly Row[] = [
  ...[ROL, ROR, RCL, RCR, SHL, SHR, 6, SAR].flatMap(group2),
  ...(
    [
      { name: 'shld', opcode: 0xa4, imm: 'b', exec: () => shldImm },
      { name: 'shld', opcode: 0xa5, exec: () => shldCl },
      { name: 'shrd', opcode: 0xac, imm: 'b', exec: () => shrdImm },
      { name: 'shrd', opcode: 0xad, exec: () => shrdCl },
    ] as const
  ).map((row): Row => ({ map: '0f', modrm: true, size: 'v', reads: FLAGS_ARITH, writes: FLAGS_ARITH, test: 'integer', ...row })),
];
