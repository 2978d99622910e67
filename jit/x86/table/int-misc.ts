import { raiseStatic, UD } from '../fault.js';
import { getArithFlags, getCF, setArithFlags } from '../flags.js';
import { END_SYSTEM, type Exec, type Row } from '../insn.js';
import { load32, probeWrite, store32 } from '../mmu.js';
import { effectiveAddress, readReg8, readRm, writeReg8 } from '../operands.js';
import { EAX, EBX, ECX, EDX, EFLAGS, FLAG_AF, FLAG_CF, FLAG_DF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_ZF, FLAGS_ARITH } from '../regs.js';

const clc: Exec = (cpu) => setArithFlags(cpu, getArithFlags(cpu) & ~FLAG_CF);
const stc: Exec = (cpu) => setArithFlags(cpu, getArithFlags(cpu) | FLAG_CF);
const cmc: Exec = (cpu) => setArithFlags(cpu, getArithFlags(cpu) ^ FLAG_CF);
const cld: Exec = (cpu) => {
  cpu.r[EFLAGS] &= ~FLAG_DF;
};
const std: Exec = (cpu) => {
  cpu.r[EFLAGS] |= FLAG_DF;
};

const AH = 4;
const LOW_FLAGS = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF;
const lahf: Exec = (cpu) => writeReg8(cpu, AH, getArithFlags(cpu) | 2);
const sahf: Exec = (cpu) => setArithFlags(cpu, (getArithFlags(cpu) & FLAG_OF) | (readReg8(cpu, AH) & LOW_FLAGS));
/** Undocumented D6: AL = CF ? FFh : 0. */
const salc: Exec = (cpu) => writeReg8(cpu, EAX, -getCF(cpu));

const nop: Exec = () => {};
/** Memory is written in any case; ZF alone changes. */
const cmpxchg8b: Exec = (cpu, i) => {
  const r = cpu.r;
  const laddr = effectiveAddress(cpu, i);
  const high = (laddr + 4) | 0;
  const oldLow = load32(cpu, laddr);
  const oldHigh = load32(cpu, high);
  const equal = oldLow === r[EAX] && oldHigh === r[EDX];
  const flags = getArithFlags(cpu);
  // Both halves or none.
  probeWrite(cpu, laddr, 8);
  store32(cpu, laddr, equal ? r[EBX] : oldLow);
  store32(cpu, high, equal ? r[ECX] : oldHigh);
  if (!equal) {
    r[EAX] = oldLow;
    r[EDX] = oldHigh;
  }
  setArithFlags(cpu, equal ? flags | FLAG_ZF : flags & ~FLAG_ZF);
};

/** Undefined members of groups whose operand QEMU loads before it looks at /digit: a page fault comes first. */
const undefinedAfterLoad: Exec = (cpu, i) => {
  readRm(cpu, i);
  raiseStatic(UD);
};

function undefinedRow(map: '1' | '0f', opcode: number, size: 8 | 'v', digit: number): Row {
  const imm = map === '0f' ? 'b' : 'none';
  return {
    name: '(undefined after a load)',
    map,
    opcode,
    digit,
    modrm: true,
    imm,
    size,
    end: END_SYSTEM,
    test: 'skip',
    exec: () => undefinedAfterLoad,
  };
}

/** Flag instructions, NOP, CMPXCHG8B (SDM Vol. 2). */
export const miscTable: readonly Row[] = [
  ...(
    [
      { name: 'cmc', opcode: 0xf5, reads: FLAG_CF, writes: FLAG_CF, exec: () => cmc },
      { name: 'clc', opcode: 0xf8, writes: FLAG_CF, exec: () => clc },
      { name: 'stc', opcode: 0xf9, writes: FLAG_CF, exec: () => stc },
      { name: 'cld', opcode: 0xfc, exec: () => cld },
      { name: 'std', opcode: 0xfd, exec: () => std },
      { name: 'sahf', opcode: 0x9e, writes: LOW_FLAGS, exec: () => sahf },
      { name: 'lahf', opcode: 0x9f, reads: FLAGS_ARITH & ~FLAG_OF, exec: () => lahf },
      { name: 'salc', opcode: 0xd6, reads: FLAG_CF, exec: () => salc },
      { name: 'nop', opcode: 0x90, lockable: false, exec: () => nop },
    ] as const
  ).map((row): Row => ({ map: '1', modrm: false, size: 'v', test: 'integer', ...row })),
  {
    name: 'cmpxchg8b',
    map: '0f',
    opcode: 0xc7,
    digit: 1,
    form: 'mem',
    modrm: true,
    size: 32,
    writes: FLAG_ZF,
    test: 'integer',
    exec: () => cmpxchg8b,
  },
  // PREFETCHh, PREFETCHW and hint NOPs read nothing. MPX (1A, 1B) is never enabled.
  { name: 'prefetchw', map: '0f', opcode: 0x0d, form: 'mem', modrm: true, size: 'v', test: 'integer', exec: () => nop },
  ...[0, 1, 2, 3].map((digit): Row => {
    return { name: 'prefetch', map: '0f', opcode: 0x18, digit, form: 'mem', modrm: true, size: 'v', test: 'integer', exec: () => nop };
  }),
  ...[4, 5, 6, 7].map((digit): Row => {
    return { name: 'nop', map: '0f', opcode: 0x18, digit, modrm: true, size: 'v', test: 'integer', exec: () => nop };
  }),
  { name: 'nop', map: '0f', opcode: 0x19, count: 7, modrm: true, size: 'v', test: 'integer', exec: () => nop },
  undefinedRow('1', 0xf6, 8, 1),
  undefinedRow('1', 0xf7, 'v', 1),
  undefinedRow('1', 0xff, 'v', 7),
  ...[0, 1, 2, 3].map((digit) => undefinedRow('0f', 0xba, 'v', digit)),
];
