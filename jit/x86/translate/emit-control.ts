import type { Expression } from 'estree';
import { js } from '../../core/template.js';
import type { Insn } from '../insn.js';
import { ECX } from '../regs.js';
import type { Emit } from './emit.js';
import type { TbContext } from './tb-context.js';

/** Target of a relative jump; EIP wraps at 64 KiB with 16-bit operands. */
function target(cx: TbContext, i: Insn): number {
  const eip = (cx.nextEip + i.imm) | 0;
  return i.size === 16 ? eip & 0xffff : eip;
}

const jcc: Emit = (cx, i) => cx.branch(cx.condition(i.opcode & 15), target(cx, i), cx.behind);

/** Near ones only: the far ones' rows may have the same name. */
function isNear(i: Insn): boolean {
  return [0xe8, 0xe9, 0xeb, 0xc2, 0xc3].includes(i.opcode) || (i.opcode === 0xff && (i.reg === 2 || i.reg === 4));
}

const jmp: Emit = (cx, i) => {
  if (!isNear(i)) return cx.refuse();
  if (i.opcode === 0xff) cx.jumpIndirect(cx.readRm(i.size));
  else cx.jump(target(cx, i));
};

const call: Emit = (cx, i) => {
  if (!isNear(i)) return cx.refuse();
  if (i.opcode === 0xff) {
    const eip = cx.readRm(i.size);
    cx.push(cx.returnAddress(), i.size);
    cx.jumpIndirect(eip);
    return;
  }
  cx.push(cx.returnAddress(), i.size);
  cx.jump(target(cx, i));
};

/** The number of bytes of RET imm16 is signed, as QEMU takes it. */
const ret: Emit = (cx, i) => {
  if (!isNear(i)) return cx.refuse();
  const eip = cx.top(i.size);
  cx.moveStack((i.size >> 3) + (i.opcode === 0xc2 ? (i.imm << 16) >> 16 : 0));
  cx.jumpIndirect(eip);
};

/** Counts (E)CX down; the condition that it is not 0 yet. */
function countDown(cx: TbContext, i: Insn): Expression {
  const count = cx.temp(js.expr`${cx.reg(ECX)} - 1 | 0`);
  cx.writeReg(ECX, i.addressSize, count);
  return i.addressSize === 32 ? js.expr`${count} !== 0` : js.expr`(${count} & 0xffff) !== 0`;
}

const loop: Emit = (cx, i) => cx.branch(countDown(cx, i), target(cx, i), cx.behind);
const loope: Emit = (cx, i) => {
  const zero = cx.temp(cx.condition(4));
  cx.branch(js.expr`${countDown(cx, i)} && ${zero}`, target(cx, i), cx.behind);
};
const loopne: Emit = (cx, i) => {
  const notZero = cx.temp(cx.condition(5));
  cx.branch(js.expr`${countDown(cx, i)} && ${notZero}`, target(cx, i), cx.behind);
};
const jcxz: Emit = (cx, i) => {
  const zero = i.addressSize === 32 ? js.expr`${cx.reg(ECX)} === 0` : js.expr`(${cx.reg(ECX)} & 0xffff) === 0`;
  cx.branch(zero, target(cx, i), cx.behind);
};

const CC_NAMES = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

const setcc: Emit = (cx, i) => cx.writeRm(8, js.expr`${cx.condition(i.opcode & 15)} ? 1 : 0`);

/** The operand is read in any case. */
const cmovcc: Emit = (cx, i) => {
  const value = cx.readRm(i.size);
  const condition = cx.condition(i.opcode & 15);
  cx.emit(js.stat`if (${condition}) { ${cx.nested(() => cx.writeReg(i.reg, i.size, value))}; }`);
};

/** Table int-control, and SETcc and CMOVcc. */
export const controlEmitters: Readonly<Record<string, Emit>> = {
  ...{ jmp, call, ret, loop, loope, loopne, jcxz },
  ...Object.fromEntries(
    CC_NAMES.flatMap((cc) => [
      [`j${cc}`, jcc],
      [`set${cc}`, setcc],
      [`cmov${cc}`, cmovcc],
    ]),
  ),
};
