import type { Expression, FunctionExpression, Statement } from 'estree';
import { functionNode } from '../../core/compile.js';
import { comment, identifier, labelled } from '../../core/estree.js';
import { js } from '../../core/template.js';
import type { Insn } from '../insn.js';
import { EIP, LEFT } from '../regs.js';
import { type AccessCheck, PAGE_CHECK } from './access-check.js';

/** Locals of generated code, by index into Cpu.r; the empty ones never live in a local. */
const LOCAL_NAMES = [
  ...['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', ''],
  ...['', 'ccOp', 'ccDst', 'ccSrc', 'ccSrc2', '', ''],
  ...['es', 'cs', 'ss', 'ds', 'fs', 'gs'],
];

/** What a translation returns when it went through to a jump: nothing changed of what the engine looks at between blocks, but interrupt requests may have come. */
export const JUMPED = -1;
/** The same, but the last instruction was left to its `exec`, or one stopped its block: anything may have changed. */
export const EXECUTED = -2;

/** Instructions are numbered by TB of the region and index in the TB. */
const TB_SHIFT = 10;
const INDEX = (1 << TB_SHIFT) - 1;

/** Number of the instruction `index` of TB `tb`, as generated code returns it. */
export function packIp(tb: number, index: number): number {
  return (tb << TB_SHIFT) | index;
}

/** TB that the number of an instruction names. */
export function tbOf(ip: number): number {
  return ip >> TB_SHIFT;
}

/** Index in its TB of the instruction that a number names. */
export function indexOf(ip: number): number {
  return ip & INDEX;
}

/**
 * One generated function: which parts of the register file live in its locals, and its frame. The frame is built last, when the
 * bodies of its TBs have said what they use.
 *
 * Shape: locals from Cpu.r; bodies; locals back to Cpu.r.
 */
export class FunctionContext {
  private readonly used = new Set<number>();
  private readonly dirty = new Set<number>();
  /** Write-backs and reloads in the middle of the body, filled in at the end. */
  private readonly saves: Statement[][] = [];
  private readonly reloads: Statement[][] = [];
  private temps = 0;
  private readonly insns: Insn[];
  readonly check: AccessCheck;

  /** @param insns instructions that generated code of this script hands to `exec`: bound as insn0, exec0, ... */
  constructor(insns: Insn[], check: AccessCheck = PAGE_CHECK) {
    this.insns = insns;
    this.check = check;
  }

  /** Binds an instruction; gives the number in its names. */
  bind(insn: Insn): number {
    this.insns.push(insn);
    return this.insns.length - 1;
  }

  /** The local that holds Cpu.r[index]. */
  use(index: number): Expression {
    this.used.add(index);
    return identifier(LOCAL_NAMES[index]!);
  }

  /** The same, to be assigned. */
  assign(index: number): Expression {
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
   * The whole function around `body`, which leaves it with `break tb` after setting `eip` and `left`, or `stopped`.
   * @param title lines of the comment at its head.
   */
  finish(name: string, title: readonly string[], body: readonly Statement[]): FunctionExpression {
    for (const save of this.saves) save.push(...this.writeBack());
    for (const reload of this.reloads) reload.push(...this.indices(this.used).map((n) => js.stat`${LOCAL_NAMES[n]!} = r[${n}];`));
    const locals = this.indices(this.used).map((n) => js.stat`let ${LOCAL_NAMES[n]!} = r[${n}];`);
    const leave = [...js.list`r[${EIP}] = eip; r[${LEFT}] = left;`, ...this.writeBack(), js.stat`return stopped;`];
    return functionNode(name, [
      comment(js.stat`let left = r[${LEFT}];`, title),
      ...js.list`let eip = 0, stopped = ${JUMPED};`,
      ...locals,
      labelled('tb', body),
      ...leave,
    ]);
  }

  private writeBack(): Statement[] {
    return this.indices(this.dirty).map((n) => js.stat`r[${n}] = ${LOCAL_NAMES[n]!};`);
  }

  private indices(set: ReadonlySet<number>): number[] {
    return [...set].sort((a, b) => a - b);
  }
}
