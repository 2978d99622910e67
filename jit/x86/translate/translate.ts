import type { FunctionExpression, Statement } from 'estree';
import { breakTo, comment, continueTo, loopForever } from '../../core/estree.js';
import { js } from '../../core/template.js';
import type { Insn } from '../insn.js';
import { FLAGS_ARITH } from '../regs.js';
import { emitters } from './emitters.js';
import { FunctionContext } from './function-context.js';
import { type Exits, type FlagUse, TbContext } from './tb-context.js';

/** What the translator needs to know of a TB. */
export interface TbSource {
  readonly insns: readonly Insn[];
  /** EIP of the first instruction. */
  readonly eip: number;
  /** MODE_* bits. */
  readonly mode: number;
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
function emitAll(cx: TbContext, source: TbSource, live: readonly number[], after: (index: number, firstStatement: number) => void): void {
  const { insns } = source;
  let offset = 0;
  insns.forEach((insn, index) => {
    cx.begin(insn, index, offset, live[index] ?? FLAGS_ARITH);
    const first = cx.out.length;
    emitInsn(cx, insn, index === insns.length - 1);
    after(index, first);
    offset += insn.length;
  });
  if (!cx.left) cx.jump(cx.behind);
}

/** What a first emission, thrown away, tells of a TB. */
interface Analysis {
  /** By instruction: flags that somebody may want behind it. */
  readonly live: readonly number[];
  /** Some exit is a jump to the TB's own start. */
  readonly loops: boolean;
}

function analyse(source: TbSource): Analysis {
  let loops = false;
  const watching: Exits = {
    jump(eip) {
      if (eip === (source.eip | 0)) loops = true;
      return [];
    },
  };
  const cx = new TbContext(new FunctionContext([]), watching, source.mode, source.eip, false);
  const uses: FlagUse[] = [];
  emitAll(cx, source, [], () => uses.push(cx.flagUse));
  const live: number[] = new Array(uses.length);
  let behind = FLAGS_ARITH;
  for (let k = uses.length - 1; k >= 0; k--) {
    live[k] = behind;
    behind = (behind & ~uses[k]!.writes) | uses[k]!.reads;
  }
  return { live, loops };
}

/** A jump to the TB's own start stays in the function while the budget lasts and nobody waits for the boundary between two TBs. */
function exits(source: TbSource): Exits {
  const total = source.insns.length;
  return {
    jump(eip, count) {
      const leave = [...js.list`eip = ${eip};`, breakTo('tb')];
      const takeDown = js.stat`left = left - ${count} | 0;`;
      if (eip !== (source.eip | 0)) return [takeDown, ...leave];
      return [takeDown, js.stat`if (left >= ${total} && undisturbed) { ${[continueTo('loop')]}; }`, ...leave];
    },
  };
}

/**
 * The function of one TB. Called with LEFT not below the number of instructions, in a mode without single step, interrupt shadow and
 * breakpoints. Returns JUMPED or EXECUTED with EIP and LEFT set behind what was executed, or the index of the instruction at which the interpreter must go
 * on in the same TB (a device, a fault, ... is met there); throws what an instruction's `exec` threw.
 * @param insns gets the instructions that the code hands to `exec` (see FunctionContext). @param notes a comment for each instruction.
 */
export function translateTb(source: TbSource, insns: Insn[], notes: readonly string[] = []): FunctionExpression {
  const { live, loops } = analyse(source);
  const fn = new FunctionContext(insns);
  // In a loop the flags at the head may be those of the turn before.
  const cx = new TbContext(fn, exits(source), source.mode, source.eip, !loops);
  emitAll(cx, source, live, (index, first) => {
    const note = notes[index];
    if (note !== undefined && first < cx.out.length) cx.out[first] = comment(cx.out[first]!, [note]);
  });
  // Only `exec` of instructions that end TBs changes what is pending, so asking once is enough.
  const body: Statement[] = loops ? [js.stat`const undisturbed = pendingRequest(cpu) === 0;`, loopForever('loop', cx.out)] : cx.out;
  const end = source.insns.reduce((at, i) => at + i.length, source.eip);
  const title = `${hex(source.eip)}-${hex(end)} mode ${source.mode.toString(16)} icount ${source.insns.length}`;
  return fn.finish(`tb_${hex(source.eip)}`, [title], source.eip | 0, body);
}
