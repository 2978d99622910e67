import type { Cpu } from '../cpu.js';
import { CC_LOGIC, ccOp, getArithFlags, setArithFlags } from '../flags.js';
import type { Exec, Insn, Row } from '../insn.js';
import { effectiveAddress, loadSized, readReg8, readRm, storeSized, writeReg } from '../operands.js';
import { CC_DST, CC_OP, FLAG_CF, FLAG_OF, FLAG_ZF, FLAGS_ARITH } from '../regs.js';
import { needsModel } from './model.js';

const BT = 0;
const BTS = 1;
const BTR = 2;
const BTC = 3;

function changeBit(op: number, value: number, bit: number): number {
  const mask = 1 << bit;
  return op === BTS ? value | mask : op === BTR ? value & ~mask : value ^ mask;
}

/** Only CF changes; the flags the SDM leaves undefined stay, which is what QEMU does at the start of a block. */
function setCarry(cpu: Cpu, bit: number): void {
  setArithFlags(cpu, (getArithFlags(cpu) & ~FLAG_CF) | (bit & 1));
}

function bitTest(cpu: Cpu, i: Insn, op: number, bit: number): void {
  const r = cpu.r;
  const value = r[i.rm];
  if (op !== BT) writeReg(cpu, i.rm, changeBit(op, value, bit), i.size);
  setCarry(cpu, value >>> bit);
}

function bitTestMemory(cpu: Cpu, i: Insn, op: number, bit: number, laddr: number): void {
  const value = loadSized(cpu, laddr, i.size);
  if (op !== BT) storeSized(cpu, laddr, changeBit(op, value, bit), i.size);
  setCarry(cpu, value >>> bit);
}

/** Bit number from a register: with a memory operand it reaches beyond the addressed word, signed (SDM Vol. 2, BT). */
function bitTestReg(cpu: Cpu, i: Insn, op: number): void {
  const r = cpu.r;
  const offset = r[i.reg];
  if (i.mod === 3) {
    bitTest(cpu, i, op, offset & (i.size - 1));
    return;
  }
  const bytes = i.size === 32 ? (offset >> 5) << 2 : (((offset << 16) >> 16) >> 4) << 1;
  const laddr = (((r[i.base] + (r[i.index] << i.scale) + i.disp + bytes) & i.mask) + r[i.segment]) | 0;
  bitTestMemory(cpu, i, op, offset & (i.size - 1), laddr);
}

function bitTestImm(cpu: Cpu, i: Insn): void {
  const bit = i.imm & (i.size - 1);
  if (i.mod === 3) bitTest(cpu, i, i.reg & 3, bit);
  else bitTestMemory(cpu, i, i.reg & 3, bit, effectiveAddress(cpu, i));
}

const btReg: Exec = (cpu, i) => bitTestReg(cpu, i, BT);
const btsReg: Exec = (cpu, i) => bitTestReg(cpu, i, BTS);
const btrReg: Exec = (cpu, i) => bitTestReg(cpu, i, BTR);
const btcReg: Exec = (cpu, i) => bitTestReg(cpu, i, BTC);

/** Operand zero-extended, flags as after a logic operation on it (SDM: only ZF defined). */
function scanOperand(cpu: Cpu, i: Insn): number {
  const value = readRm(cpu, i);
  cpu.r[CC_OP] = ccOp(CC_LOGIC, i.size);
  cpu.r[CC_DST] = value;
  return value;
}

/** An operand of 0 leaves the destination, as all processors and QEMU do. */
const bsf: Exec = (cpu, i) => {
  const value = scanOperand(cpu, i);
  if (value !== 0) writeReg(cpu, i.reg, 31 - Math.clz32(value & -value), i.size);
};
const bsr: Exec = (cpu, i) => {
  const value = scanOperand(cpu, i);
  if (value !== 0) writeReg(cpu, i.reg, 31 - Math.clz32(value), i.size);
};

/** Flags of LZCNT and TZCNT: CF for an operand of 0, ZF for a result of 0, the rest 0. */
function countFlags(cpu: Cpu, operand: number, result: number): void {
  setArithFlags(cpu, (operand === 0 ? FLAG_CF : 0) | (result === 0 ? FLAG_ZF : 0));
}

const tzcnt: Exec = (cpu, i) => {
  if (cpu.model !== 'max') {
    bsf(cpu, i);
    return;
  }
  const value = readRm(cpu, i);
  const result = value === 0 ? i.size : 31 - Math.clz32(value & -value);
  writeReg(cpu, i.reg, result, i.size);
  countFlags(cpu, value, result);
};
const lzcnt: Exec = (cpu, i) => {
  if (cpu.model !== 'max') {
    bsr(cpu, i);
    return;
  }
  const value = readRm(cpu, i);
  const result = Math.clz32(value) - (32 - i.size);
  writeReg(cpu, i.reg, result, i.size);
  countFlags(cpu, value, result);
};

