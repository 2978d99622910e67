import type { Expression } from 'estree';
import { constantOf, integer } from '../../core/estree.js';
import { js } from '../../core/template.js';
import { CC_EFLAGS, CC_SAR, CC_SHL, ccOp } from '../flags.js';
import type { Insn } from '../insn.js';
import { CC_DST, CC_OP, CC_SRC, ECX, FLAG_CF, FLAG_OF } from '../regs.js';
import type { Emit } from './emit.js';
import { flagsBesideCarry } from './flag-state.js';
import type { TbContext } from './tb-context.js';

const SAR_DIGIT = 7;
const SHR_DIGIT = 5;
const CF_OF = FLAG_CF | FLAG_OF;

/** The count is in CL, and may be 0: then no flag changes. */
function byCl(i: Insn): boolean {
  return (i.opcode & 0xfe) === 0xd2;
}

/** The masked count, held. D0, D1 have their 1 as an immediate. */
function countOf(cx: TbContext, i: Insn): Expression {
  return byCl(i) ? cx.temp(js.expr`${cx.reg(ECX)} & 31`) : cx.immediate(31);
}

/** An immediate count of 0: nothing happens, but memory that cannot be written faults. */
function doesNothing(cx: TbContext, i: Insn): boolean {
  if (byCl(i) || (i.imm & 31) !== 0) return false;
  if (i.mod !== 3) cx.refuse();
  return true;
}

function oneLess(count: Expression): Expression {
  const constant = constantOf(count);
  return constant === null ? js.expr`${count} - 1` : integer(constant - 1);
}

/** Result and operand shifted one less, as functions of the count. */
function shifted(i: Insn, value: Expression, count: Expression): Expression {
  if (i.reg === SHR_DIGIT) return js.expr`${value} >>> ${count} | 0`;
  return i.reg === SAR_DIGIT ? js.expr`${value} >> ${count}` : js.expr`${value} << ${count}`;
}

const shift: Emit = (cx, i) => {
  const kind = i.reg === SHR_DIGIT || i.reg === SAR_DIGIT ? CC_SAR : CC_SHL;
  if (doesNothing(cx, i)) return;
  const location = cx.rmLocation(i.size);
  const value = i.reg === SAR_DIGIT ? cx.temp(cx.signed(location.value, i.size)) : location.value;
  const count = countOf(cx, i);
  const result = cx.temp(shifted(i, value, count));
  const last = constantOf(count) === 1 ? value : shifted(i, value, oneLess(count));
  if (byCl(i)) {
    location.write(result);
    conditionalFlags(cx, count, ccOp(kind, i.size), result, last);
    return;
  }
  const held = cx.temp(last);
  location.write(result);
  cx.setFlags(kind, i.size, result, held);
};

/** Flags of a shift whose count may be 0, which leaves them. */
function conditionalFlags(cx: TbContext, count: Expression, op: number, dst: Expression, src: Expression): void {
  if (cx.flagsLive === 0) {
    cx.known = null;
    return;
  }
  cx.setFlagWords([
    js.stat`if (${count} !== 0) { ${js.list`${cx.fn.assign(CC_OP)} = ${op}; ${cx.fn.assign(CC_DST)} = ${dst}; ${cx.fn.assign(CC_SRC)} = ${src};`}; }`,
  ]);
}

/** PF, AF, ZF and SF before the instruction, at their places, held, to be handed on. */
function besideCarry(cx: TbContext): Expression {
  const flags = cx.known === null ? null : flagsBesideCarry(cx.known);
  return flags === null ? cx.arithFlagsThrough() : cx.temp(flags);
}

