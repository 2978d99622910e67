import { CONDITION_READS, condition } from '../flags.js';
import type { Exec, Insn, Row } from '../insn.js';
import { load8, load16, load32, store8, store16, store32 } from '../mmu.js';
import { effectiveAddress, effectiveOffset, loadSized, readReg8, readRm8, readRm16, readRm32, writeReg8, writeReg16 } from '../operands.js';
import { EAX, EBX, EDX } from '../regs.js';
import { needsModel } from './model.js';

// MOV
const movRegReg8: Exec = (cpu, i) => writeReg8(cpu, i.rm, readReg8(cpu, i.reg));
const movMemReg8: Exec = (cpu, i) => store8(cpu, effectiveAddress(cpu, i), readReg8(cpu, i.reg));
const movRmReg16: Exec = (cpu, i) => {
  if (i.mod === 3) writeReg16(cpu, i.rm, cpu.r[i.reg]);
  else store16(cpu, effectiveAddress(cpu, i), cpu.r[i.reg] & 0xffff);
};
const movRegReg32: Exec = (cpu, i) => {
  cpu.r[i.rm] = cpu.r[i.reg];
};
const movMemReg32: Exec = (cpu, i) => store32(cpu, effectiveAddress(cpu, i), cpu.r[i.reg]);
const movRegRm8: Exec = (cpu, i) => writeReg8(cpu, i.reg, readRm8(cpu, i));
const movRegRm16: Exec = (cpu, i) => writeReg16(cpu, i.reg, readRm16(cpu, i));
const movRegFromReg32: Exec = (cpu, i) => {
  cpu.r[i.reg] = cpu.r[i.rm];
};
const movRegMem32: Exec = (cpu, i) => {
  cpu.r[i.reg] = load32(cpu, effectiveAddress(cpu, i));
};
const movRegImm8: Exec = (cpu, i) => writeReg8(cpu, i.reg, i.imm);
const movRegImm16: Exec = (cpu, i) => writeReg16(cpu, i.reg, i.imm);
const movRegImm32: Exec = (cpu, i) => {
  cpu.r[i.reg] = i.imm;
};
const movRmImm8: Exec = (cpu, i) => {
  if (i.mod === 3) writeReg8(cpu, i.rm, i.imm);
  else store8(cpu, effectiveAddress(cpu, i), i.imm);
};
const movRmImm16: Exec = (cpu, i) => {
  if (i.mod === 3) writeReg16(cpu, i.rm, i.imm);
  else store16(cpu, effectiveAddress(cpu, i), i.imm & 0xffff);
};
const movRmImm32: Exec = (cpu, i) => {
  if (i.mod === 3) cpu.r[i.rm] = i.imm;
  else store32(cpu, effectiveAddress(cpu, i), i.imm);
};
const movAccMem: Exec = (cpu, i) => {
  const value = loadSized(cpu, effectiveAddress(cpu, i), i.size);
  if (i.size === 8) writeReg8(cpu, EAX, value);
  else if (i.size === 16) writeReg16(cpu, EAX, value);
  else cpu.r[EAX] = value;
};
const movMemAcc: Exec = (cpu, i) => {
  const laddr = effectiveAddress(cpu, i);
  if (i.size === 8) store8(cpu, laddr, cpu.r[EAX] & 0xff);
  else if (i.size === 16) store16(cpu, laddr, cpu.r[EAX] & 0xffff);
  else store32(cpu, laddr, cpu.r[EAX]);
};

// MOVZX, MOVSX
const movzxByte16: Exec = (cpu, i) => writeReg16(cpu, i.reg, readRm8(cpu, i));
const movzxByte32: Exec = (cpu, i) => {
  cpu.r[i.reg] = readRm8(cpu, i);
};
const movzxWord16: Exec = (cpu, i) => writeReg16(cpu, i.reg, readRm16(cpu, i));
const movzxWord32: Exec = (cpu, i) => {
  cpu.r[i.reg] = readRm16(cpu, i);
};
const movsxByte16: Exec = (cpu, i) => writeReg16(cpu, i.reg, (readRm8(cpu, i) << 24) >> 24);
const movsxByte32: Exec = (cpu, i) => {
  cpu.r[i.reg] = (readRm8(cpu, i) << 24) >> 24;
};
const movsxWord32: Exec = (cpu, i) => {
  cpu.r[i.reg] = (readRm16(cpu, i) << 16) >> 16;
};

// LEA
const lea16: Exec = (cpu, i) => writeReg16(cpu, i.reg, effectiveOffset(cpu, i));
const lea32: Exec = (cpu, i) => {
  cpu.r[i.reg] = effectiveOffset(cpu, i);
};

