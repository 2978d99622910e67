// Longer than most: one table, and the executors of its rows.
import type { Cpu } from '../cpu.js';
import { raiseStatic, UD } from '../fault.js';
import {
  CC_ADC,
  CC_ADC32,
  CC_ADD,
  CC_ADD32,
  CC_DEC,
  CC_DEC32,
  CC_INC,
  CC_INC32,
  CC_LOGIC,
  CC_LOGIC8,
  CC_LOGIC16,
  CC_LOGIC32,
  CC_SBB,
  CC_SBB32,
  CC_SUB,
  CC_SUB8,
  CC_SUB16,
  CC_SUB32,
  ccOp,
  getCF,
} from '../flags.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load8, load16, load32, store8, store16, store32 } from '../mmu.js';
import { effectiveAddress, loadSized, readReg8, readRm, storeSized, writeReg8, writeReg16 } from '../operands.js';
import { CC_DST, CC_OP, CC_SRC, CC_SRC2, EAX, FLAG_CF, FLAGS_ARITH } from '../regs.js';

/** The eight operations in opcode order: bits 3-5 of the opcode, or /digit of group 1. */
const ADD = 0;
const OR = 1;
const ADC = 2;
const SBB = 3;
const AND = 4;
const SUB = 5;
const XOR = 6;
const CMP = 7;
const NAMES = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];

/** 32-bit operation with flags; returns the result (for CMP too, which the caller drops). */
function alu32(cpu: Cpu, op: number, a: number, b: number): number {
  const r = cpu.r;
  let result: number;
  switch (op) {
    case ADD:
      result = (a + b) | 0;
      r[CC_OP] = CC_ADD32;
      r[CC_SRC] = b;
      break;
    case ADC: {
      const carry = getCF(cpu);
      result = (a + b + carry) | 0;
      r[CC_OP] = CC_ADC32;
      r[CC_SRC] = b;
      r[CC_SRC2] = carry;
      break;
    }
    case SBB: {
      const carry = getCF(cpu);
      result = (a - b - carry) | 0;
      r[CC_OP] = CC_SBB32;
      r[CC_SRC] = b;
      r[CC_SRC2] = carry;
      break;
    }
    case SUB:
    case CMP:
      result = (a - b) | 0;
      r[CC_OP] = CC_SUB32;
      r[CC_SRC] = b;
      break;
    case AND:
      result = a & b;
      r[CC_OP] = CC_LOGIC32;
      break;
    case OR:
      result = a | b;
      r[CC_OP] = CC_LOGIC32;
      break;
    default:
      result = a ^ b;
      r[CC_OP] = CC_LOGIC32;
      break;
  }
  r[CC_DST] = result;
  return result;
}

/** The result alone, not cut to size: with a memory destination flags may change only after the store went through. */
function aluResult(op: number, a: number, b: number, carry: number): number {
  switch (op) {
    case ADD:
      return (a + b) | 0;
    case ADC:
      return (a + b + carry) | 0;
    case SBB:
      return (a - b - carry) | 0;
    case SUB:
    case CMP:
      return (a - b) | 0;
    case AND:
      return a & b;
    case OR:
      return a | b;
    default:
      return a ^ b;
  }
}

const KIND = [CC_ADD, CC_LOGIC, CC_ADC, CC_SBB, CC_LOGIC, CC_SUB, CC_LOGIC, CC_SUB];

function aluFlags(cpu: Cpu, op: number, sizeBits: number, result: number, b: number, carry: number): void {
  const r = cpu.r;
  r[CC_OP] = ccOp(KIND[op]!, sizeBits);
  r[CC_DST] = result;
  r[CC_SRC] = b;
  r[CC_SRC2] = carry;
}

function carryFor(cpu: Cpu, op: number): number {
  return op === ADC || op === SBB ? getCF(cpu) : 0;
}

function alu(cpu: Cpu, op: number, sizeBits: number, a: number, b: number): number {
  const carry = carryFor(cpu, op);
  const result = aluResult(op, a, b, carry);
  aluFlags(cpu, op, sizeBits, result, b, carry);
  return result;
}

