// Oracle: manual (Intel SDM Vol. 1 3.4.3 and appendix B), every pair of byte operands
import { describe, expect, it } from 'vitest';
import type { Cpu } from '../../jit/x86/cpu.js';
import {
  CC_ADC,
  CC_ADD,
  CC_DEC,
  CC_INC,
  CC_LOGIC,
  CC_SBB,
  CC_SUB,
  ccOp,
  condition,
  getArithFlags,
  getCF,
  materializeFlags,
  readEflags,
  setArithFlags,
} from '../../jit/x86/flags.js';
import {
  CC_DST,
  CC_OP,
  CC_SRC,
  CC_SRC2,
  EFLAGS,
  FLAG_AF,
  FLAG_CF,
  FLAG_OF,
  FLAG_PF,
  FLAG_SF,
  FLAG_ZF,
  FLAGS_ARITH,
} from '../../jit/x86/regs.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';

const cpu: Cpu = new InterpreterJudge('qemu32').cpu;

function state(op: number, dst: number, src: number, src2: number): void {
  cpu.r[CC_OP] = op;
  cpu.r[CC_DST] = dst;
  cpu.r[CC_SRC] = src;
  cpu.r[CC_SRC2] = src2;
}

function ones(byte: number): number {
  return [...byte.toString(2)].filter((b) => b === '1').length;
}

/** Flags of a byte result by the definitions, with wide integers. */
function flagsOf(unsigned: number, signed: number, low: number): number {
  const byte = unsigned & 0xff;
  return (
    (unsigned < 0 || unsigned > 0xff ? FLAG_CF : 0) |
    (ones(byte) % 2 === 0 ? FLAG_PF : 0) |
    (low < 0 || low > 15 ? FLAG_AF : 0) |
    (byte === 0 ? FLAG_ZF : 0) |
    (byte & 0x80 ? FLAG_SF : 0) |
    (signed < -128 || signed > 127 ? FLAG_OF : 0)
  );
}

const signed = (b: number): number => (b << 24) >> 24;

/** The same operands at the top of 16 and 32-bit words, so that all but AF and PF carry over. */
const WIDER = [
  [16, 8],
  [32, 24],
] as const;

describe('lazy flags', () => {
  it('are right for ADD, ADC, SUB and SBB of all bytes', () => {
    let wrong = 0;
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        for (const carry of [0, 1]) {
          const sum = a + b + carry;
          const add = flagsOf(sum, signed(a) + signed(b) + carry, (a & 15) + (b & 15) + carry);
          state(ccOp(carry ? CC_ADC : CC_ADD, 8), sum | 0x1200, b, carry);
          if (getArithFlags(cpu) !== add || getCF(cpu) !== (add & FLAG_CF)) wrong++;
          const difference = a - b - carry;
          const sub = flagsOf(difference, signed(a) - signed(b) - carry, (a & 15) - (b & 15) - carry);
          state(ccOp(carry ? CC_SBB : CC_SUB, 8), difference, b, carry);
          if (getArithFlags(cpu) !== sub) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });

  it('are right for words and doublewords', () => {
    const mask = FLAG_CF | FLAG_ZF | FLAG_SF | FLAG_OF;
    let wrong = 0;
    for (let a = 0; a < 256; a += 3) {
      for (let b = 0; b < 256; b += 5) {
        for (const [size, shift] of WIDER) {
          const add = flagsOf(a + b, signed(a) + signed(b), 0) & mask;
          state(ccOp(CC_ADD, size), (a << shift) + (b << shift), b << shift, 0);
          if ((getArithFlags(cpu) & mask) !== add) wrong++;
          const sub = flagsOf(a - b, signed(a) - signed(b), 0) & mask;
          state(ccOp(CC_SUB, size), (a << shift) - (b << shift), b << shift, 0);
          if ((getArithFlags(cpu) & mask) !== sub) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });

  it('keep CF through INC and DEC and clear CF, AF and OF after logic', () => {
    for (let a = 0; a < 256; a++) {
      for (const carry of [0, 1]) {
        state(ccOp(CC_INC, 8), a + 1, carry, 0);
        expect(getArithFlags(cpu)).toBe((flagsOf(a + 1, signed(a) + 1, (a & 15) + 1) & ~FLAG_CF) | carry);
        state(ccOp(CC_DEC, 8), a - 1, carry, 0);
        expect(getArithFlags(cpu)).toBe((flagsOf(a - 1, signed(a) - 1, (a & 15) - 1) & ~FLAG_CF) | carry);
      }
      state(ccOp(CC_LOGIC, 8), a, 0x55, 1);
      expect(getArithFlags(cpu)).toBe(flagsOf(a, signed(a), 0));
    }
  });

  it('give each condition its truth for every set of flags', () => {
    for (let bits = 0; bits < 64; bits++) {
      const [c, p, a, z, s, o] = [bits & 1, bits & 2, bits & 4, bits & 8, bits & 16, bits & 32].map((x) => x !== 0) as boolean[];
      setArithFlags(
        cpu,
        (c ? FLAG_CF : 0) | (p ? FLAG_PF : 0) | (a ? FLAG_AF : 0) | (z ? FLAG_ZF : 0) | (s ? FLAG_SF : 0) | (o ? FLAG_OF : 0),
      );
      const truth = [o, c, z, c || z, s, p, s !== o, z || s !== o];
      for (let cc = 0; cc < 16; cc++) expect(condition(cpu, cc)).toBe((cc & 1) === 0 ? truth[cc >> 1] : !truth[cc >> 1]);
    }
  });

  it('answer conditions after a comparison as its materialised flags do', () => {
    let wrong = 0;
    for (let a = 0; a < 256; a += 7) {
      for (let b = 0; b < 256; b++) {
        for (const [size, shift] of [[8, 0], ...WIDER] as const) {
          let lazy = 0;
          state(ccOp(CC_SUB, size), (a << shift) - (b << shift), b << shift, 0);
          for (let cc = 0; cc < 16; cc++) lazy |= condition(cpu, cc) ? 1 << cc : 0;
          materializeFlags(cpu);
          for (let cc = 0; cc < 16; cc++) if (condition(cpu, cc) !== (((lazy >> cc) & 1) !== 0)) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });

  it('read as part of EFLAGS, and materialising changes none', () => {
    cpu.r[EFLAGS] = 0x202;
    state(ccOp(CC_SUB, 32), -1, 1, 0);
    const before = readEflags(cpu);
    materializeFlags(cpu);
    expect(readEflags(cpu)).toBe(before);
    expect(before & ~FLAGS_ARITH).toBe(0x202);
    expect(before & FLAGS_ARITH).toBe(FLAG_CF | FLAG_AF | FLAG_SF | FLAG_PF);
  });
});