// XCHG: load, then store, then the register.
const xchgRm8: Exec = (cpu, i) => {
  const value = readReg8(cpu, i.reg);
  if (i.mod === 3) {
    const other = readReg8(cpu, i.rm);
    writeReg8(cpu, i.rm, value);
    writeReg8(cpu, i.reg, other);
    return;
  }
  const laddr = effectiveAddress(cpu, i);
  const other = load8(cpu, laddr);
  store8(cpu, laddr, value);
  writeReg8(cpu, i.reg, other);
};
const xchgRm16: Exec = (cpu, i) => {
  const value = cpu.r[i.reg] & 0xffff;
  if (i.mod === 3) {
    const other = cpu.r[i.rm] & 0xffff;
    writeReg16(cpu, i.rm, value);
    writeReg16(cpu, i.reg, other);
    return;
  }
  const laddr = effectiveAddress(cpu, i);
  const other = load16(cpu, laddr);
  store16(cpu, laddr, value);
  writeReg16(cpu, i.reg, other);
};
const xchgRm32: Exec = (cpu, i) => {
  const r = cpu.r;
  const value = r[i.reg];
  if (i.mod === 3) {
    r[i.reg] = r[i.rm];
    r[i.rm] = value;
    return;
  }
  const laddr = effectiveAddress(cpu, i);
  const other = load32(cpu, laddr);
  store32(cpu, laddr, value);
  r[i.reg] = other;
};
const xchgAcc16: Exec = (cpu, i) => {
  const other = cpu.r[i.reg];
  writeReg16(cpu, i.reg, cpu.r[EAX]);
  writeReg16(cpu, EAX, other);
};
const xchgAcc32: Exec = (cpu, i) => {
  const other = cpu.r[i.reg];
  cpu.r[i.reg] = cpu.r[EAX];
  cpu.r[EAX] = other;
};

const xlat: Exec = (cpu, i) => {
  const r = cpu.r;
  const laddr = (((r[EBX] + (r[EAX] & 0xff)) & i.mask) + r[i.segment]) | 0;
  writeReg8(cpu, EAX, load8(cpu, laddr));
};

function swap32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

/** All 32 bits, also with a 16-bit operand size (undefined by the SDM; QEMU). */
const bswap: Exec = (cpu, i) => {
  cpu.r[i.reg] = swap32(cpu.r[i.reg]);
};

// MOVBE: QEMU looks at the 66 prefix alone, so without it 32 bits are moved in 16-bit code too.
const movbeLoad: Exec = needsModel('max', (cpu, i) => {
  const laddr = effectiveAddress(cpu, i);
  if (i.opsizePrefix) writeReg16(cpu, i.reg, swap32(load16(cpu, laddr)) >>> 16);
  else cpu.r[i.reg] = swap32(load32(cpu, laddr));
});
const movbeStore: Exec = needsModel('max', (cpu, i) => {
  const laddr = effectiveAddress(cpu, i);
  if (i.opsizePrefix) store16(cpu, laddr, swap32(cpu.r[i.reg]) >>> 16);
  else store32(cpu, laddr, swap32(cpu.r[i.reg]));
});

// CBW, CWDE, CWD, CDQ
const cbw: Exec = (cpu) => writeReg16(cpu, EAX, (cpu.r[EAX] << 24) >> 24);
const cwde: Exec = (cpu) => {
  cpu.r[EAX] = (cpu.r[EAX] << 16) >> 16;
};
const cwd: Exec = (cpu) => writeReg16(cpu, EDX, (cpu.r[EAX] << 16) >> 31);
const cdq: Exec = (cpu) => {
  cpu.r[EDX] = cpu.r[EAX] >> 31;
};

const setcc: Exec = (cpu, i) => {
  const value = condition(cpu, i.opcode & 15) ? 1 : 0;
  if (i.mod === 3) writeReg8(cpu, i.rm, value);
  else store8(cpu, effectiveAddress(cpu, i), value);
};

// CMOVcc reads its operand in any case.
const cmov16: Exec = (cpu, i) => {
  const value = readRm16(cpu, i);
  if (condition(cpu, i.opcode & 15)) writeReg16(cpu, i.reg, value);
};
const cmov32: Exec = (cpu, i) => {
  const value = readRm32(cpu, i);
  if (condition(cpu, i.opcode & 15)) cpu.r[i.reg] = value;
};

const CC_NAMES = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

function conditionRows(): Row[] {
  return CC_NAMES.flatMap((cc, k): Row[] => {
    const reads = CONDITION_READS[k >> 1]!;
    const common = { map: '0f', modrm: true, reads, test: 'integer' } as const;
    return [
      { ...common, name: `cmov${cc}`, opcode: 0x40 + k, size: 'v', exec: (i) => (i.size === 16 ? cmov16 : cmov32) },
      { ...common, name: `set${cc}`, opcode: 0x90 + k, size: 8, exec: () => setcc },
    ];
  });
}

