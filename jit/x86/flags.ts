import type { Cpu } from './cpu.js';
import { CC_DST, CC_OP, CC_SRC, CC_SRC2, EFLAGS, FLAG_AF, FLAG_CF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_ZF, FLAGS_ARITH } from './regs.js';

/**
 * Lazy arithmetic flags. Instructions leave their result in CC_DST and what else is needed in CC_SRC and CC_SRC2; the six flags are
 * worked out when somebody asks.
 *
 * CC_OP = kind << 5 | (32 - operand bits): JavaScript shifts look at the low five bits only, so `x << CC_OP` moves an operand of any size to
 * the top of the word, where sign, carry and overflow are the same for 8, 16 and 32 bits. Bits of CC_DST, CC_SRC above the operand size mean nothing.
 *
 * | kind        | CC_DST | CC_SRC                          | CC_SRC2  |
 * |-------------|--------|---------------------------------|----------|
 * | CC_EFLAGS   |        | the six flags themselves        |          |
 * | CC_ADD      | result | second operand                  |          |
 * | CC_ADC      | result | second operand                  | carry in |
 * | CC_SUB      | result | second operand                  |          |
 * | CC_SBB      | result | second operand                  | carry in |
 * | CC_LOGIC    | result |                                 |          |
 * | CC_INC, DEC | result | carry before (0 or 1)           |          |
 * | CC_SHL      | result | operand shifted by count - 1    |          |
 * | CC_SAR      | result | operand shifted by count - 1    |          |
 * | CC_MUL      | low half | non-zero (32 bits): overflow  |          |
 *
 * What the manuals leave undefined comes out as QEMU's lazy flags have it: AF 0 after shifts, logic and MUL, OF after long shifts from the last step.
 */
export const CC_EFLAGS = 0;
export const CC_ADD = 1;
export const CC_ADC = 2;
export const CC_SUB = 3;
export const CC_SBB = 4;
export const CC_LOGIC = 5;
export const CC_INC = 6;
export const CC_DEC = 7;
export const CC_SHL = 8;
export const CC_SAR = 9;
export const CC_MUL = 10;

/** Low five bits of CC_OP by operand size. */
export const CC_BYTE = 24;
export const CC_WORD = 16;
export const CC_DWORD = 0;

export const CC_ADD8 = (CC_ADD << 5) | CC_BYTE;
export const CC_ADD16 = (CC_ADD << 5) | CC_WORD;
export const CC_ADD32 = (CC_ADD << 5) | CC_DWORD;
export const CC_ADC8 = (CC_ADC << 5) | CC_BYTE;
export const CC_ADC16 = (CC_ADC << 5) | CC_WORD;
export const CC_ADC32 = (CC_ADC << 5) | CC_DWORD;
export const CC_SUB8 = (CC_SUB << 5) | CC_BYTE;
export const CC_SUB16 = (CC_SUB << 5) | CC_WORD;
export const CC_SUB32 = (CC_SUB << 5) | CC_DWORD;
export const CC_SBB8 = (CC_SBB << 5) | CC_BYTE;
export const CC_SBB16 = (CC_SBB << 5) | CC_WORD;
export const CC_SBB32 = (CC_SBB << 5) | CC_DWORD;
export const CC_LOGIC8 = (CC_LOGIC << 5) | CC_BYTE;
export const CC_LOGIC16 = (CC_LOGIC << 5) | CC_WORD;
export const CC_LOGIC32 = (CC_LOGIC << 5) | CC_DWORD;
export const CC_INC32 = (CC_INC << 5) | CC_DWORD;
export const CC_DEC32 = (CC_DEC << 5) | CC_DWORD;

/** CC_OP of a kind for an operand of 8, 16 or 32 bits. */
export function ccOp(kind: number, sizeBits: number): number {
  return (kind << 5) | (32 - sizeBits);
}

/** PF for each value of the low result byte. */
export const PARITY = /* @__PURE__ */ new Uint8Array(256).map((_, byte) => {
  let ones = byte;
  ones ^= ones >> 4;
  ones ^= ones >> 2;
  ones ^= ones >> 1;
  return (ones & 1) === 0 ? FLAG_PF : 0;
});

