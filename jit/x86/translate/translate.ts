import type { FunctionExpression, Statement } from 'estree';
import { PAGE_SHIFT } from '../../../src/memory/physical.js';
import { breakTo, comment } from '../../core/estree.js';
import { Structured } from '../../core/structured.js';
import { js } from '../../core/template.js';
import type { Insn, Row } from '../insn.js';
import { MODE_CPL } from '../mode.js';
import { CS, FLAGS_ARITH, SEG_BASE } from '../regs.js';
import type { AccessCheck } from './access-check.js';
import { emitters } from './emitters.js';
import { FunctionContext, packIp } from './function-context.js';
import type { RegionNode, Way } from './region-node.js';
import { type Exits, TbContext } from './tb-context.js';
import type { FlagUse } from './tb-operands.js';

/** What the translator needs to know of a TB. */
export interface TbSource {
  readonly insns: readonly Insn[];
  /** EIP of the first instruction. */
  readonly eip: number;
  /** MODE_* bits. */
  readonly mode: number;
  /** Linear and backing address of the first byte; absent: it does not matter, as there is only one TB. */
  readonly laddr?: number;
  readonly paddr?: number;
  /** Each access is looked up in the TLB by itself. */
  readonly accessedSingly?: boolean;
}

export interface TranslateOptions {
  /** Instructions of a TB to translate at most: the interpreter does what is behind them. */
  readonly limit?: number;
  /** How accesses to memory are checked; by default as PAGE_CHECK does. */
  readonly check?: AccessCheck;
  /** Comments for the instructions of the first TB. */
  readonly notes?: readonly string[];
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** Emits one instruction, by its emitter or as a call of its `exec`. */
function emitInsn(cx: TbContext, insn: Insn, last: boolean): void {
  const emit = emitters.get(insn.row.name);
  if (emit === undefined) cx.refuse();
  else emit(cx, insn);
  if (cx.refused) cx.callExec(last);
}

/** Emits all instructions; `after` sees the context behind each. */
function emitAll(
  cx: TbContext,
  source: TbSource,
  limit: number,
  live: readonly number[],
  after: (index: number, firstStatement: number) => void,
): void {
  const { insns } = source;
  let offset = 0;
  for (let index = 0; index < insns.length; index++) {
    const insn = insns[index]!;
    if (index === limit) {
      cx.emit(...js.list`stopped = ${packIp(cx.number, index)};`, breakTo('tb'));
      return;
    }
    cx.begin(insn, index, offset, live[index] ?? FLAGS_ARITH);
    const first = cx.out.length;
    emitInsn(cx, insn, index === insns.length - 1);
    after(index, first);
    offset += insn.length;
  }
  if (!cx.left) cx.jump(cx.behind);
}

const NOWHERE: Exits = { jump: () => [], jumpIndirect: () => [] };

const liveFlagsOf = new WeakMap<readonly Insn[], number[]>();

/** By instruction: flags that somebody may want behind it. Remembered, as a TB may come into several regions. */
function liveFlags(source: TbSource, limit: number): number[] {
  if (limit < source.insns.length) return findLiveFlags(source, limit);
  let live = liveFlagsOf.get(source.insns);
  if (live === undefined) {
    live = findLiveFlags(source, limit);
    liveFlagsOf.set(source.insns, live);
  }
  return live;
}

function findLiveFlags({ insns }: TbSource, limit: number): number[] {
  const count = Math.min(insns.length, limit);
  const live: number[] = new Array(count);
  let behind = FLAGS_ARITH;
  for (let k = count - 1; k >= 0; k--) {
    live[k] = behind;
    const use = flagUseOf(insns[k]!);
    behind = (behind & ~use.writes) | use.reads;
  }
  return live;
}

const flagUses = new Map<Row, Map<number, FlagUse>>();

/** What an instruction does with the flags: the same for all that have its table row, size, kind of operand, prefixes, and a shift count of 0, 1 or more. Found by emitting one of them, which is thrown away. */
function flagUseOf(i: Insn): FlagUse {
  let uses = flagUses.get(i.row);
  if (uses === undefined) {
    uses = new Map();
    flagUses.set(i.row, uses);
  }
  const operand = i.mod < 0 ? 0 : i.mod === 3 ? 1 : 2;
  const count = Math.min(i.imm & 31, 2);
  const key =
    i.opcode | (i.size << 8) | (operand << 14) | (count << 16) | (i.addressSize << 18) | ((i.rep & 3) << 24) | (i.lock ? 1 << 26 : 0);
  let use = uses.get(key);
  if (use === undefined) {
    const cx = new TbContext(new FunctionContext([]), NOWHERE, { mode: i.mode, eip: 0 }, 0, false, true);
    cx.begin(i, 0, 0, FLAGS_ARITH);
    emitInsn(cx, i, true);
    use = cx.flagUse;
    uses.set(key, use);
  }
  return use;
}

/** Writes TBs that jump to each other as one function. */
class RegionTranslator {
  private readonly nodes: readonly RegionNode[];
  private readonly limit: number;
  private readonly notes: readonly string[];
  private readonly fn: FunctionContext;
  private readonly structured: Structured;
  private readonly contexts: TbContext[] = [];

  constructor(nodes: readonly RegionNode[], insns: Insn[], options: TranslateOptions) {
    this.nodes = nodes;
    this.limit = options.limit ?? Number.POSITIVE_INFINITY;
    this.notes = options.notes ?? [];
    this.fn = new FunctionContext(insns, options.check);
    this.structured = new Structured(
      nodes.map(({ ways }) => ways.map(({ to }) => to)),
      (number, from) => this.emitTb(number, from),
    );
  }

