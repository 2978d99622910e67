import type { Cpu } from '../cpu.js';
import { CONDITION_READS, condition, getCF, getSF, getZF, isBelowOrEqual, isLess, isLessOrEqual } from '../flags.js';
import { END_JUMP, type Exec, type Insn, type Row } from '../insn.js';
import { MODE_CS32 } from '../mode.js';
import { readRm16, readRm32, writeReg } from '../operands.js';
import { dropStack, push16, push32, stackTop } from '../push-pop.js';
import { ECX, EIP, FLAG_ZF } from '../regs.js';

// EIP wraps at 64 KiB when the operand size is 16; there is no limit check (QEMU).

/** Taken relative jump. */
function jump(cpu: Cpu, i: Insn): void {
  const target = (cpu.r[EIP] + i.imm) | 0;
  cpu.r[EIP] = i.size === 16 ? target & 0xffff : target;
}

/** A conditional jump not taken ends its block: EIP is cut to the code segment's size. */
function fallThrough(cpu: Cpu, i: Insn): void {
  if ((i.mode & MODE_CS32) === 0) cpu.r[EIP] &= 0xffff;
}

const jmpRel: Exec = (cpu, i) => jump(cpu, i);
const callRel16: Exec = (cpu, i) => {
  push16(cpu, cpu.r[EIP]);
  jump(cpu, i);
};
const callRel32: Exec = (cpu, i) => {
  push32(cpu, cpu.r[EIP]);
  jump(cpu, i);
};
const jmpRm16: Exec = (cpu, i) => {
  cpu.r[EIP] = readRm16(cpu, i);
};
const jmpRm32: Exec = (cpu, i) => {
  cpu.r[EIP] = readRm32(cpu, i);
};
const callRm16: Exec = (cpu, i) => {
  const target = readRm16(cpu, i);
  push16(cpu, cpu.r[EIP]);
  cpu.r[EIP] = target;
};
const callRm32: Exec = (cpu, i) => {
  const target = readRm32(cpu, i);
  push32(cpu, cpu.r[EIP]);
  cpu.r[EIP] = target;
};
const ret: Exec = (cpu, i) => {
  const target = stackTop(cpu, i);
  dropStack(cpu, i.size >> 3);
  cpu.r[EIP] = target;
};
/** QEMU takes the number of bytes as signed. */
const retImm: Exec = (cpu, i) => {
  const target = stackTop(cpu, i);
  dropStack(cpu, (i.size >> 3) + ((i.imm << 16) >> 16));
  cpu.r[EIP] = target;
};

function jumpIf(cpu: Cpu, i: Insn, taken: boolean): void {
  if (taken) jump(cpu, i);
  else fallThrough(cpu, i);
}

const jb: Exec = (cpu, i) => jumpIf(cpu, i, getCF(cpu) !== 0);
const jae: Exec = (cpu, i) => jumpIf(cpu, i, getCF(cpu) === 0);
const je: Exec = (cpu, i) => jumpIf(cpu, i, getZF(cpu));
const jne: Exec = (cpu, i) => jumpIf(cpu, i, !getZF(cpu));
const jbe: Exec = (cpu, i) => jumpIf(cpu, i, isBelowOrEqual(cpu));
const ja: Exec = (cpu, i) => jumpIf(cpu, i, !isBelowOrEqual(cpu));
const js: Exec = (cpu, i) => jumpIf(cpu, i, getSF(cpu));
const jns: Exec = (cpu, i) => jumpIf(cpu, i, !getSF(cpu));
const jl: Exec = (cpu, i) => jumpIf(cpu, i, isLess(cpu));
const jge: Exec = (cpu, i) => jumpIf(cpu, i, !isLess(cpu));
const jle: Exec = (cpu, i) => jumpIf(cpu, i, isLessOrEqual(cpu));
const jg: Exec = (cpu, i) => jumpIf(cpu, i, !isLessOrEqual(cpu));
/** JO, JNO, JP, JNP. */
const jcc: Exec = (cpu, i) => jumpIf(cpu, i, condition(cpu, i.opcode & 15));

const JCC: readonly Exec[] = [jcc, jcc, jb, jae, je, jne, jbe, ja, js, jns, jcc, jcc, jl, jge, jle, jg];

/** Counts (E)CX down; true while it is not 0. */
function countDown(cpu: Cpu, i: Insn): boolean {
  const r = cpu.r;
  writeReg(cpu, ECX, (r[ECX] - 1) | 0, i.addressSize);
  return (r[ECX] & i.mask) !== 0;
}
const loop: Exec = (cpu, i) => jumpIf(cpu, i, countDown(cpu, i));
const loope: Exec = (cpu, i) => jumpIf(cpu, i, countDown(cpu, i) && getZF(cpu));
const loopne: Exec = (cpu, i) => jumpIf(cpu, i, countDown(cpu, i) && !getZF(cpu));
const jcxz: Exec = (cpu, i) => jumpIf(cpu, i, (cpu.r[ECX] & i.mask) === 0);

const CC_NAMES = ['jo', 'jno', 'jb', 'jae', 'je', 'jne', 'jbe', 'ja', 'js', 'jns', 'jp', 'jnp', 'jl', 'jge', 'jle', 'jg'];

/** Near jumps, calls and returns (SDM Vol. 2). */
export const controlTable: readonly Row[] = [
  ...CC_NAMES.flatMap((name, cc): Row[] => {
    const common = {
      name,
      modrm: false,
      size: 'v',
      reads: CONDITION_READS[cc >> 1]!,
      end: END_JUMP,
      test: 'control',
      exec: () => JCC[cc]!,
    } as const;
    return [
      { ...common, map: '1', opcode: 0x70 + cc, imm: 'sb' },
      { ...common, map: '0f', opcode: 0x80 + cc, imm: 'v' },
    ];
  }),
  ...(
    [
      { name: 'loopne', opcode: 0xe0, modrm: false, imm: 'sb', reads: FLAG_ZF, exec: () => loopne },
      { name: 'loope', opcode: 0xe1, modrm: false, imm: 'sb', reads: FLAG_ZF, exec: () => loope },
      { name: 'loop', opcode: 0xe2, modrm: false, imm: 'sb', exec: () => loop },
      { name: 'jcxz', opcode: 0xe3, modrm: false, imm: 'sb', exec: () => jcxz },
      { name: 'call', opcode: 0xe8, modrm: false, imm: 'v', exec: (i: Insn) => (i.size === 32 ? callRel32 : callRel16) },
      { name: 'jmp', opcode: 0xe9, modrm: false, imm: 'v', exec: () => jmpRel },
      { name: 'jmp', opcode: 0xeb, modrm: false, imm: 'sb', exec: () => jmpRel },
      { name: 'call', opcode: 0xff, digit: 2, modrm: true, exec: (i: Insn) => (i.size === 32 ? callRm32 : callRm16) },
      { name: 'jmp', opcode: 0xff, digit: 4, modrm: true, exec: (i: Insn) => (i.size === 32 ? jmpRm32 : jmpRm16) },
      { name: 'ret', opcode: 0xc3, modrm: false, exec: () => ret },
      { name: 'ret', opcode: 0xc2, modrm: false, imm: 'w', exec: () => retImm },
    ] as const
  ).map((row): Row => ({ map: '1', size: 'v', end: END_JUMP, test: 'control', ...row })),
];
