import type { Expression, Statement } from 'estree';
import { js } from '../../core/template.js';
import type { Insn } from '../insn.js';
import { MODE_CS32, MODE_PE, MODE_SS32 } from '../mode.js';
import { EIP, FLAGS_ARITH, SEG_BASE } from '../regs.js';
import type { AccessCheck } from '../translate/access-check.js';
import { emitters } from '../translate/emitters.js';
import { FunctionContext } from '../translate/function-context.js';
import { type Exits, TbContext } from '../translate/tb-context.js';
import { BASE, INDEX, LINK, NEXT, REG, RM, SEGMENT, TARGET, VALUE } from './packed-insn.js';

/** Register operands that a shape has in place of numbers. */
export const ANY_REG = 0x40;
export const ANY_RM = 0x41;

/** What shapes are emitted for: 32-bit code and stack; segments have any base, so flat ones too. */
export const SHAPE_MODE = MODE_CS32 | MODE_SS32 | MODE_PE;

/** Locals are no use to one instruction: all is in the register file. */
class RegisterFile extends FunctionContext {
  override use(index: number): Expression {
    return js.expr`r[${index}]`;
  }

  override assign(index: number): Expression {
    return this.use(index);
  }
}

const NO_EXITS: Exits = { jump: () => [], jumpIndirect: () => [] };

const CONDITIONS: readonly ((negate: boolean) => Expression)[] = [
  (negate) => (negate ? js.expr`!getOF(cpu)` : js.expr`getOF(cpu)`),
  (negate) => (negate ? js.expr`getCF(cpu) === 0` : js.expr`getCF(cpu) !== 0`),
  (negate) => (negate ? js.expr`!getZF(cpu)` : js.expr`getZF(cpu)`),
  (negate) => (negate ? js.expr`!isBelowOrEqual(cpu)` : js.expr`isBelowOrEqual(cpu)`),
  (negate) => (negate ? js.expr`!getSF(cpu)` : js.expr`getSF(cpu)`),
  (negate) => (negate ? js.expr`!getPF(cpu)` : js.expr`getPF(cpu)`),
  (negate) => (negate ? js.expr`!isLess(cpu)` : js.expr`isLess(cpu)`),
  (negate) => (negate ? js.expr`!isLessOrEqual(cpu)` : js.expr`isLessOrEqual(cpu)`),
];

/** How the code of a shape ends: decided by whoever it is written for. */
export interface ShapeEnds {
  /** The instruction is done, and the next one stands behind it. */
  readonly next: readonly Statement[];
  /** This one is left to its `exec`; nothing of it was done. */
  readonly toExec: readonly Statement[];
  /** EIP is set, and the link at this place leads to the block there. */
  follow(link: Expression): Statement[];
}

/**
 * Has the emitters of translations write code for a shape: all instructions with the same table row, size and kind of operand. Register numbers, address and immediate are
 * taken from the packed instruction at `code[p]` (see packed-insn.ts) when the code runs; its first word is in `w`.
 */
export class ShapeContext extends TbContext {
  private readonly ends: ShapeEnds;

  constructor(ends: ShapeEnds, check: AccessCheck) {
    super(new RegisterFile([], check), NO_EXITS, { mode: SHAPE_MODE, eip: 0 }, 0, true, true);
    this.ends = ends;
  }

  /** Emits the instruction; null: its emitter leaves it to `exec`. */
  emitShape(insn: Insn): Statement[] | null {
    this.begin(insn, 0, 0, FLAGS_ARITH);
    emitters.get(insn.row.name)?.(this, insn);
    if (this.refused || !emitters.has(insn.row.name)) return null;
    if (!this.left) this.emit(...this.ends.next);
    return this.out;
  }

  private word(n: number): Expression {
    return js.expr`code[p + ${n}]`;
  }

  /** Number of a register operand. */
  private registerNumber(n: number): Expression {
    return js.expr`w >> ${n === ANY_REG ? REG : RM} & 7`;
  }

  override reg(index: number): Expression {
    return this.temp(index >= ANY_REG ? js.expr`r[${this.registerNumber(index)}]` : super.reg(index));
  }

  override setReg(index: number, value: Expression): void {
    if (index < ANY_REG) super.setReg(index, value);
    else this.emit(js.stat`r[${this.registerNumber(index)}] = ${value};`);
  }

  /** Of a byte register: the register it is in, and the shift to it there. */
  private byteRegister(n: number): readonly [Expression, Expression] {
    const at = n === ANY_REG ? REG : RM;
    return [js.expr`w >> ${at} & 3`, js.expr`w >> ${at - 1} & 8`];
  }

  override readReg(n: number, sizeBits: number): Expression {
    if (n < ANY_REG || sizeBits !== 8) return this.temp(super.readReg(n, sizeBits));
    const [register, shift] = this.byteRegister(n);
    return this.temp(js.expr`r[${register}] >> (${shift}) & 255`);
  }

  override writeReg(n: number, sizeBits: number, value: Expression): void {
    if (n < ANY_REG || sizeBits !== 8) {
      super.writeReg(n, sizeBits, value);
      return;
    }
    const [register, by] = this.byteRegister(n);
    const shift = this.temp(by);
    this.emit(js.stat`r[${register}] = r[${register}] & ~(255 << ${shift}) | (${this.cut(value, 8)}) << ${shift};`);
  }

  override immediate(mask = -1): Expression {
    return this.temp(mask === -1 ? this.word(VALUE) : js.expr`${this.word(VALUE)} & ${mask}`);
  }

  override returnAddress(): Expression {
    return this.temp(this.word(NEXT));
  }

  override offsetExpression(): Expression {
    return js.expr`r[w >> ${BASE} & 15] + (r[w >> ${INDEX} & 15] << (w >> ${INDEX + 4} & 3)) + ${this.word(TARGET)} | 0`;
  }

  override address(): Expression {
    return this.temp(js.expr`${this.offsetExpression()} + r[(w >> ${SEGMENT} & 7) + ${SEG_BASE}] | 0`);
  }

  protected override bailOut(): Statement[] {
    return [...this.ends.toExec];
  }

  protected override get tlbs(): { readonly read: string; readonly write: string } {
    return { read: 'tlbRead', write: 'tlbWrite' };
  }

  override condition(cc: number): Expression {
    return this.known === null ? CONDITIONS[cc >> 1]!((cc & 1) !== 0) : super.condition(cc);
  }

  private leave(eip: Expression, link: number): Statement[] {
    return [js.stat`r[${EIP}] = ${eip};`, ...this.ends.follow(js.expr`p + ${link}`)];
  }

  override jump(): void {
    this.emit(...this.leave(this.word(TARGET), LINK));
    this.left = true;
  }

  override branch(condition: Expression): void {
    const way = js.stat`if (${condition}) { ${this.leave(this.word(TARGET), LINK)}; }`;
    this.emit(way, ...this.leave(this.word(NEXT), LINK + 1));
    this.left = true;
  }

  override jumpIndirect(eip: Expression): void {
    this.emit(...this.leave(eip, LINK));
    this.left = true;
  }
}