function movRegRm(i: Insn): Exec {
  return i.size === 16 ? movRegRm16 : i.mod === 3 ? movRegFromReg32 : movRegMem32;
}

function movRmReg(i: Insn): Exec {
  return i.size === 16 ? movRmReg16 : i.mod === 3 ? movRegReg32 : movMemReg32;
}

/** Data movement without stack and segment registers (SDM Vol. 2). */
export const movTable: readonly Row[] = [
  ...(
    [
      { name: 'mov', opcode: 0x88, modrm: true, size: 8, exec: (i: Insn) => (i.mod === 3 ? movRegReg8 : movMemReg8) },
      { name: 'mov', opcode: 0x89, modrm: true, size: 'v', exec: movRmReg },
      { name: 'mov', opcode: 0x8a, modrm: true, size: 8, exec: () => movRegRm8 },
      { name: 'mov', opcode: 0x8b, modrm: true, size: 'v', exec: movRegRm },
      { name: 'mov', opcode: 0xa0, modrm: false, size: 8, imm: 'a', exec: () => movAccMem },
      { name: 'mov', opcode: 0xa1, modrm: false, size: 'v', imm: 'a', exec: () => movAccMem },
      { name: 'mov', opcode: 0xa2, modrm: false, size: 8, imm: 'a', exec: () => movMemAcc },
      { name: 'mov', opcode: 0xa3, modrm: false, size: 'v', imm: 'a', exec: () => movMemAcc },
      { name: 'mov', opcode: 0xb0, count: 8, modrm: false, size: 8, imm: 'b', exec: () => movRegImm8 },
      {
        name: 'mov',
        opcode: 0xb8,
        count: 8,
        modrm: false,
        size: 'v',
        imm: 'v',
        exec: (i: Insn) => (i.size === 16 ? movRegImm16 : movRegImm32),
      },
      // Any /digit, as QEMU (the SDM has /0 only).
      { name: 'mov', opcode: 0xc6, modrm: true, size: 8, imm: 'b', exec: () => movRmImm8 },
      { name: 'mov', opcode: 0xc7, modrm: true, size: 'v', imm: 'v', exec: (i: Insn) => (i.size === 16 ? movRmImm16 : movRmImm32) },
      { name: 'lea', opcode: 0x8d, modrm: true, form: 'mem', size: 'v', exec: (i: Insn) => (i.size === 16 ? lea16 : lea32) },
      { name: 'xchg', opcode: 0x86, modrm: true, size: 8, exec: () => xchgRm8 },
      { name: 'xchg', opcode: 0x87, modrm: true, size: 'v', exec: (i: Insn) => (i.size === 16 ? xchgRm16 : xchgRm32) },
      { name: 'xchg', opcode: 0x91, count: 7, modrm: false, size: 'v', exec: (i: Insn) => (i.size === 16 ? xchgAcc16 : xchgAcc32) },
      { name: 'xlat', opcode: 0xd7, modrm: false, size: 8, exec: () => xlat },
      { name: 'cbw', opcode: 0x98, modrm: false, size: 'v', exec: (i: Insn) => (i.size === 16 ? cbw : cwde) },
      { name: 'cwd', opcode: 0x99, modrm: false, size: 'v', exec: (i: Insn) => (i.size === 16 ? cwd : cdq) },
    ] as const
  ).map((row): Row => ({ map: '1', test: 'integer', ...row })),
  ...(
    [
      { name: 'movzx', opcode: 0xb6, exec: (i: Insn) => (i.size === 16 ? movzxByte16 : movzxByte32) },
      { name: 'movzx', opcode: 0xb7, exec: (i: Insn) => (i.size === 16 ? movzxWord16 : movzxWord32) },
      { name: 'movsx', opcode: 0xbe, exec: (i: Insn) => (i.size === 16 ? movsxByte16 : movsxByte32) },
      { name: 'movsx', opcode: 0xbf, exec: (i: Insn) => (i.size === 16 ? movzxWord16 : movsxWord32) },
    ] as const
  ).map((row): Row => ({ map: '0f', modrm: true, size: 'v', test: 'integer', ...row })),
  { name: 'bswap', map: '0f', opcode: 0xc8, count: 8, modrm: false, size: 'v', test: 'integer', exec: () => bswap },
  ...conditionRows(),
  ...([undefined, '66'] as const).flatMap((prefix): Row[] => {
    const common = { name: 'movbe', map: '0f38', prefix: prefix ?? 'none', modrm: true, form: 'mem', size: 'v', test: 'integer' } as const;
    return [
      { ...common, opcode: 0xf0, exec: () => movbeLoad },
      { ...common, opcode: 0xf1, exec: () => movbeStore },
    ];
  }),
];
