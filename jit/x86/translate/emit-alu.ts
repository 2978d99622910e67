import type { Expression } from 'estree';
import { js } from '../../core/template.js';
import { CC_ADC, CC_ADD, CC_DEC, CC_INC, CC_LOGIC, CC_SBB, CC_SUB } from '../flags.js';
import type { Insn } from '../insn.js';
import { EAX, FLAG_CF, FLAGS_ARITH } from '../regs.js';
import type { Emit } from './emit.js';
import type { TbContext } from './tb-context.js';
import type { Location } from './tb-operands.js';

/** First operand (not held: good until the next write), second operand (held) and where the result goes. */
interface Operands {
  readonly a: Expression;
  readonly b: Expression;
  write(result: Expression): void;
}

/** Operands of the eight operations and TEST. `readOnly`: CMP and TEST. */
function operands(cx: TbContext, i: Insn, readOnly: boolean): Operands {
  const size = i.size;
  const isTest = i.opcode === 0x84 || i.opcode === 0x85;
  const isImmediateGroup = i.opcode >= 0x80 && !isTest && i.opcode !== 0xa8 && i.opcode !== 0xa9;
  const form = isTest ? 0 : i.opcode >= 0xa8 && !isImmediateGroup ? 4 : i.opcode & 6;
  if (isImmediateGroup || form === 0) {
    const b = isImmediateGroup ? cx.cut(cx.immediate(), size) : cx.temp(cx.readReg(i.reg, size));
    if (i.mod === 3) return { a: cx.readReg(i.rm, size), b, write: (result) => cx.writeReg(i.rm, size, result) };
    if (readOnly) return { a: cx.readRm(size), b, write: () => {} };
    const location = cx.rmLocation(size);
    return { a: location.value, b, write: location.write };
  }
  const target = form === 2 ? i.reg : EAX;
  const b = form === 2 ? cx.readRm(size) : cx.cut(cx.immediate(), size);
  return { a: cx.readReg(target, size), b, write: (result) => cx.writeReg(target, size, result) };
}

const add: Emit = (cx, i) => {
  const { a, b, write } = operands(cx, i, false);
  const result = cx.temp(js.expr`${a} + ${b} | 0`);
  write(result);
  cx.setFlags(CC_ADD, i.size, result, b);
};

const adc: Emit = (cx, i) => {
  const { a, b, write } = operands(cx, i, false);
  const carryIn = cx.carry();
  const result = cx.temp(js.expr`${a} + ${b} + ${carryIn} | 0`);
  write(result);
  cx.setFlags(CC_ADC, i.size, result, b, { carryIn });
};

const sbb: Emit = (cx, i) => {
  const { a, b, write } = operands(cx, i, false);
  const carryIn = cx.carry();
  const result = cx.temp(js.expr`${a} - ${b} - ${carryIn} | 0`);
  write(result);
  cx.setFlags(CC_SBB, i.size, result, b, { carryIn });
};

const sub: Emit = (cx, i) => {
  const { a, b, write } = operands(cx, i, false);
  const first = cx.temp(a);
  const result = cx.temp(js.expr`${first} - ${b} | 0`);
  write(result);
  cx.setFlags(CC_SUB, i.size, result, b, { first });
};

const cmp: Emit = (cx, i) => {
  const { a, b } = operands(cx, i, true);
  const first = cx.temp(a);
  cx.setFlags(CC_SUB, i.size, cx.temp(js.expr`${first} - ${b} | 0`), b, { first });
};

function logic(operation: (a: Expression, b: Expression) => Expression): Emit {
  return (cx, i) => {
    const { a, b, write } = operands(cx, i, false);
    const result = cx.temp(operation(a, b));
    write(result);
    cx.setFlags(CC_LOGIC, i.size, result, null);
  };
}
const and = logic((a, b) => js.expr`${a} & ${b}`);
const or = logic((a, b) => js.expr`${a} | ${b}`);
const xorAny = logic((a, b) => js.expr`${a} ^ ${b}`);

