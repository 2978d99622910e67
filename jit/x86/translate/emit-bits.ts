import type { Expression } from 'estree';
import { js } from '../../core/template.js';
import { CC_EFLAGS, CC_LOGIC } from '../flags.js';
import { EFLAGS, FLAG_CF, FLAG_DF } from '../regs.js';
import type { Emit } from './emit.js';
import type { TbContext } from './tb-context.js';

/** Only CF changes. `carry` is 0 or 1, held. */
function setCarry(cx: TbContext, carry: Expression): void {
  const rest = (cx.flagsLive & ~FLAG_CF) === 0 ? js.expr`0` : cx.arithFlagsThrough();
  const flags = cx.flagsLive === 0 ? js.expr`0` : cx.temp(js.expr`${rest} & ${~FLAG_CF} | ${carry}`);
  cx.setFlags(CC_EFLAGS, 32, js.expr`0`, flags, { writes: FLAG_CF });
}

const BT = 0;

/** BT BTS BTR BTC; the forms whose bit number in a register reaches beyond a memory operand stay with `exec`. */
function bitTest(op: number): Emit {
  return (cx, i) => {
    const immediate = i.opcode === 0xba;
    if (!immediate && i.mod !== 3) return cx.refuse();
    const bit = immediate ? cx.immediate(i.size - 1) : cx.temp(js.expr`${cx.reg(i.reg)} & ${i.size - 1}`);
    const location = op === BT ? { value: cx.readRm(i.size), write: () => {} } : cx.rmLocation(i.size);
    const value = location.value;
    const mask = js.expr`1 << ${bit}`;
    location.write([value, js.expr`${value} | ${mask}`, js.expr`${value} & ~(${mask})`, js.expr`${value} ^ ${mask}`][op]!);
    setCarry(cx, cx.temp(js.expr`${value} >>> ${bit} & 1`));
  };
}

/** An operand of 0 leaves the destination. */
function scan(position: (value: Expression) => Expression): Emit {
  return (cx, i) => {
    const value = cx.readRm(i.size);
    const found = cx.nested(() => cx.writeReg(i.reg, i.size, position(value)));
    cx.emit(js.stat`if (${value} !== 0) { ${found}; }`);
    cx.setFlags(CC_LOGIC, i.size, value, null);
  };
}

const clc: Emit = (cx) => setCarry(cx, js.expr`0`);
const stc: Emit = (cx) => setCarry(cx, js.expr`1`);
const cmc: Emit = (cx) => setCarry(cx, cx.temp(js.expr`1 - ${cx.carry()}`));
const cld: Emit = (cx) => cx.emit(js.stat`r[${EFLAGS}] = r[${EFLAGS}] & ${~FLAG_DF};`);
const std: Emit = (cx) => cx.emit(js.stat`r[${EFLAGS}] = r[${EFLAGS}] | ${FLAG_DF};`);

/** Table int-bit and the flag instructions. */
export const bitEmitters: Readonly<Record<string, Emit>> = {
  ...{ bt: bitTest(0), bts: bitTest(1), btr: bitTest(2), btc: bitTest(3), clc, stc, cmc, cld, std },
  bsf: scan((v) => js.expr`31 - Math.clz32(${v} & -${v})`),
  bsr: scan((v) => js.expr`31 - Math.clz32(${v})`),
};