/** CF as 0 or 1. */
export function getCF(cpu: Cpu): number {
  const r = cpu.r;
  const op = r[CC_OP];
  const src = r[CC_SRC];
  switch (op >> 5) {
    case CC_ADD:
      return (r[CC_DST] << op) >>> 0 < (src << op) >>> 0 ? 1 : 0;
    case CC_ADC: {
      const dst = (r[CC_DST] << op) >>> 0;
      const operand = (src << op) >>> 0;
      return dst < operand || (dst === operand && r[CC_SRC2] !== 0) ? 1 : 0;
    }
    case CC_SUB:
      return ((r[CC_DST] + src) << op) >>> 0 < (src << op) >>> 0 ? 1 : 0;
    case CC_SBB: {
      const first = ((r[CC_DST] + src + r[CC_SRC2]) << op) >>> 0;
      const operand = (src << op) >>> 0;
      return first < operand || (first === operand && r[CC_SRC2] !== 0) ? 1 : 0;
    }
    case CC_LOGIC:
      return 0;
    case CC_SHL:
      return (src << op) >>> 31;
    case CC_MUL:
      return src !== 0 ? 1 : 0;
    default:
      // CC_EFLAGS, CC_INC, CC_DEC, CC_SAR
      return src & 1;
  }
}

/** ZF. */
export function getZF(cpu: Cpu): boolean {
  const r = cpu.r;
  const op = r[CC_OP];
  return op === CC_EFLAGS ? (r[CC_SRC] & FLAG_ZF) !== 0 : r[CC_DST] << op === 0;
}

/** SF. */
export function getSF(cpu: Cpu): boolean {
  const r = cpu.r;
  const op = r[CC_OP];
  return op === CC_EFLAGS ? (r[CC_SRC] & FLAG_SF) !== 0 : r[CC_DST] << op < 0;
}

/** PF. */
export function getPF(cpu: Cpu): boolean {
  const r = cpu.r;
  return r[CC_OP] === CC_EFLAGS ? (r[CC_SRC] & FLAG_PF) !== 0 : PARITY[r[CC_DST] & 0xff] !== 0;
}

/** OF. */
export function getOF(cpu: Cpu): boolean {
  const r = cpu.r;
  const op = r[CC_OP];
  const dst = r[CC_DST];
  const src = r[CC_SRC];
  switch (op >> 5) {
    case CC_ADD:
    case CC_ADC: {
      const first = dst - src - (op >> 5 === CC_ADC ? r[CC_SRC2] : 0);
      return (~(src ^ first) & (src ^ dst)) << op < 0;
    }
    case CC_SUB:
    case CC_SBB: {
      const first = dst + src + (op >> 5 === CC_SBB ? r[CC_SRC2] : 0);
      return ((first ^ src) & (first ^ dst)) << op < 0;
    }
    case CC_LOGIC:
      return false;
    case CC_INC:
      return dst << op === -0x80000000;
    case CC_DEC:
      return (dst + 1) << op === -0x80000000;
    case CC_SHL:
    case CC_SAR:
      return (src ^ dst) << op < 0;
    case CC_MUL:
      return src !== 0;
    default:
      return (src & FLAG_OF) !== 0;
  }
}

function getAF(cpu: Cpu): number {
  const r = cpu.r;
  const dst = r[CC_DST];
  const src = r[CC_SRC];
  switch (r[CC_OP] >> 5) {
    case CC_EFLAGS:
      return src & FLAG_AF;
    case CC_ADD:
      return (dst ^ src ^ (dst - src)) & FLAG_AF;
    case CC_ADC:
      return (dst ^ src ^ (dst - src - r[CC_SRC2])) & FLAG_AF;
    case CC_SUB:
      return (dst ^ src ^ (dst + src)) & FLAG_AF;
    case CC_SBB:
      return (dst ^ src ^ (dst + src + r[CC_SRC2])) & FLAG_AF;
    case CC_INC:
      return (dst ^ (dst - 1)) & FLAG_AF;
    case CC_DEC:
      return (dst ^ (dst + 1)) & FLAG_AF;
    default:
      return 0;
  }
}