/** XOR of a register with itself is how code writes zero. */
const xor: Emit = (cx, i) => {
  if (i.opcode !== 0x31 && i.opcode !== 0x33) return xorAny(cx, i);
  if (i.mod !== 3 || i.reg !== i.rm) return xorAny(cx, i);
  const zero = js.expr`0`;
  cx.writeReg(i.rm, i.size, zero);
  cx.setFlags(CC_LOGIC, i.size, zero, null);
};

const test: Emit = (cx, i) => {
  const { a, b } = operands(cx, i, true);
  cx.setFlags(CC_LOGIC, i.size, cx.temp(js.expr`${a} & ${b}`), null);
};

/** INC and DEC keep CF: it goes into CC_SRC, when anybody may want it. */
function step(kind: number, delta: number): Emit {
  return (cx, i) => {
    const size = i.size;
    const location: Location =
      i.mod < 0 ? { value: cx.temp(cx.readReg(i.reg, size)), write: (v) => cx.writeReg(i.reg, size, v) } : cx.rmLocation(size);
    const result = cx.temp(js.expr`${location.value} + ${delta} | 0`);
    const carry = (cx.flagsLive & FLAG_CF) === 0 ? js.expr`0` : cx.carryThrough();
    location.write(result);
    cx.setFlags(kind, size, result, carry, { writes: FLAGS_ARITH & ~FLAG_CF });
  };
}

const not: Emit = (cx, i) => {
  const location = cx.rmLocation(i.size);
  location.write(js.expr`~${location.value}`);
};

const neg: Emit = (cx, i) => {
  const location = cx.rmLocation(i.size);
  const result = cx.temp(js.expr`0 - ${location.value} | 0`);
  location.write(result);
  cx.setFlags(CC_SUB, i.size, result, location.value, { first: js.expr`0` });
};

const xadd: Emit = (cx, i) => {
  const size = i.size;
  const b = cx.temp(cx.readReg(i.reg, size));
  const location = cx.rmLocation(size);
  const sum = cx.temp(js.expr`${location.value} + ${b} | 0`);
  if (i.mod === 3) cx.writeReg(i.reg, size, location.value);
  location.write(sum);
  if (i.mod !== 3) cx.writeReg(i.reg, size, location.value);
  cx.setFlags(CC_ADD, size, sum, location.value);
};

/** Memory is written in any case; the accumulator only when the comparison fails. */
const cmpxchg: Emit = (cx, i) => {
  const size = i.size;
  const accumulator = cx.temp(cx.readReg(EAX, size));
  const replacement = cx.temp(cx.readReg(i.reg, size));
  const location = cx.rmLocation(size);
  const old = location.value;
  const result = cx.temp(js.expr`${accumulator} - ${old} | 0`);
  const equal = js.expr`${accumulator} === ${old}`;
  if (i.mod !== 3) {
    location.write(js.expr`${equal} ? ${replacement} : ${old}`);
    cx.emit(js.stat`if (${accumulator} !== ${old}) { ${cx.nested(() => cx.writeReg(EAX, size, old))}; }`);
  } else {
    const same = cx.nested(() => location.write(replacement));
    cx.emit(js.stat`if (${equal}) { ${same}; } else { ${cx.nested(() => cx.writeReg(EAX, size, old))}; }`);
  }
  cx.setFlags(CC_SUB, size, result, old, { first: accumulator });
};

/** LOCK with a register destination, where the decoder leaves #UD to `exec`. */
function checkingLock(emit: Emit): Emit {
  return (cx, i) => {
    const toRegister = i.mod === 3 || (i.opcode < 0x40 && (i.opcode & 2) !== 0);
    if (i.lock && toRegister) cx.refuse();
    else emit(cx, i);
  };
}

/** Table int-alu. */
export const aluEmitters: Readonly<Record<string, Emit>> = {
  add: checkingLock(add),
  or: checkingLock(or),
  adc: checkingLock(adc),
  sbb: checkingLock(sbb),
  and: checkingLock(and),
  sub: checkingLock(sub),
  xor: checkingLock(xor),
  cmp: checkingLock(cmp),
  ...{ test, not, neg, xadd, cmpxchg },
  inc: step(CC_INC, 1),
  dec: step(CC_DEC, -1),
};