  translate(): FunctionExpression {
    const first = this.nodes[0]!.tb;
    const end = first.insns.reduce((at, i) => at + i.length, first.eip);
    const body = [...this.codeBaseCheck(), ...this.structured.all()];
    const size = this.nodes.length === 1 ? '' : ` and ${this.nodes.length - 1} more`;
    const title = `${hex(first.eip)}-${hex(end)} mode ${first.mode.toString(16)} icount ${first.insns.length}${size}`;
    return this.fn.finish(`tb_${hex(first.eip)}`, [title], body);
  }

  /** With other pages in it, the region is right for one base of CS only. */
  private codeBaseCheck(): Statement[] {
    if (this.nodes.every(({ tb }) => this.page(tb) === this.page(this.nodes[0]!.tb))) return [];
    return js.list`if (r[${SEG_BASE + CS}] !== ${this.codeBase}) { stopped = ${packIp(0, 0)}; ${breakTo('tb')}; }`;
  }

  private get codeBase(): number {
    const { laddr, eip } = this.nodes[0]!.tb;
    return laddr === undefined ? 0 : (laddr - eip) | 0;
  }

  /** Linear page of a TB. */
  private page(tb: TbSource): number {
    return ((tb.eip + this.codeBase) | 0) >>> PAGE_SHIFT;
  }

  private emitTb(number: number, from: number | null): Statement[] {
    const { tb } = this.nodes[number]!;
    const entry = number === 0 && !this.structured.isLoop(0);
    const singly = !this.fn.check.wholePages || tb.accessedSingly === true;
    const cx = new TbContext(this.fn, this.exits(number), tb, number, from === null ? entry : this.contexts[from]!, singly);
    this.contexts[number] = cx;
    // The engine checks the budget for the TB it enters at.
    if (!entry) cx.emit(js.stat`if (left < ${tb.insns.length}) { ${leave(tb.eip)}; }`);
    emitAll(cx, tb, this.limit, liveFlags(tb, this.limit), (index, first) => {
      const note = number === 0 ? this.notes[index] : undefined;
      if (note !== undefined && first < cx.out.length) cx.out[first] = comment(cx.out[first]!, [note]);
    });
    return cx.out;
  }

  private exits(number: number): Exits {
    const { ways } = this.nodes[number]!;
    return {
      jump: (eip) => {
        const way = ways.find((w) => w.eip === eip);
        const inside = way === undefined ? null : this.inside(number, way);
        return inside === null ? leave(eip) : [...this.sampled(number, leave(eip)), ...inside];
      },
      jumpIndirect: (eip) => {
        const gone = js.stat`eip = ${eip};`;
        const guesses = ways.flatMap((way) => {
          const inside = this.inside(number, way);
          return inside === null ? [] : [js.stat`if (eip === ${way.eip}) { ${inside}; }`];
        });
        if (guesses.length === 0) return [gone, breakTo('tb')];
        return [gone, ...this.sampled(number, [breakTo('tb')]), ...guesses, breakTo('tb')];
      },
    };
  }

  /** The jump to another TB of the region; null: it cannot be written. */
  private inside(number: number, way: Way): Statement[] | null {
    const jump = this.structured.jump(number, way.to);
    return jump === null ? null : [...this.mapped(number, way), ...jump];
  }

  /** Leaves unless the page that a way leads to is still mapped as it was when the region was formed. The entry's page is: the engine has looked, and nothing in a region changes the map. */
  private mapped(number: number, { eip, to }: Way): Statement[] {
    const { tb } = this.nodes[to]!;
    const page = this.page(tb);
    if (page === this.page(this.nodes[0]!.tb) || page === this.page(this.nodes[number]!.tb)) return [];
    const delta = (tb.paddr! - ((tb.eip + this.codeBase) | 0)) | 0;
    const tlb = (tb.mode & MODE_CPL) === MODE_CPL ? 'userExecute' : 'supervisorExecute';
    return [js.stat`if (${tlb}[${page}] !== ${delta}) { ${leave(eip)}; }`];
  }

  /** Behind a TB in which an `exec` ran, an interrupt may wait for the boundary between two TBs. */
  private sampled(number: number, gone: Statement[]): Statement[] {
    return this.contexts[number]!.executed ? [js.stat`if (cpu.interruptRequest !== 0) { ${gone}; }`] : [];
  }
}

function leave(eip: number): Statement[] {
  return [...js.list`eip = ${eip | 0};`, breakTo('tb')];
}

/**
 * The function of a region: TBs of one mode that jump to each other, the first of them being where it is entered. Called with LEFT not below the
 * first one's number of instructions, with no interrupt to be taken, in a mode without single step, interrupt shadow and breakpoints. Returns JUMPED or EXECUTED with EIP and LEFT set
 * behind what was executed, or the number (see `packIp`) of the instruction at which the interpreter must go on in the same TB (a TLB miss, a device, ... is met there), with LEFT as
 * at the beginning of that TB and EIP undefined; throws what an instruction's `exec` threw.
 * @param insns gets the instructions that the code hands to `exec` (see FunctionContext).
 */
export function translateRegion(nodes: readonly RegionNode[], insns: Insn[], options: TranslateOptions = {}): FunctionExpression {
  return new RegionTranslator(nodes, insns, options).translate();
}