const popcnt: Exec = (cpu, i) => {
  const value = readRm(cpu, i);
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  v = (v + (v >>> 4)) & 0x0f0f0f0f;
  writeReg(cpu, i.reg, Math.imul(v, 0x01010101) >>> 24, i.size);
  setArithFlags(cpu, value === 0 ? FLAG_ZF : 0);
};

/** CRC-32C, reflected polynomial 0x82f63b78. */
function crc32c(crc: number, value: number, bits: number): number {
  let c = crc ^ value;
  for (let k = 0; k < bits; k++) c = (c & 1) !== 0 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c | 0;
}
const crc32Byte: Exec = (cpu, i) => {
  const value = i.mod === 3 ? readReg8(cpu, i.rm) : loadSized(cpu, effectiveAddress(cpu, i), 8);
  cpu.r[i.reg] = crc32c(cpu.r[i.reg], value, 8);
};
const crc32Word: Exec = needsModel('max', (cpu, i) => {
  cpu.r[i.reg] = crc32c(cpu.r[i.reg], readRm(cpu, i), i.size);
});

/** QEMU looks at the 66 prefix alone: without it 32 bits, also in 16-bit code. */
function crc32BySize(i: Insn): Exec {
  i.size = i.opsizePrefix ? 16 : 32;
  return crc32Word;
}

/** ADCX (carry in CF) and ADOX (in OF) touch no other flag. */
function addWithFlag(cpu: Cpu, i: Insn, flag: number): void {
  const b = readRm(cpu, i);
  const flags = getArithFlags(cpu);
  const sum = (cpu.r[i.reg] >>> 0) + (b >>> 0) + ((flags & flag) !== 0 ? 1 : 0);
  cpu.r[i.reg] = sum | 0;
  setArithFlags(cpu, (flags & ~flag) | (sum > 0xffffffff ? flag : 0));
}
const adcx: Exec = (cpu, i) => addWithFlag(cpu, i, FLAG_CF);
const adox: Exec = (cpu, i) => addWithFlag(cpu, i, FLAG_OF);

const BIT_NAMES = ['bt', 'bts', 'btr', 'btc'];
const BIT_EXECS = [btReg, btsReg, btrReg, btcReg];

/** Bit operations (SDM Vol. 2). */
export const bitTable: readonly Row[] = [
  ...[BT, BTS, BTR, BTC].flatMap((op): Row[] => {
    // LOCK with a register operand makes QEMU 7.2 abort ("tcg fatal error"); here it is #UD as in hardware.
    const common = { name: BIT_NAMES[op]!, map: '0f', modrm: true, size: 'v', writes: FLAG_CF, lockable: true, test: 'integer' } as const;
    return [
      { ...common, opcode: 0xa3 + 8 * op, exec: () => BIT_EXECS[op]! },
      { ...common, opcode: 0xba, digit: 4 + op, imm: 'b', exec: () => bitTestImm },
    ];
  }),
  ...(
    [
      { name: 'bsf', opcode: 0xbc, writes: FLAGS_ARITH, exec: () => bsf },
      { name: 'bsr', opcode: 0xbd, writes: FLAGS_ARITH, exec: () => bsr },
      { name: 'tzcnt', opcode: 0xbc, prefix: 'f3', writes: FLAGS_ARITH, exec: () => tzcnt },
      { name: 'lzcnt', opcode: 0xbd, prefix: 'f3', writes: FLAGS_ARITH, exec: () => lzcnt },
      { name: 'popcnt', opcode: 0xb8, prefix: 'f3', writes: FLAGS_ARITH, lockable: false, exec: () => needsModel('max', popcnt) },
    ] as const
  ).map((row): Row => ({ map: '0f', modrm: true, size: 'v', test: 'integer', ...row })),
  {
    name: 'crc32',
    map: '0f38',
    opcode: 0xf0,
    prefix: 'f2',
    modrm: true,
    size: 8,
    test: 'integer',
    exec: () => needsModel('max', crc32Byte),
  },
  {
    name: 'crc32',
    map: '0f38',
    opcode: 0xf1,
    prefix: 'f2',
    modrm: true,
    size: 'v',
    test: 'integer',
    exec: crc32BySize,
  },
  ...(
    [
      { name: 'adcx', prefix: '66', reads: FLAG_CF, writes: FLAG_CF, exec: () => needsModel('max', adcx) },
      { name: 'adox', prefix: 'f3', reads: FLAG_OF, writes: FLAG_OF, exec: () => needsModel('max', adox) },
    ] as const
  ).map((row): Row => ({ map: '0f38', opcode: 0xf6, modrm: true, size: 32, lockable: false, test: 'integer', ...row })),
];