/** Read, modify, write of a memory operand. */
function aluMemory(cpu: Cpu, i: Insn, op: number, b: number): void {
  const laddr = effectiveAddress(cpu, i);
  const a = loadSized(cpu, laddr, i.size);
  const carry = carryFor(cpu, op);
  const result = aluResult(op, a, b, carry);
  if (op !== CMP) storeSized(cpu, laddr, result, i.size);
  aluFlags(cpu, op, i.size, result, b, carry);
}

/** r/m8 op= value. */
function aluRm8(cpu: Cpu, i: Insn, op: number, b: number): void {
  if (i.mod !== 3) {
    aluMemory(cpu, i, op, b);
    return;
  }
  const result = alu(cpu, op, 8, readReg8(cpu, i.rm), b);
  if (op !== CMP) writeReg8(cpu, i.rm, result);
}

/** r/m16 op= value. */
function aluRm16(cpu: Cpu, i: Insn, op: number, b: number): void {
  if (i.mod !== 3) {
    aluMemory(cpu, i, op, b);
    return;
  }
  const result = alu(cpu, op, 16, cpu.r[i.rm] & 0xffff, b);
  if (op !== CMP) writeReg16(cpu, i.rm, result);
}

// op r/m, r
const rmReg8: Exec = (cpu, i) => aluRm8(cpu, i, (i.opcode >> 3) & 7, readReg8(cpu, i.reg));
const rmReg16: Exec = (cpu, i) => aluRm16(cpu, i, (i.opcode >> 3) & 7, cpu.r[i.reg] & 0xffff);
const regReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  r[i.rm] = alu32(cpu, (i.opcode >> 3) & 7, r[i.rm], r[i.reg]);
};
const memReg32: Exec = (cpu, i) => aluMemory(cpu, i, (i.opcode >> 3) & 7, cpu.r[i.reg]);

// op r, r/m
const regRm8: Exec = (cpu, i) => {
  const op = (i.opcode >> 3) & 7;
  const b = i.mod === 3 ? readReg8(cpu, i.rm) : load8(cpu, effectiveAddress(cpu, i));
  const result = alu(cpu, op, 8, readReg8(cpu, i.reg), b);
  if (op !== CMP) writeReg8(cpu, i.reg, result);
};
const regRm16: Exec = (cpu, i) => {
  const op = (i.opcode >> 3) & 7;
  const b = i.mod === 3 ? cpu.r[i.rm] & 0xffff : load16(cpu, effectiveAddress(cpu, i));
  const result = alu(cpu, op, 16, cpu.r[i.reg] & 0xffff, b);
  if (op !== CMP) writeReg16(cpu, i.reg, result);
};
const regRm32: Exec = (cpu, i) => {
  const r = cpu.r;
  r[i.reg] = alu32(cpu, (i.opcode >> 3) & 7, r[i.reg], i.mod === 3 ? r[i.rm] : load32(cpu, effectiveAddress(cpu, i)));
};

// op accumulator, imm
const accImm8: Exec = (cpu, i) => {
  const op = (i.opcode >> 3) & 7;
  const result = alu(cpu, op, 8, cpu.r[EAX] & 0xff, i.imm);
  if (op !== CMP) writeReg8(cpu, EAX, result);
};
const accImm16: Exec = (cpu, i) => {
  const op = (i.opcode >> 3) & 7;
  const result = alu(cpu, op, 16, cpu.r[EAX] & 0xffff, i.imm);
  if (op !== CMP) writeReg16(cpu, EAX, result);
};
const accImm32: Exec = (cpu, i) => {
  cpu.r[EAX] = alu32(cpu, (i.opcode >> 3) & 7, cpu.r[EAX], i.imm);
};

// Group 1: op r/m, imm
const rmImm8: Exec = (cpu, i) => aluRm8(cpu, i, i.reg, i.imm);
const rmImm16: Exec = (cpu, i) => aluRm16(cpu, i, i.reg, i.imm);
const regImm32: Exec = (cpu, i) => {
  cpu.r[i.rm] = alu32(cpu, i.reg, cpu.r[i.rm], i.imm);
};
const memImm32: Exec = (cpu, i) => aluMemory(cpu, i, i.reg, i.imm);

