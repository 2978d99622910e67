import type { Expression, Statement } from 'estree';
import { js } from '../../core/template.js';
import { CC_EFLAGS, CC_LOGIC, CC_SUB, CONDITION_READS, ccOp } from '../flags.js';
import { END_NONE } from '../insn.js';
import { CC_DST, CC_OP, CC_SRC, CC_SRC2, EIP, FLAG_CF, FLAGS_ARITH, LEFT } from '../regs.js';
import { carryOf, conditionOf, type KnownFlags } from './flag-state.js';
import { EXECUTED, type FunctionContext } from './function-context.js';
import { KnownAddresses } from './same-page.js';
import { TbOperands } from './tb-operands.js';

/** How a TB leaves: decided by whoever puts TBs together into a function. */
export interface Exits {
  /** Statements that go on at `eip` behind this TB; `left` was taken down. */
  jump(eip: number): Statement[];
  /** The same for an EIP that is worked out when the code runs. */
  jumpIndirect(eip: Expression): Statement[];
}
/**
 * Emission of one TB: operands (TbOperands), lazy flags, ways out. Emitters call nothing else.
 *
 * Rule for emitters: no register, flag or memory changes before the last access that may bail out.
 */
export class TbContext extends TbOperands {
  readonly exits: Exits;
  /** Flags as far as known here; null: only the four words tell. */
  known: KnownFlags | null;
  /** The four words in Cpu.r are those of this point. */
  private flagsInFile: boolean;
  /** Some instruction was left to its `exec`, which may have raised an interrupt. */
  executed = false;
  /** The last instruction left the TB by itself. */
  left = false;

  /**
   * @param before what is known at its start: all that is behind another TB whose code this one's stands in, or only whether Cpu.r has the flags.
   * @param singly each access is looked up by itself.
   */
  constructor(
    fn: FunctionContext,
    exits: Exits,
    source: { readonly mode: number; readonly eip: number },
    number: number,
    before: TbContext | boolean,
    singly: boolean,
  ) {
    super(fn, source, number, singly ? null : new KnownAddresses(typeof before === 'boolean' ? null : before.addresses));
    this.exits = exits;
    this.flagsInFile = typeof before === 'boolean' ? before : before.flagsInFile;
    this.known = typeof before === 'boolean' ? null : before.known;
  }

  // Flags

  /**
   * Sets all six flags lazily. `dst`, `src` and `carryIn` must be held. `first`: for CC_SUB, the first operand, cut to size as `src` is.
   * `changes`: which flags are new compared with before (INC and DEC keep CF, and have it in `src`).
   */
  setFlags(
    kind: number,
    sizeBits: number,
    dst: Expression,
    src: Expression | null,
    more: { first?: Expression; carryIn?: Expression; writes?: number } = {},
  ): void {
    this.flagUse.writes |= more.writes ?? FLAGS_ARITH;
    this.known = { kind, sizeBits, dst, src: src ?? dst, first: kind === CC_SUB ? (more.first ?? null) : null };
    if (this.flagsLive === 0) return;
    this.emit(js.stat`${this.fn.assign(CC_OP)} = ${ccOp(kind, sizeBits)};`, js.stat`${this.fn.assign(CC_DST)} = ${dst};`);
    if (src !== null && kind !== CC_LOGIC) this.emit(js.stat`${this.fn.assign(CC_SRC)} = ${src};`);
    if (more.carryIn !== undefined) this.emit(js.stat`${this.fn.assign(CC_SRC2)} = ${more.carryIn};`);
    this.flagsInFile = false;
  }

  /** The four words were set by hand, differently on different ways: only they tell. */
  setFlagWords(statements: readonly Statement[]): void {
    for (const n of [CC_OP, CC_DST, CC_SRC, CC_SRC2]) this.fn.assign(n);
    this.emit(...statements);
    this.known = null;
    this.flagsInFile = false;
  }

  /** Makes Cpu.r's four words current, for a helper that looks at them. */
  private flagsToFile(): void {
    if (this.flagsInFile) return;
    for (const n of [CC_OP, CC_DST, CC_SRC, CC_SRC2]) this.emit(js.stat`r[${n}] = ${this.fn.use(n)};`);
    this.flagsInFile = true;
  }

  /** Condition `cc` (0..15) as a boolean expression of this point. */
  condition(cc: number): Expression {
    this.flagUse.reads |= CONDITION_READS[cc >> 1]! & ~this.flagUse.writes;
    const short = this.known === null ? null : conditionOf(this.known, cc);
    if (short !== null) return short;
    this.flagsToFile();
    return js.expr`condition(cpu, ${cc})`;
  }

  /** CF as 0 or 1, held: an operand of the instruction. */
  carry(): Expression {
    this.flagUse.reads |= FLAG_CF;
    return this.carryThrough();
  }

  /** CF as 0 or 1, held, to be handed on: not worth anything when nobody wants it (see `flagsLive`). */
  carryThrough(): Expression {
    const short = this.known === null ? null : carryOf(this.known);
    if (short !== null) return this.temp(short.type === 'Literal' ? js.expr`0` : js.expr`${short} ? 1 : 0`);
    this.flagsToFile();
    return this.temp(js.expr`getCF(cpu)`);
  }

  /** The six flags at their EFLAGS positions, held, to be handed on as in `carryThrough`. */
  arithFlagsThrough(): Expression {
    if (this.known?.kind === CC_EFLAGS) return this.known.src;
    this.flagsToFile();
    return this.temp(js.expr`getArithFlags(cpu)`);
  }

  // Leaving generated code

  /** Hands the current instruction to the interpreter's `exec`, with everything in Cpu.r, and goes on behind it. */
  callExec(last: boolean): void {
    this.flagUse.reads |= FLAGS_ARITH;
    const k = this.fn.bind(this.insn);
    this.emit(
      ...js.list`r[${LEFT}] = left - ${this.count} | 0; r[${EIP}] = ${this.nextEip}; cpu.insnEip = ${this.eip};`,
      this.fn.save(),
      js.stat`${`exec${k}`}(cpu, ${`insn${k}`});`,
    );
    this.known = null;
    this.addresses?.forget();
    this.flagsInFile = true;
    this.executed = true;
    const done = js.stat`return ${EXECUTED};`;
    const cut = this.behind === this.nextEip || this.insn.end !== END_NONE ? [] : [js.stat`r[${EIP}] = ${this.behind};`];
    if (last) {
      this.emit(...cut, done);
      this.left = true;
      return;
    }
    this.emit(js.stat`if (cpu.breakBlock) { ${[...cut, done]}; }`, js.stat`left = r[${LEFT}] + ${this.count} | 0;`, this.fn.reload());
  }

  private takeDown(): Statement {
    return js.stat`left = left - ${this.count} | 0;`;
  }

  /** Goes on at a constant EIP; ends the TB. */
  jump(eip: number): void {
    this.emit(this.takeDown(), ...this.exits.jump(eip | 0));
    this.left = true;
  }

  /** Goes on at one of two constants. */
  branch(condition: Expression, taken: number, otherwise: number): void {
    const way = js.stat`if (${condition}) { ${this.exits.jump(taken | 0)}; }`;
    this.emit(this.takeDown(), way, ...this.exits.jump(otherwise | 0));
    this.left = true;
  }

  /** Goes on at a computed EIP. */
  jumpIndirect(eip: Expression): void {
    this.emit(this.takeDown(), ...this.exits.jumpIndirect(eip));
    this.left = true;
  }
}
