import { js } from '../../core/template.js';
import { EAX, EBP, EBX, EDX, ESP, SEG_BASE, SS } from '../regs.js';
import type { Emit } from './emit.js';

/** MOV between r/m, register, accumulator and immediate. */
const mov: Emit = (cx, i) => {
  const size = i.size;
  if (i.row.map !== '1') return cx.refuse();
  switch (i.opcode & 0xfe) {
    case 0x88:
      cx.writeRm(size, cx.storable(i.reg, size));
      return;
    case 0x8a:
      cx.writeReg(i.reg, size, cx.readRm(size));
      return;
    case 0xa0:
      cx.writeReg(EAX, size, cx.load(cx.address(), size));
      return;
    case 0xa2:
      cx.store(cx.address(), cx.reg(EAX), size);
      return;
    case 0xc6:
      cx.writeRm(size, cx.immediate());
      return;
    default:
      // Segment registers are left to exec.
      if ((i.opcode & 0xf0) !== 0xb0) return cx.refuse();
      cx.writeReg(i.reg, size, cx.immediate());
  }
};

const lea: Emit = (cx, i) => cx.writeReg(i.reg, i.size, cx.offsetExpression());

const movzx: Emit = (cx, i) => cx.writeReg(i.reg, i.size, cx.readRm((i.opcode & 1) === 0 ? 8 : 16));

const movsx: Emit = (cx, i) => {
  const size = (i.opcode & 1) === 0 ? 8 : 16;
  cx.writeReg(i.reg, i.size, cx.signed(cx.readRm(size), size));
};

/** Load, then store, then the register. */
const xchg: Emit = (cx, i) => {
  const size = i.size;
  if (i.opcode >= 0x90) {
    const other = cx.temp(cx.readReg(i.reg, size));
    cx.writeReg(i.reg, size, cx.readReg(EAX, size));
    cx.writeReg(EAX, size, other);
    return;
  }
  const value = cx.temp(cx.readReg(i.reg, size));
  const location = cx.rmLocation(size);
  location.write(value);
  cx.writeReg(i.reg, size, location.value);
};

const cbw: Emit = (cx, i) => {
  if (i.size === 16) cx.writeReg(EAX, 16, cx.signed(cx.reg(EAX), 8));
  else cx.setReg(EAX, cx.signed(cx.reg(EAX), 16));
};

const cwd: Emit = (cx, i) => {
  if (i.size === 16) cx.writeReg(EDX, 16, js.expr`${cx.reg(EAX)} << 16 >> 31`);
  else cx.setReg(EDX, js.expr`${cx.reg(EAX)} >> 31`);
};

const bswap: Emit = (cx, i) => {
  const v = cx.reg(i.reg);
  cx.setReg(i.reg, js.expr`${v} << 24 | (${v} & 0xff00) << 8 | ${v} >>> 8 & 0xff00 | ${v} >>> 24`);
};

const xlat: Emit = (cx, i) => {
  const offset = js.expr`(${cx.reg(EBX)} + (${cx.reg(EAX)} & 255)) & ${i.mask}`;
  cx.writeReg(EAX, 8, cx.load(cx.linear(i.segment - SEG_BASE, offset), 8));
};

const push: Emit = (cx, i) => {
  if (i.row.map !== '1' || i.opcode < 0x50) return cx.refuse();
  if (i.opcode < 0x58) cx.push(cx.temp(cx.storable(i.reg, i.size)), i.size);
  else if (i.opcode === 0xff) cx.push(cx.readRm(i.size), i.size);
  else cx.push(cx.immediate(), i.size);
};

/** The register is written last: POP ESP. */
const pop: Emit = (cx, i) => {
  if (i.row.map !== '1' || i.opcode < 0x50) return cx.refuse();
  const value = cx.top(i.size);
  const register = i.opcode === 0x8f ? i.rm : i.reg;
  if (i.opcode === 0x8f && i.mod !== 3) {
    cx.writeRm(i.size, value);
    cx.moveStack(i.size >> 3);
    return;
  }
  cx.moveStack(i.size >> 3);
  cx.writeReg(register, i.size, value);
};

const leave: Emit = (cx, i) => {
  const offset = cx.stackBits === 32 ? cx.reg(EBP) : js.expr`${cx.reg(EBP)} & 0xffff`;
  const value = cx.load(cx.linear(SS, offset), i.size);
  const sp = cx.temp(js.expr`${cx.reg(EBP)} + ${i.size >> 3} | 0`);
  cx.writeReg(EBP, i.size, value);
  cx.writeReg(ESP, cx.stackBits, sp);
};

/** PAUSE ends the slice. */
const nop: Emit = (cx, i) => {
  if (i.rep !== 0) cx.refuse();
};

/** Data movement: tables int-mov and int-stack. */
export const moveEmitters: Readonly<Record<string, Emit>> = { mov, lea, movzx, movsx, xchg, cbw, cwd, bswap, xlat, push, pop, leave, nop };
