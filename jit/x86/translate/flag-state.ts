import type { Expression } from 'estree';
import { constantOf } from '../../core/estree.js';
import { js } from '../../core/template.js';
import { CC_ADC, CC_ADD, CC_DEC, CC_EFLAGS, CC_INC, CC_LOGIC, CC_MUL, CC_SAR, CC_SBB, CC_SHL, CC_SUB } from '../flags.js';
import { FLAG_AF, FLAG_CF, FLAG_OF, FLAG_PF, FLAG_SF, FLAG_ZF } from '../regs.js';

/**
 * What the translator knows of the lazy flags at a point of the code: the CC_* kind and the operands as names that still hold
 * them. Lets a condition become a comparison of the operands themselves.
 */
export interface KnownFlags {
  readonly kind: number;
  readonly sizeBits: number;
  /** Result; bits above the size mean nothing. */
  readonly dst: Expression;
  /** As in flags.ts. */
  readonly src: Expression;
  /** CC_SUB: the first operand. Operands of CC_SUB are zero-extended below 32 bits, int32 at 32. */
  readonly first: Expression | null;
}

const MIN = -0x80000000;

/** The operand at the top of a 32-bit word: sign and carry are then the same for all sizes. */
function top(k: KnownFlags, e: Expression): Expression {
  if (k.sizeBits === 32) return e;
  const constant = constantOf(e);
  return constant === null ? js.expr`${e} << ${32 - k.sizeBits}` : js.expr`${constant << (32 - k.sizeBits)}`;
}

function unsigned(k: KnownFlags, e: Expression): Expression {
  if (k.sizeBits !== 32) return e;
  const constant = constantOf(e);
  return constant === null ? js.expr`${e} >>> 0` : js.expr`${constant >>> 0}`;
}

function zero(k: KnownFlags): Expression {
  if (k.kind === CC_EFLAGS) return js.expr`(${k.src} & ${FLAG_ZF}) !== 0`;
  if (k.kind === CC_SUB && k.first !== null) return js.expr`${k.first} === ${k.src}`;
  return js.expr`${top(k, k.dst)} === 0`;
}

function sign(k: KnownFlags): Expression {
  return k.kind === CC_EFLAGS ? js.expr`(${k.src} & ${FLAG_SF}) !== 0` : js.expr`${top(k, k.dst)} < 0`;
}

function parity(k: KnownFlags): Expression {
  return k.kind === CC_EFLAGS ? js.expr`(${k.src} & ${FLAG_PF}) !== 0` : js.expr`parity[${k.dst} & 255] !== 0`;
}

function auxiliary(k: KnownFlags): Expression | null {
  switch (k.kind) {
    case CC_ADD:
      return js.expr`(${k.dst} ^ ${k.src} ^ ${k.dst} - ${k.src}) & ${FLAG_AF}`;
    case CC_SUB:
      return js.expr`(${k.dst} ^ ${k.src} ^ ${k.dst} + ${k.src}) & ${FLAG_AF}`;
    case CC_INC:
      return js.expr`(${k.dst} ^ ${k.dst} - 1) & ${FLAG_AF}`;
    case CC_DEC:
      return js.expr`(${k.dst} ^ ${k.dst} + 1) & ${FLAG_AF}`;
    case CC_LOGIC:
    case CC_SHL:
    case CC_SAR:
    case CC_MUL:
      return js.expr`0`;
    default:
      return null;
  }
}

/** PF, AF, ZF and SF at their places in EFLAGS; CF and OF mean nothing. Null: only the generic helper can tell. */
export function flagsBesideCarry(k: KnownFlags): Expression | null {
  if (k.kind === CC_EFLAGS) return k.src;
  const af = auxiliary(k);
  if (af === null) return null;
  const dst = top(k, k.dst);
  return js.expr`parity[${k.dst} & 255] | ${af} | (${zero(k)} ? ${FLAG_ZF} : 0) | ${dst} >>> 24 & ${FLAG_SF}`;
}