// The most frequent ones by hand.
const addRegImm32: Exec = (cpu, i) => {
  const r = cpu.r;
  const result = (r[i.rm] + i.imm) | 0;
  r[i.rm] = result;
  r[CC_OP] = CC_ADD32;
  r[CC_DST] = result;
  r[CC_SRC] = i.imm;
};
const subRegImm32: Exec = (cpu, i) => {
  const r = cpu.r;
  const result = (r[i.rm] - i.imm) | 0;
  r[i.rm] = result;
  r[CC_OP] = CC_SUB32;
  r[CC_DST] = result;
  r[CC_SRC] = i.imm;
};
const addRegReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  const b = r[i.reg];
  const result = (r[i.rm] + b) | 0;
  r[i.rm] = result;
  r[CC_OP] = CC_ADD32;
  r[CC_DST] = result;
  r[CC_SRC] = b;
};
const xorRegReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  const result = r[i.rm] ^ r[i.reg];
  r[i.rm] = result;
  r[CC_OP] = CC_LOGIC32;
  r[CC_DST] = result;
};

function compare(cpu: Cpu, op: number, a: number, b: number): void {
  const r = cpu.r;
  r[CC_OP] = op;
  r[CC_DST] = (a - b) | 0;
  r[CC_SRC] = b;
}
const cmpRegReg32: Exec = (cpu, i) => compare(cpu, CC_SUB32, cpu.r[i.rm], cpu.r[i.reg]);
const cmpMemReg32: Exec = (cpu, i) => compare(cpu, CC_SUB32, load32(cpu, effectiveAddress(cpu, i)), cpu.r[i.reg]);
const cmpRegRm32: Exec = (cpu, i) =>
  compare(cpu, CC_SUB32, cpu.r[i.reg], i.mod === 3 ? cpu.r[i.rm] : load32(cpu, effectiveAddress(cpu, i)));
const cmpAccImm32: Exec = (cpu, i) => compare(cpu, CC_SUB32, cpu.r[EAX], i.imm);
const cmpAccImm16: Exec = (cpu, i) => compare(cpu, CC_SUB16, cpu.r[EAX], i.imm);
const cmpAccImm8: Exec = (cpu, i) => compare(cpu, CC_SUB8, cpu.r[EAX], i.imm);
const cmpRegImm32: Exec = (cpu, i) => compare(cpu, CC_SUB32, cpu.r[i.rm], i.imm);
const cmpMemImm32: Exec = (cpu, i) => compare(cpu, CC_SUB32, load32(cpu, effectiveAddress(cpu, i)), i.imm);
const cmpRegImm8: Exec = (cpu, i) => compare(cpu, CC_SUB8, readReg8(cpu, i.rm), i.imm);
const cmpMemImm8: Exec = (cpu, i) => compare(cpu, CC_SUB8, load8(cpu, effectiveAddress(cpu, i)), i.imm);

function logic(cpu: Cpu, op: number, result: number): void {
  cpu.r[CC_OP] = op;
  cpu.r[CC_DST] = result;
}
const testRmReg8: Exec = (cpu, i) => logic(cpu, CC_LOGIC8, readRm(cpu, i) & readReg8(cpu, i.reg));
const testRmReg16: Exec = (cpu, i) => logic(cpu, CC_LOGIC16, readRm(cpu, i) & cpu.r[i.reg]);
const testRegReg32: Exec = (cpu, i) => logic(cpu, CC_LOGIC32, cpu.r[i.rm] & cpu.r[i.reg]);
const testMemReg32: Exec = (cpu, i) => logic(cpu, CC_LOGIC32, load32(cpu, effectiveAddress(cpu, i)) & cpu.r[i.reg]);
const testAccImm8: Exec = (cpu, i) => logic(cpu, CC_LOGIC8, cpu.r[EAX] & i.imm);
const testAccImm16: Exec = (cpu, i) => logic(cpu, CC_LOGIC16, cpu.r[EAX] & i.imm);
const testAccImm32: Exec = (cpu, i) => logic(cpu, CC_LOGIC32, cpu.r[EAX] & i.imm);
const testRmImm8: Exec = (cpu, i) => logic(cpu, CC_LOGIC8, readRm(cpu, i) & i.imm);
const testRmImm16: Exec = (cpu, i) => logic(cpu, CC_LOGIC16, readRm(cpu, i) & i.imm);
const testRmImm32: Exec = (cpu, i) => logic(cpu, CC_LOGIC32, readRm(cpu, i) & i.imm);

/** CF; loops often count behind a TEST, and need no call then. */
function carryBefore(cpu: Cpu): number {
  return cpu.r[CC_OP] >> 5 === CC_LOGIC ? 0 : getCF(cpu);
}