/** CF, PF, AF, ZF, SF and OF at their EFLAGS positions. */
export function getArithFlags(cpu: Cpu): number {
  const r = cpu.r;
  if (r[CC_OP] === CC_EFLAGS) return r[CC_SRC];
  return (
    getCF(cpu) |
    PARITY[r[CC_DST] & 0xff] |
    getAF(cpu) |
    (getZF(cpu) ? FLAG_ZF : 0) |
    (getSF(cpu) ? FLAG_SF : 0) |
    (getOF(cpu) ? FLAG_OF : 0)
  );
}

/** Makes the six flags those of `bits` (others of `bits` are ignored). */
export function setArithFlags(cpu: Cpu, bits: number): void {
  cpu.r[CC_OP] = CC_EFLAGS;
  cpu.r[CC_DST] = 0;
  cpu.r[CC_SRC] = bits & FLAGS_ARITH;
  cpu.r[CC_SRC2] = 0;
}

/** Brings the lazy flags into their one canonical form; changes no flag. For save, digest and comparison. */
export function materializeFlags(cpu: Cpu): void {
  setArithFlags(cpu, getArithFlags(cpu));
}

/** All of EFLAGS. */
export function readEflags(cpu: Cpu): number {
  return cpu.r[EFLAGS] | getArithFlags(cpu);
}

/** CF or ZF: "below or equal". */
export function isBelowOrEqual(cpu: Cpu): boolean {
  const r = cpu.r;
  const op = r[CC_OP];
  if (op >> 5 === CC_SUB) {
    const src = r[CC_SRC];
    return ((r[CC_DST] + src) << op) >>> 0 <= (src << op) >>> 0;
  }
  return getZF(cpu) || getCF(cpu) !== 0;
}

/** SF differs from OF: "less". */
export function isLess(cpu: Cpu): boolean {
  const r = cpu.r;
  const op = r[CC_OP];
  if (op >> 5 === CC_SUB) {
    const src = r[CC_SRC];
    return (r[CC_DST] + src) << op < src << op;
  }
  if (op >> 5 === CC_LOGIC) return r[CC_DST] << op < 0;
  return getSF(cpu) !== getOF(cpu);
}

/** ZF, or SF differs from OF: "less or equal". */
export function isLessOrEqual(cpu: Cpu): boolean {
  const r = cpu.r;
  const op = r[CC_OP];
  if (op >> 5 === CC_SUB) {
    const src = r[CC_SRC];
    return (r[CC_DST] + src) << op <= src << op;
  }
  if (op >> 5 === CC_LOGIC) return r[CC_DST] << op <= 0;
  return getZF(cpu) || getSF(cpu) !== getOF(cpu);
}

/** Whether condition `cc` (0..15, low four bits of Jcc, SETcc, CMOVcc opcodes; SDM Vol. 1 appendix B) holds. */
export function condition(cpu: Cpu, cc: number): boolean {
  let holds: boolean;
  switch (cc >> 1) {
    case 0:
      holds = getOF(cpu);
      break;
    case 1:
      holds = getCF(cpu) !== 0;
      break;
    case 2:
      holds = getZF(cpu);
      break;
    case 3:
      holds = isBelowOrEqual(cpu);
      break;
    case 4:
      holds = getSF(cpu);
      break;
    case 5:
      holds = getPF(cpu);
      break;
    case 6:
      holds = isLess(cpu);
      break;
    default:
      holds = isLessOrEqual(cpu);
      break;
  }
  return holds !== ((cc & 1) !== 0);
}

/** Flags condition `cc` looks at (FLAG_* masks), for the tables. */
export const CONDITION_READS: readonly number[] = [
  FLAG_OF,
  FLAG_CF,
  FLAG_ZF,
  FLAG_CF | FLAG_ZF,
  FLAG_SF,
  FLAG_PF,
  FLAG_SF | FLAG_OF,
  FLAG_SF | FLAG_OF | FLAG_ZF,
];
