import type { Cpu } from '../cpu.js';
import { DE, raiseFault, raiseStatic } from '../fault.js';
import { CC_LOGIC8, CC_MUL, ccOp, getArithFlags, PARITY, setArithFlags } from '../flags.js';
import type { Exec, Insn, Row } from '../insn.js';
import { readRm, readRm8, readRm16, readRm32, writeReg8, writeReg16 } from '../operands.js';
import { CC_DST, CC_OP, CC_SRC, EAX, EDX, FLAG_AF, FLAG_CF, FLAG_SF, FLAG_ZF, FLAGS_ARITH } from '../regs.js';

function mulFlags(cpu: Cpu, sizeBits: number, low: number, overflow: boolean): void {
  const r = cpu.r;
  r[CC_OP] = ccOp(CC_MUL, sizeBits);
  r[CC_DST] = low;
  r[CC_SRC] = overflow ? 1 : 0;
}

/** High 32 bits of the unsigned product, from 16-bit halves. */
function highUnsigned(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = ah * bl + ((al * bl) >>> 16);
  const carry = al * bh + (middle & 0xffff);
  return (ah * bh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) | 0;
}

function highSigned(a: number, b: number): number {
  return (highUnsigned(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

const mul8: Exec = (cpu, i) => {
  const product = (cpu.r[EAX] & 0xff) * readRm8(cpu, i);
  writeReg16(cpu, EAX, product);
  mulFlags(cpu, 8, product, product > 0xff);
};
const mul16: Exec = (cpu, i) => {
  const product = (cpu.r[EAX] & 0xffff) * readRm16(cpu, i);
  writeReg16(cpu, EAX, product | 0);
  writeReg16(cpu, EDX, (product / 0x10000) | 0);
  mulFlags(cpu, 16, product | 0, product > 0xffff);
};
const mul32: Exec = (cpu, i) => {
  const r = cpu.r;
  const a = r[EAX];
  const b = readRm32(cpu, i);
  const high = highUnsigned(a, b);
  const low = Math.imul(a, b);
  r[EAX] = low;
  r[EDX] = high;
  mulFlags(cpu, 32, low, high !== 0);
};
const imul8: Exec = (cpu, i) => {
  const product = ((cpu.r[EAX] << 24) >> 24) * ((readRm8(cpu, i) << 24) >> 24);
  writeReg16(cpu, EAX, product);
  mulFlags(cpu, 8, product, product !== (product << 24) >> 24);
};
const imul16: Exec = (cpu, i) => {
  const product = ((cpu.r[EAX] << 16) >> 16) * ((readRm16(cpu, i) << 16) >> 16);
  writeReg16(cpu, EAX, product);
  writeReg16(cpu, EDX, product >> 16);
  mulFlags(cpu, 16, product, product !== (product << 16) >> 16);
};
const imul32: Exec = (cpu, i) => {
  const r = cpu.r;
  const a = r[EAX];
  const b = readRm32(cpu, i);
  const high = highSigned(a, b);
  const low = Math.imul(a, b);
  r[EAX] = low;
  r[EDX] = high;
  mulFlags(cpu, 32, low, high !== low >> 31);
};

function imulReg(cpu: Cpu, i: Insn, a: number, b: number): void {
  if (i.size === 16) {
    const product = ((a << 16) >> 16) * ((b << 16) >> 16);
    writeReg16(cpu, i.reg, product);
    mulFlags(cpu, 16, product, product !== (product << 16) >> 16);
    return;
  }
  const low = Math.imul(a, b);
  cpu.r[i.reg] = low;
  mulFlags(cpu, 32, low, highSigned(a, b) !== low >> 31);
}
const imulRegRm: Exec = (cpu, i) => imulReg(cpu, i, readRm(cpu, i), cpu.r[i.reg]);
const imulRegRmImm: Exec = (cpu, i) => imulReg(cpu, i, readRm(cpu, i), i.imm);

// DIV and IDIV leave the flags (SDM: undefined; QEMU: unchanged).
const div8: Exec = (cpu, i) => {
  const divisor = readRm8(cpu, i);
  const dividend = cpu.r[EAX] & 0xffff;
  if (divisor === 0) raiseFault(DE);
  const quotient = (dividend / divisor) | 0;
  if (quotient > 0xff) raiseFault(DE);
  writeReg16(cpu, EAX, ((dividend % divisor) << 8) | quotient);
};
const idiv8: Exec = (cpu, i) => {
  const divisor = (readRm8(cpu, i) << 24) >> 24;
  const dividend = (cpu.r[EAX] << 16) >> 16;
  if (divisor === 0) raiseFault(DE);
  const quotient = (dividend / divisor) | 0;
  if (quotient !== (quotient << 24) >> 24) raiseFault(DE);
  writeReg16(cpu, EAX, ((dividend % divisor) << 8) | (quotient & 0xff));
};
const div16: Exec = (cpu, i) => {
  const r = cpu.r;
  const divisor = readRm16(cpu, i);
  const dividend = ((r[EDX] << 16) | (r[EAX] & 0xffff)) >>> 0;
  if (divisor === 0) raiseFault(DE);
  const quotient = Math.floor(dividend / divisor);
  if (quotient > 0xffff) raiseFault(DE);
  writeReg16(cpu, EAX, quotient);
  writeReg16(cpu, EDX, dividend % divisor);
};
const idiv16: Exec = (cpu, i) => {
  const r = cpu.r;
  const divisor = (readRm16(cpu, i) << 16) >> 16;
  const dividend = (r[EDX] << 16) | (r[EAX] & 0xffff);
  if (divisor === 0) raiseFault(DE);
  const quotient = Math.trunc(dividend / divisor);
  if (quotient !== (quotient << 16) >> 16) raiseFault(DE);
  writeReg16(cpu, EAX, quotient);
  writeReg16(cpu, EDX, dividend % divisor);
};

/** Quotient and remainder of high:low / divisor, all unsigned, quotient below 2^32: two exact steps of 16 quotient bits. */
const quotientRemainder = new Int32Array(2);
function divide64(high: number, low: number, divisor: number): void {
  // high < divisor < 2^32, so each partial dividend is below 2^48 and exact in a double.
  const first = high * 0x10000 + (low >>> 16);
  const q1 = Math.floor(first / divisor);
  const rest = first - q1 * divisor;
  const second = rest * 0x10000 + (low & 0xffff);
  const q0 = Math.floor(second / divisor);
  quotientRemainder[0] = q1 * 0x10000 + q0;
  quotientRemainder[1] = second - q0 * divisor;
}

const div32: Exec = (cpu, i) => {
  const r = cpu.r;
  const divisor = readRm32(cpu, i) >>> 0;
  const high = r[EDX] >>> 0;
  if (high >= divisor) raiseFault(DE);
  divide64(high, r[EAX], divisor);
  r[EAX] = quotientRemainder[0]!;
  r[EDX] = quotientRemainder[1]!;
};
const idiv32: Exec = (cpu, i) => {
  const r = cpu.r;
  const signed = readRm32(cpu, i);
  const divisor = Math.abs(signed);
  let high = r[EDX];
  let low = r[EAX];
  const negative = high < 0;
  if (negative) {
    low = -low | 0;
    high = (~high + (low === 0 ? 1 : 0)) | 0;
  }
  // |dividend| is at most 2^63: high (unsigned) below divisor means the quotient is below 2^32.
  if (high >>> 0 >= divisor) raiseFault(DE);
  divide64(high >>> 0, low, divisor);
  const quotient = quotientRemainder[0]! >>> 0;
  const opposite = negative !== signed < 0;
  if (quotient > (opposite ? 0x80000000 : 0x7fffffff)) raiseFault(DE);
  r[EAX] = opposite ? -quotient | 0 : quotient;
  r[EDX] = negative ? -quotientRemainder[1]! | 0 : quotientRemainder[1]!;
};

function bySize(i: Insn, e8: Exec, e16: Exec, e32: Exec): Exec {
  return i.size === 32 ? e32 : i.size === 16 ? e16 : e8;
}

// Decimal adjustments. Flags the SDM leaves undefined: AAA, AAS keep them; DAA, DAS clear OF.
const aaa: Exec = (cpu) => asciiAdjust(cpu, 1);
const aas: Exec = (cpu) => asciiAdjust(cpu, -1);
function asciiAdjust(cpu: Cpu, sign: number): void {
  const flags = getArithFlags(cpu);
  const al = cpu.r[EAX] & 0xff;
  const ah = (cpu.r[EAX] >> 8) & 0xff;
  if ((al & 15) > 9 || (flags & FLAG_AF) !== 0) {
    const carry = sign > 0 ? al > 0xf9 : al < 6;
    writeReg16(cpu, EAX, (((ah + sign * (carry ? 2 : 1)) & 0xff) << 8) | ((al + sign * 6) & 15));
    setArithFlags(cpu, flags | FLAG_CF | FLAG_AF);
  } else {
    writeReg16(cpu, EAX, (ah << 8) | (al & 15));
    setArithFlags(cpu, flags & ~(FLAG_CF | FLAG_AF));
  }
}

function decimalFlags(al: number): number {
  return (al === 0 ? FLAG_ZF : 0) | PARITY[al]! | (al & FLAG_SF);
}
const daa: Exec = (cpu) => {
  const before = getArithFlags(cpu);
  const old = cpu.r[EAX] & 0xff;
  let al = old;
  let flags = 0;
  if ((al & 15) > 9 || (before & FLAG_AF) !== 0) {
    al = (al + 6) & 0xff;
    flags |= FLAG_AF;
  }
  if (old > 0x99 || (before & FLAG_CF) !== 0) {
    al = (al + 0x60) & 0xff;
    flags |= FLAG_CF;
  }
  writeReg8(cpu, EAX, al);
  setArithFlags(cpu, flags | decimalFlags(al));
};
const das: Exec = (cpu) => {
  const before = getArithFlags(cpu);
  const old = cpu.r[EAX] & 0xff;
  const carry = (before & FLAG_CF) !== 0;
  let al = old;
  let flags = 0;
  if ((al & 15) > 9 || (before & FLAG_AF) !== 0) {
    flags |= FLAG_AF;
    if (al < 6 || carry) flags |= FLAG_CF;
    al = (al - 6) & 0xff;
  }
  if (old > 0x99 || carry) {
    al = (al - 0x60) & 0xff;
    flags |= FLAG_CF;
  }
  writeReg8(cpu, EAX, al);
  setArithFlags(cpu, flags | decimalFlags(al));
};
const aam: Exec = (cpu, i) => {
  // QEMU sees the zero while it translates: the instruction counts.
  if (i.imm === 0) raiseStatic(DE);
  const al = cpu.r[EAX] & 0xff;
  const low = al % i.imm;
  writeReg16(cpu, EAX, (((al / i.imm) | 0) << 8) | low);
  cpu.r[CC_OP] = CC_LOGIC8;
  cpu.r[CC_DST] = low;
};
const aad: Exec = (cpu, i) => {
  const al = cpu.r[EAX] & 0xff;
  const ah = (cpu.r[EAX] >> 8) & 0xff;
  const sum = (ah * i.imm + al) & 0xff;
  writeReg16(cpu, EAX, sum);
  cpu.r[CC_OP] = CC_LOGIC8;
  cpu.r[CC_DST] = sum;
};

/** Multiplication, division and decimal adjustment (SDM Vol. 2). */
export const mulTable: readonly Row[] = [
  ...([0xf6, 0xf7] as const).flatMap((opcode): Row[] => {
    const common = { map: '1', opcode, size: opcode === 0xf6 ? 8 : 'v', modrm: true, test: 'integer' } as const;
    return [
      { ...common, name: 'mul', digit: 4, writes: FLAGS_ARITH, exec: (i) => bySize(i, mul8, mul16, mul32) },
      { ...common, name: 'imul', digit: 5, writes: FLAGS_ARITH, exec: (i) => bySize(i, imul8, imul16, imul32) },
      { ...common, name: 'div', digit: 6, exec: (i) => bySize(i, div8, div16, div32) },
      { ...common, name: 'idiv', digit: 7, exec: (i) => bySize(i, idiv8, idiv16, idiv32) },
    ];
  }),
  { name: 'imul', map: '0f', opcode: 0xaf, modrm: true, size: 'v', writes: FLAGS_ARITH, test: 'integer', exec: () => imulRegRm },
  {
    name: 'imul',
    map: '1',
    opcode: 0x69,
    modrm: true,
    size: 'v',
    imm: 'v',
    writes: FLAGS_ARITH,
    test: 'integer',
    exec: () => imulRegRmImm,
  },
  {
    name: 'imul',
    map: '1',
    opcode: 0x6b,
    modrm: true,
    size: 'v',
    imm: 'sb',
    writes: FLAGS_ARITH,
    test: 'integer',
    exec: () => imulRegRmImm,
  },
  ...(
    [
      { name: 'daa', opcode: 0x27, reads: FLAG_CF | FLAG_AF, writes: FLAGS_ARITH, exec: () => daa },
      { name: 'das', opcode: 0x2f, reads: FLAG_CF | FLAG_AF, writes: FLAGS_ARITH, exec: () => das },
      { name: 'aaa', opcode: 0x37, reads: FLAG_AF, writes: FLAG_CF | FLAG_AF, exec: () => aaa },
      { name: 'aas', opcode: 0x3f, reads: FLAG_AF, writes: FLAG_CF | FLAG_AF, exec: () => aas },
      { name: 'aam', opcode: 0xd4, imm: 'b', writes: FLAGS_ARITH, exec: () => aam },
      { name: 'aad', opcode: 0xd5, imm: 'b', writes: FLAGS_ARITH, exec: () => aad },
    ] as const
  ).map((row): Row => ({ map: '1', modrm: false, size: 8, test: 'integer', ...row })),
];