// INC and DEC leave CF: the carry from before goes into CC_SRC.
const incReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  const carry = carryBefore(cpu);
  const result = (r[i.reg] + 1) | 0;
  r[i.reg] = result;
  r[CC_OP] = CC_INC32;
  r[CC_DST] = result;
  r[CC_SRC] = carry;
};
const decReg32: Exec = (cpu, i) => {
  const r = cpu.r;
  const carry = carryBefore(cpu);
  const result = (r[i.reg] - 1) | 0;
  r[i.reg] = result;
  r[CC_OP] = CC_DEC32;
  r[CC_DST] = result;
  r[CC_SRC] = carry;
};

function step(cpu: Cpu, kind: number, sizeBits: number, result: number): void {
  const carry = getCF(cpu);
  cpu.r[CC_OP] = ccOp(kind, sizeBits);
  cpu.r[CC_DST] = result;
  cpu.r[CC_SRC] = carry;
}

const incReg16: Exec = (cpu, i) => {
  const result = cpu.r[i.reg] + 1;
  writeReg16(cpu, i.reg, result);
  step(cpu, CC_INC, 16, result);
};
const decReg16: Exec = (cpu, i) => {
  const result = cpu.r[i.reg] - 1;
  writeReg16(cpu, i.reg, result);
  step(cpu, CC_DEC, 16, result);
};

function stepRm(cpu: Cpu, i: Insn, kind: number, delta: number): void {
  let result: number;
  if (i.mod === 3) {
    if (i.size === 8) {
      result = readReg8(cpu, i.rm) + delta;
      writeReg8(cpu, i.rm, result);
    } else if (i.size === 16) {
      result = cpu.r[i.rm] + delta;
      writeReg16(cpu, i.rm, result);
    } else {
      result = (cpu.r[i.rm] + delta) | 0;
      cpu.r[i.rm] = result;
    }
  } else {
    const laddr = effectiveAddress(cpu, i);
    result = (loadSized(cpu, laddr, i.size) + delta) | 0;
    storeSized(cpu, laddr, result, i.size);
  }
  step(cpu, kind, i.size, result);
}
const incRm: Exec = (cpu, i) => stepRm(cpu, i, CC_INC, 1);
const decRm: Exec = (cpu, i) => stepRm(cpu, i, CC_DEC, -1);

function unaryRm(cpu: Cpu, i: Insn, negate: boolean): number {
  if (i.mod === 3) {
    const value = i.size === 8 ? readReg8(cpu, i.rm) : cpu.r[i.rm];
    const result = negate ? -value | 0 : ~value;
    if (i.size === 8) writeReg8(cpu, i.rm, result);
    else if (i.size === 16) writeReg16(cpu, i.rm, result);
    else cpu.r[i.rm] = result;
    return result;
  }
  const laddr = effectiveAddress(cpu, i);
  const value = loadSized(cpu, laddr, i.size);
  const result = negate ? -value | 0 : ~value;
  storeSized(cpu, laddr, result, i.size);
  return result;
}
const notRm: Exec = (cpu, i) => {
  unaryRm(cpu, i, false);
};
const negRm: Exec = (cpu, i) => {
  const result = unaryRm(cpu, i, true);
  const r = cpu.r;
  r[CC_OP] = ccOp(CC_SUB, i.size);
  r[CC_DST] = result;
  r[CC_SRC] = -result | 0;
};

/** XADD: the sum goes to r/m, the old r/m to the register; with both the same register the sum stays. */
const xadd: Exec = (cpu, i) => {
  const size = i.size;
  const b = size === 8 ? readReg8(cpu, i.reg) : cpu.r[i.reg];
  let old: number;
  let sum: number;
  if (i.mod === 3) {
    old = size === 8 ? readReg8(cpu, i.rm) : cpu.r[i.rm];
    sum = (old + b) | 0;
    writeSized(cpu, i.reg, old, size);
    writeSized(cpu, i.rm, sum, size);
  } else {
    const laddr = effectiveAddress(cpu, i);
    old = loadSized(cpu, laddr, size);
    sum = (old + b) | 0;
    storeSized(cpu, laddr, sum, size);
    writeSized(cpu, i.reg, old, size);
  }
  // QEMU takes the old destination as the second operand; the sum's flags are the same.
  aluFlags(cpu, ADD, size, sum, old, 0);
};

