import type { Expression, FunctionExpression, Statement } from 'estree';
import { functionNode } from '../../core/compile.js';
import { block, comment, identifier } from '../../core/estree.js';
import { js } from '../../core/template.js';
import type { Insn } from '../insn.js';
import { EIP, LEFT } from '../regs.js';

/** Locals of generated code, by index into Cpu.r; the empty ones never live in a local. */
const LOCAL_NAMES = [
  ...['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', ''],
  ...['', 'ccOp', 'ccDst', 'ccSrc', 'ccSrc2', '', ''],
  ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'],
];

/** What a translation returns when it went through: nothing but registers, flags and plain memory changed. */
export const JUMPED = -1;
/** The same, but some instruction's `exec` ran: anything may have changed. */
export const EXECUTED = -2;

/** `ip` packs what the catch block needs to find the instruction: its index in the TB and its offset from the TB's EIP. */
export const IP_SHIFT = 14;
const IP_OFFSET = (1 << IP_SHIFT) - 1;

/**
 * One generated function: which parts of the register file live in its locals, and its frame. The frame is built last, when the
 * bodies of its TBs have said what they use.
 *
 * Shape: locals from Cpu.r; try { bodies } catch (bail-out) { state as before the instruction at `ip` }; locals back to Cpu.r.
 */
export class FunctionContext {
  private readonly used = new Set<number>();
  private readonly dirty = new Set<number>();
  /** Write-backs and reloads in the middle of the body, filled in at the end. */
  private readonly saves: Statement[][] = [];
  private readonly reloads: Statement[][] = [];
  private temps = 0;
  /** Some access may bail out: a catch block is needed. */
  bails = false;
  /** Some instruction is handed to `exec`. */
  private execs = false;
  private readonly insns: Insn[];

  /** @param insns instructions that generated code of this script hands to `exec`: bound as insn0, exec0, ... */
  constructor(insns: Insn[]) {
    this.insns = insns;
  }

  /** Binds an instruction; gives the number in its names. */
  bind(insn: Insn): number {
    this.execs = true;
    this.insns.push(insn);
    return this.insns.length - 1;
  }

  /** Name of the local that holds Cpu.r[index]. */
  use(index: number): string {
    this.used.add(index);
    return LOCAL_NAMES[index]!;
  }

  /** The same, to be assigned. */
  assign(index: number): string {
    this.dirty.add(index);
    return this.use(index);
  }

  /** A name nobody has. */
  temp(prefix: string): string {
    return `${prefix}${++this.temps}`;
  }

  /** Statements that put every local that may have changed back into Cpu.r. */
  save(): Statement {
    const body: Statement[] = [];
    this.saves.push(body);
    return { type: 'BlockStatement', body };
  }

  /** Statements that load every local from Cpu.r. */
  reload(): Statement {
    const body: Statement[] = [];
    this.reloads.push(body);
    return { type: 'BlockStatement', body };
  }

  /**
   * The whole function around `body`, which leaves it with `break tb` after setting `eip` and `left`.
   * @param title lines of the comment at its head. @param eip of the first instruction, for bail-outs.
   */
  finish(name: string, title: readonly string[], eip: number, body: readonly Statement[]): FunctionExpression {
    for (const save of this.saves) save.push(...this.writeBack());
    for (const reload of this.reloads) reload.push(...this.indices(this.used).map((n) => js.stat`${LOCAL_NAMES[n]!} = r[${n}];`));
    const locals = this.indices(this.used).map((n) => js.stat`let ${LOCAL_NAMES[n]!} = r[${n}];`);
    const leave = [...js.list`r[${EIP}] = eip; r[${LEFT}] = left;`, ...this.writeBack(), js.stat`return stopped;`];
    return functionNode(name, [
      comment(js.stat`let left = r[${LEFT}];`, title),
      ...js.list`let eip = 0, stopped = ${this.execs ? EXECUTED : JUMPED};`,
      ...locals,
      ...this.guarded(eip, body),
      ...leave,
    ]);
  }

  private guarded(eip: number, body: readonly Statement[]): Statement[] {
    const labelled: Statement = { type: 'LabeledStatement', label: identifier('tb'), body: block(body) };
    if (!this.bails) return [labelled];
    const where: Expression = js.expr`${eip} + (ip & ${IP_OFFSET})`;
    return js.list`
      let ip = 0;
      try { ${[labelled]}; } catch (e) {
        if (e !== bail) throw e;
        stopped = ip >> ${IP_SHIFT};
        eip = ${where};
        left = left - stopped | 0;
      }`;
  }

  private writeBack(): Statement[] {
    return this.indices(this.dirty).map((n) => js.stat`r[${n}] = ${LOCAL_NAMES[n]!};`);
  }

  private indices(set: ReadonlySet<number>): number[] {
    return [...set].sort((a, b) => a - b);
  }
}

/** Value of `ip` for the instruction number `index` at `offset` from the TB's EIP. */
export function packIp(index: number, offset: number): number {
  return (index << IP_SHIFT) | offset;
}