/** CF as a boolean, or null when the generic helper must work it out. */
export function carryOf(k: KnownFlags): Expression | null {
  switch (k.kind) {
    case CC_ADD:
      return js.expr`${js.expr`${top(k, k.dst)}`} >>> 0 < ${js.expr`${top(k, k.src)}`} >>> 0`;
    case CC_SUB:
      return k.first === null ? null : js.expr`${unsigned(k, k.first)} < ${unsigned(k, k.src)}`;
    case CC_LOGIC:
      return js.expr`false`;
    case CC_SHL:
      return js.expr`${top(k, k.src)} < 0`;
    case CC_MUL:
      return js.expr`${k.src} !== 0`;
    case CC_EFLAGS:
    case CC_SAR:
    case CC_INC:
    case CC_DEC:
      return js.expr`(${k.src} & ${FLAG_CF}) !== 0`;
    default:
      return null;
  }
}

function overflow(k: KnownFlags): Expression | null {
  switch (k.kind) {
    case CC_SUB:
      return k.first === null ? null : js.expr`${top(k, js.expr`((${k.first} ^ ${k.src}) & (${k.first} ^ ${k.dst}))`)} < 0`;
    case CC_LOGIC:
      return js.expr`false`;
    case CC_INC:
      return js.expr`(${top(k, k.dst)} | 0) === ${MIN}`;
    case CC_DEC:
      return js.expr`(${top(k, js.expr`(${k.dst} + 1)`)} | 0) === ${MIN}`;
    case CC_SHL:
    case CC_SAR:
      return js.expr`${top(k, js.expr`(${k.src} ^ ${k.dst})`)} < 0`;
    case CC_MUL:
      return js.expr`${k.src} !== 0`;
    case CC_EFLAGS:
      return js.expr`(${k.src} & ${FLAG_OF}) !== 0`;
    default:
      return null;
  }
}

function belowOrEqual(k: KnownFlags): Expression | null {
  if (k.kind === CC_SUB && k.first !== null) return js.expr`${unsigned(k, k.first)} <= ${unsigned(k, k.src)}`;
  if (k.kind === CC_LOGIC) return zero(k);
  const carry = carryOf(k);
  return carry === null ? null : js.expr`${zero(k)} || ${carry}`;
}

function less(k: KnownFlags): Expression | null {
  if (k.kind === CC_SUB && k.first !== null) return js.expr`${top(k, k.first)} < ${top(k, k.src)}`;
  if (k.kind === CC_LOGIC) return sign(k);
  const o = overflow(k);
  return o === null ? null : js.expr`${sign(k)} !== ${o}`;
}

function lessOrEqual(k: KnownFlags): Expression | null {
  if (k.kind === CC_SUB && k.first !== null) return js.expr`${top(k, k.first)} <= ${top(k, k.src)}`;
  if (k.kind === CC_LOGIC) return js.expr`${top(k, k.dst)} <= 0`;
  const l = less(k);
  return l === null ? null : js.expr`${zero(k)} || ${l}`;
}

const CONDITIONS = [overflow, carryOf, zero, belowOrEqual, sign, parity, less, lessOrEqual];

/** Condition `cc` (0..15, low four bits of Jcc) as a boolean expression over known flags, or null when it has no short form. */
export function conditionOf(k: KnownFlags, cc: number): Expression | null {
  const holds = (k.kind === CC_ADC || k.kind === CC_SBB) && ![4, 8, 10].includes(cc & ~1) ? null : CONDITIONS[cc >> 1]!(k);
  if (holds === null || (cc & 1) === 0) return holds;
  return negate(holds);
}

const OPPOSITE: Readonly<Record<string, '===' | '!==' | '<' | '<=' | '>' | '>='>> = {
  '===': '!==',
  '!==': '===',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

function negate(e: Expression): Expression {
  if (e.type === 'BinaryExpression') {
    const operator = OPPOSITE[e.operator];
    if (operator !== undefined) return { ...e, operator };
  }
  return js.expr`!(${e})`;
}