function writeSized(cpu: Cpu, n: number, value: number, sizeBits: number): void {
  if (sizeBits === 8) writeReg8(cpu, n, value);
  else if (sizeBits === 16) writeReg16(cpu, n, value);
  else cpu.r[n] = value;
}

/** CMPXCHG: memory is written in any case (with its old value when the comparison fails), before the accumulator changes. */
const cmpxchg: Exec = (cpu, i) => {
  const size = i.size;
  const top = 32 - size;
  const accumulator = (cpu.r[EAX] << top) >>> top;
  const replacement = size === 8 ? readReg8(cpu, i.reg) : cpu.r[i.reg];
  let old: number;
  if (i.mod === 3) {
    old = size === 8 ? readReg8(cpu, i.rm) : size === 16 ? cpu.r[i.rm] & 0xffff : cpu.r[i.rm] >>> 0;
    if (old === accumulator) writeSized(cpu, i.rm, replacement, size);
  } else {
    const laddr = effectiveAddress(cpu, i);
    old = size === 8 ? load8(cpu, laddr) : size === 16 ? load16(cpu, laddr) : load32(cpu, laddr) >>> 0;
    const value = old === accumulator ? replacement : old;
    if (size === 8) store8(cpu, laddr, value & 0xff);
    else if (size === 16) store16(cpu, laddr, value & 0xffff);
    else store32(cpu, laddr, value | 0);
  }
  if (old !== accumulator) writeSized(cpu, EAX, old, size);
  aluFlags(cpu, CMP, size, (accumulator - old) | 0, old | 0, 0);
};

function bySize(i: Insn, e8: Exec, e16: Exec, e32: Exec): Exec {
  return i.size === 32 ? e32 : i.size === 16 ? e16 : e8;
}

/** LOCK with a register destination; the memory operand has been read by then. */
const illegalLock: Exec = (cpu, i) => {
  readRm(cpu, i);
  raiseStatic(UD);
};

/** QEMU has a shortcut for XOR of a register with itself that overlooks LOCK. */
function xorIgnoresLock(i: Insn): boolean {
  return i.mod === 3 && i.rm === i.reg;
}

function rmRegExec(op: number): (i: Insn) => Exec {
  return (i) => {
    if (op === XOR && i.lock && i.mod === 3 && !xorIgnoresLock(i)) return illegalLock;
    if (op === CMP && i.size === 32) return i.mod === 3 ? cmpRegReg32 : cmpMemReg32;
    if (i.mod === 3 && i.size === 32) return op === ADD ? addRegReg32 : op === XOR ? xorRegReg32 : regReg32;
    return bySize(i, rmReg8, rmReg16, memReg32);
  };
}

function regRmExec(op: number): (i: Insn) => Exec {
  return (i) => {
    if (i.lock && !(op === XOR && xorIgnoresLock(i))) return illegalLock;
    return bySize(i, regRm8, regRm16, op === CMP ? cmpRegRm32 : regRm32);
  };
}

function accImmExec(op: number): (i: Insn) => Exec {
  return (i) => (op === CMP ? bySize(i, cmpAccImm8, cmpAccImm16, cmpAccImm32) : bySize(i, accImm8, accImm16, accImm32));
}

function rmImmExec(op: number): (i: Insn) => Exec {
  return (i) => {
    const register = i.mod === 3;
    if (op === CMP && i.size === 32) return register ? cmpRegImm32 : cmpMemImm32;
    if (op === CMP && i.size === 8) return register ? cmpRegImm8 : cmpMemImm8;
    if (register && i.size === 32) return op === ADD ? addRegImm32 : op === SUB ? subRegImm32 : regImm32;
    return bySize(i, rmImm8, rmImm16, memImm32);
  };
}