/** ROL (digit 0), ROR (digit 1): only CF and OF change, and neither when the masked count is 0. */
const rotate: Emit = (cx, i) => {
  const size = i.size;
  if (doesNothing(cx, i)) return;
  const location = cx.rmLocation(size);
  const value = location.value;
  const count = countOf(cx, i);
  const result = cx.temp(rotated(cx, i, value, count));
  location.write(result);
  if (cx.flagsLive === 0) {
    cx.flagUse.writes |= byCl(i) ? 0 : CF_OF;
    cx.known = null;
    return;
  }
  const rest = (cx.flagsLive & ~CF_OF) === 0 && !byCl(i) ? js.expr`0` : besideCarry(cx);
  const high = cx.temp(js.expr`${result} >>> ${size - 1} & 1`);
  const carry = cx.temp(i.reg === 0 ? js.expr`${result} & 1` : high);
  const other = i.reg === 0 ? carry : js.expr`${result} >>> ${size - 2} & 1`;
  const flags = cx.temp(js.expr`${rest} & ${~CF_OF} | ${carry} | (${high} ^ (${other})) << 11`);
  if (!byCl(i)) cx.setFlags(CC_EFLAGS, 32, js.expr`0`, flags, { writes: CF_OF });
  else conditionalFlags(cx, count, ccOp(CC_EFLAGS, 32), js.expr`0`, flags);
};

function rotated(cx: TbContext, i: Insn, value: Expression, count: Expression): Expression {
  const size = i.size;
  const left = i.reg === 0;
  const constant = constantOf(count);
  if (constant !== null) {
    const by = (left ? constant : -constant) & (size - 1);
    return by === 0 ? value : js.expr`${value} << ${by} | ${value} >>> ${size - by}`;
  }
  const by = cx.temp(left ? js.expr`${count} & ${size - 1}` : js.expr`(0 - ${count}) & ${size - 1}`);
  // A 32-bit shift by 32 is a shift by 0, which is harmless here; below 32 bits nothing is left above the operand.
  return js.expr`${value} << ${by} | ${value} >>> (${size} - ${by})`;
}

/** SHLD, SHRD of 32 bits. */
function doubleShift(right: boolean): Emit {
  return (cx, i) => {
    const inCl = (i.opcode & 1) === 1;
    if (i.size !== 32 || (!inCl && (i.imm & 31) === 0)) return cx.refuse();
    const source = cx.temp(cx.reg(i.reg));
    const location = cx.rmLocation(32);
    const value = location.value;
    const count = inCl ? cx.temp(js.expr`${cx.reg(ECX)} & 31`) : cx.immediate(31);
    const moved = right
      ? js.expr`${value} >>> ${count} | ${source} << (32 - ${count})`
      : js.expr`${value} << ${count} | ${source} >>> (32 - ${count})`;
    const result = cx.temp(inCl ? js.expr`${count} === 0 ? ${value} : ${moved}` : moved);
    const last = right ? js.expr`${value} >>> (${count} - 1) | 0` : js.expr`${value} << (${count} - 1)`;
    const kind = right ? CC_SAR : CC_SHL;
    location.write(result);
    if (inCl) conditionalFlags(cx, count, ccOp(kind, 32), result, last);
    else cx.setFlags(kind, 32, result, cx.temp(last));
  };
}

/** RCL, RCR of 32 bits by 1: the ones of multi-word shifts. */
const rotateCarry: Emit = (cx, i) => {
  if (i.size !== 32 || byCl(i) || (i.imm & 31) !== 1) return cx.refuse();
  const carryIn = cx.carry();
  const rest = (cx.flagsLive & ~CF_OF) === 0 ? js.expr`0` : besideCarry(cx);
  const location = cx.rmLocation(32);
  const value = location.value;
  const left = i.reg === 2;
  const result = cx.temp(left ? js.expr`${value} << 1 | ${carryIn}` : js.expr`${value} >>> 1 | ${carryIn} << 31`);
  const carry = left ? js.expr`${value} >>> 31` : js.expr`${value} & 1`;
  location.write(result);
  const flags = cx.temp(js.expr`${rest} & ${~CF_OF} | ${carry} | (${value} ^ ${result}) >>> 31 << 11`);
  cx.setFlags(CC_EFLAGS, 32, js.expr`0`, flags, { writes: CF_OF });
};

/** Table int-shift. */
export const shiftEmitters: Readonly<Record<string, Emit>> = {
  ...{ shl: shift, sal: shift, shr: shift, sar: shift, rol: rotate, ror: rotate, rcl: rotateCarry, rcr: rotateCarry },
  shld: doubleShift(false),
  shrd: doubleShift(true),
};
