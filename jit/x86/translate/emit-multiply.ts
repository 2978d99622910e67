import type { Expression } from 'estree';
import { js } from '../../core/template.js';
import { CC_MUL } from '../flags.js';
import { EAX, EDX, FLAG_CF, FLAG_OF } from '../regs.js';
import type { Emit } from './emit.js';
import type { TbContext } from './tb-context.js';

/** Flags of a product: `overflow` is a boolean. */
function productFlags(cx: TbContext, sizeBits: number, low: Expression, overflow: Expression): void {
  const wanted = (cx.flagsLive & (FLAG_CF | FLAG_OF)) !== 0;
  cx.setFlags(CC_MUL, sizeBits, low, wanted ? cx.temp(js.expr`${overflow} ? 1 : 0`) : js.expr`0`);
}

/** IMUL with two or three operands. A product rounded to a double still is beyond 32 bits when the exact one is. */
function imulReg(cx: TbContext, target: number, sizeBits: number, a: Expression, b: Expression): void {
  if (sizeBits === 16) {
    const product = cx.temp(js.expr`Math.imul(${cx.signed(a, 16)}, ${cx.signed(b, 16)})`);
    cx.writeReg(target, 16, product);
    productFlags(cx, 16, product, js.expr`${product} !== ${product} << 16 >> 16`);
    return;
  }
  const low = cx.temp(js.expr`Math.imul(${a}, ${b})`);
  cx.setReg(target, low);
  productFlags(cx, 32, low, js.expr`${a} * ${b} !== ${low}`);
}

const imul: Emit = (cx, i) => {
  if (i.opcode === 0xaf) imulReg(cx, i.reg, i.size, cx.readRm(i.size), cx.temp(cx.readReg(i.reg, i.size)));
  else if (i.opcode === 0x69 || i.opcode === 0x6b) imulReg(cx, i.reg, i.size, cx.readRm(i.size), cx.immediate());
  else wide(cx, i.size, true);
};

/** EDX:EAX = EAX * r/m, 32 bits only. */
function wide(cx: TbContext, sizeBits: number, isSigned: boolean): void {
  if (sizeBits !== 32) return cx.refuse();
  const a = cx.temp(cx.reg(EAX));
  const b = cx.readRm(32);
  const low = cx.temp(js.expr`Math.imul(${a}, ${b})`);
  const high = cx.temp(js.expr`mulHigh(${a}, ${b}, ${low})`);
  const corrected = isSigned ? cx.temp(js.expr`${high} - (${a} >> 31 & ${b}) - (${b} >> 31 & ${a}) | 0`) : high;
  cx.setReg(EAX, low);
  cx.setReg(EDX, corrected);
  productFlags(cx, 32, low, isSigned ? js.expr`${corrected} !== ${low} >> 31` : js.expr`${high} !== 0`);
}

const mul: Emit = (cx, i) => wide(cx, i.size, false);

/** Multiplications of table int-mul. Divisions can fault and stay with `exec`. */
export const multiplyEmitters: Readonly<Record<string, Emit>> = { imul, mul };