function aluRows(op: number): Row[] {
  const name = NAMES[op]!;
  const reads = op === ADC || op === SBB ? FLAG_CF : 0;
  const common = { name, map: '1', reads, writes: FLAGS_ARITH, test: 'integer' } as const;
  const lockable = op !== CMP;
  const rows: Row[] = [];
  for (const size of [8, 'v'] as const) {
    const opcode = (op << 3) | (size === 8 ? 0 : 1);
    // XOR, and all with a register destination, look at LOCK themselves.
    rows.push({ ...common, opcode, modrm: true, size, lockable: op === XOR ? undefined : lockable, exec: rmRegExec(op) });
    rows.push({ ...common, opcode: opcode + 2, modrm: true, size, exec: regRmExec(op) });
    rows.push({ ...common, opcode: opcode + 4, modrm: false, size, lockable: false, imm: size === 8 ? 'b' : 'v', exec: accImmExec(op) });
  }
  const group = { ...common, modrm: true, digit: op, lockable, exec: rmImmExec(op) };
  rows.push({ ...group, opcode: 0x80, size: 8, imm: 'b' }, { ...group, opcode: 0x82, size: 8, imm: 'b' });
  rows.push({ ...group, opcode: 0x81, size: 'v', imm: 'v' }, { ...group, opcode: 0x83, size: 'v', imm: 'sb' });
  return rows;
}

const STEP_WRITES = FLAGS_ARITH & ~FLAG_CF;

/** ADD OR ADC SBB AND SUB XOR CMP, TEST, INC, DEC, NOT, NEG, XADD, CMPXCHG (SDM Vol. 2). */
export const aluTable: readonly Row[] = [
  ...[ADD, OR, ADC, SBB, AND, SUB, XOR, CMP].flatMap(aluRows),
  ...(
    [
      { opcode: 0x84, size: 8, modrm: true, exec: () => testRmReg8 },
      {
        opcode: 0x85,
        size: 'v',
        modrm: true,
        exec: (i: Insn) => (i.size === 16 ? testRmReg16 : i.mod === 3 ? testRegReg32 : testMemReg32),
      },
      { opcode: 0xa8, size: 8, modrm: false, imm: 'b', exec: () => testAccImm8 },
      { opcode: 0xa9, size: 'v', modrm: false, imm: 'v', exec: (i: Insn) => (i.size === 16 ? testAccImm16 : testAccImm32) },
      { opcode: 0xf6, size: 8, modrm: true, digit: 0, imm: 'b', exec: () => testRmImm8 },
      { opcode: 0xf7, size: 'v', modrm: true, digit: 0, imm: 'v', exec: (i: Insn) => (i.size === 16 ? testRmImm16 : testRmImm32) },
    ] as const
  ).map((row): Row => ({ name: 'test', map: '1', writes: FLAGS_ARITH, test: 'integer', ...row })),
  ...(
    [
      { name: 'inc', opcode: 0x40, count: 8, size: 'v', modrm: false, exec: (i: Insn) => (i.size === 16 ? incReg16 : incReg32) },
      { name: 'dec', opcode: 0x48, count: 8, size: 'v', modrm: false, exec: (i: Insn) => (i.size === 16 ? decReg16 : decReg32) },
      { name: 'inc', opcode: 0xfe, size: 8, modrm: true, digit: 0, exec: () => incRm },
      { name: 'dec', opcode: 0xfe, size: 8, modrm: true, digit: 1, exec: () => decRm },
      { name: 'inc', opcode: 0xff, size: 'v', modrm: true, digit: 0, exec: () => incRm },
      { name: 'dec', opcode: 0xff, size: 'v', modrm: true, digit: 1, exec: () => decRm },
    ] as const
  ).map((row): Row => ({ map: '1', writes: STEP_WRITES, lockable: true, test: 'integer', ...row })),
  ...([0xf6, 0xf7] as const).flatMap((opcode): Row[] => {
    const common = { map: '1', opcode, size: opcode === 0xf6 ? 8 : 'v', modrm: true, lockable: true, test: 'integer' } as const;
    return [
      { ...common, name: 'not', digit: 2, exec: () => notRm },
      { ...common, name: 'neg', digit: 3, writes: FLAGS_ARITH, exec: () => negRm },
    ];
  }),
  ...([8, 'v'] as const).flatMap((size): Row[] => {
    const common = { map: '0f', size, modrm: true, writes: FLAGS_ARITH, test: 'integer' } as const;
    const odd = size === 8 ? 0 : 1;
    return [
      { ...common, name: 'xadd', opcode: 0xc0 + odd, exec: () => xadd },
      { ...common, name: 'cmpxchg', opcode: 0xb0 + odd, lockable: true, exec: () => cmpxchg },
    ];
  }),
];
