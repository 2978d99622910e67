import type { Expression } from 'estree';
import { js } from '../../core/template.js';
import { CC_SUB } from '../flags.js';
import type { Insn } from '../insn.js';
import { EAX, EDI, EFLAGS, ES, ESI, FLAG_DF, SEG_BASE } from '../regs.js';
import type { Emit } from './emit.js';
import type { TbContext } from './tb-context.js';

function pointer(cx: TbContext, i: Insn, n: number): Expression {
  return i.addressSize === 32 ? cx.reg(n) : js.expr`${cx.reg(n)} & 0xffff`;
}

function source(cx: TbContext, i: Insn): Expression {
  return cx.linear(i.segment - SEG_BASE, pointer(cx, i, ESI));
}

function destination(cx: TbContext, i: Insn): Expression {
  return cx.linear(ES, pointer(cx, i, EDI));
}

/** Moves index registers by the operand size, down with DF set. */
function advance(cx: TbContext, i: Insn, ...registers: number[]): void {
  const bytes = i.size >> 3;
  const by = cx.temp(js.expr`(r[${EFLAGS}] & ${FLAG_DF}) === 0 ? ${bytes} : ${-bytes}`);
  for (const n of registers) cx.writeReg(n, i.addressSize, js.expr`${cx.reg(n)} + ${by} | 0`);
}

/** Without a repeat prefix: with one, `exec` does many iterations at a time. Without LOCK: some are undefined with it. */
function once(emit: (cx: TbContext, i: Insn) => void): Emit {
  return (cx, i) => {
    if (i.rep !== 0 || i.lock) return cx.refuse();
    emit(cx, i);
  };
}

const movs = once((cx, i) => {
  cx.store(destination(cx, i), cx.load(source(cx, i), i.size), i.size);
  advance(cx, i, ESI, EDI);
});

const stos = once((cx, i) => {
  cx.store(destination(cx, i), cx.reg(EAX), i.size);
  advance(cx, i, EDI);
});

const lods = once((cx, i) => {
  cx.writeReg(EAX, i.size, cx.load(source(cx, i), i.size));
  advance(cx, i, ESI);
});

const scas = once((cx, i) => {
  const b = cx.load(destination(cx, i), i.size);
  const a = cx.temp(cx.readReg(EAX, i.size));
  advance(cx, i, EDI);
  cx.setFlags(CC_SUB, i.size, cx.temp(js.expr`${a} - ${b} | 0`), b, { first: a });
});

/** The ES:EDI operand is read first. */
const cmps = once((cx, i) => {
  const b = cx.load(destination(cx, i), i.size);
  const a = cx.load(source(cx, i), i.size);
  advance(cx, i, ESI, EDI);
  cx.setFlags(CC_SUB, i.size, cx.temp(js.expr`${a} - ${b} | 0`), b, { first: a });
});

/** Table string. */
export const stringEmitters: Readonly<Record<string, Emit>> = { movs, stos, lods, scas, cmps };
