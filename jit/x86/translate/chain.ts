import type { Expression, FunctionExpression } from 'estree';
import { compileScript, functionNode } from '../../core/compile.js';
import { integer } from '../../core/estree.js';
import { js } from '../../core/template.js';
import type { Block } from '../block.js';
import type { BlockCache } from '../blocks.js';
import type { Cpu } from '../cpu.js';
import { MODE_CPL } from '../mode.js';
import { CS, EIP, LEFT, SEG_BASE } from '../regs.js';
import {
  BACKING,
  BEHIND,
  BEHIND_END,
  COUNT,
  EIP_WORD,
  type EntryTable,
  ERA,
  GRANT,
  LADDR,
  MODE_WORD,
  PLACE_MASK,
  PLACE_SHIFT,
} from './entry-table.js';
import { JUMPED } from './function-context.js';

/** What `stopped` says when the block returned was not entered: the engine has to look at it before. */
export const NOT_ENTERED = -3;
/** It comes next, but has no translation, or more instructions than are left. */
export const NOT_TO_BE_ENTERED = -4;

/**
 * `run(block)` enters translations, one after the other. Written as generated code, so that processor, register file, table and what V8 inlines of them are constants for it: a boot goes from one translation to
 * the next a hundred million times.
 */
function chainFunction(): FunctionExpression {
  return functionNode(
    'run_chain',
    js.list`
      let e = block.place & ${PLACE_MASK};
      if (words[e + ${GRANT}] <= 0) {
        chain.stopped = ${NOT_ENTERED};
        return block;
      }
      const mode = words[e + ${MODE_WORD}];
      for (;;) {
        words[e + ${GRANT}] = words[e + ${GRANT}] - 1;
        const translation = functions[e >> ${PLACE_SHIFT}];
        const stopped = translation();
        if (stopped !== ${JUMPED} || r[${LEFT}] <= 0 || cpu.interruptRequest !== 0) {
          chain.stopped = stopped;
          return entered[e >> ${PLACE_SHIFT}];
        }
        const eip = r[${EIP}];
        let n = (${knownPlace(BEHIND)}) & ${PLACE_MASK};
        const laddr = words[n + ${LADDR}];
        const there = words[n + ${EIP_WORD}] === eip && laddr === (eip + r[${SEG_BASE + CS}] | 0) && words[n + ${MODE_WORD}] === mode;
        if (!there || words[n + ${ERA}] !== table.era || (tlbExecute[laddr >>> 12] + laddr | 0) !== words[n + ${BACKING}]) {
          const found = blocks.behind(entered[e >> ${PLACE_SHIFT}]);
          if (found.compiled === null || r[${LEFT}] < found.count) {
            chain.stopped = ${NOT_TO_BE_ENTERED};
            return found;
          }
          table.link(e, found);
          n = found.place & ${PLACE_MASK};
          if (words[n + ${GRANT}] <= 0) {
            chain.stopped = ${NOT_ENTERED};
            return found;
          }
        }
        if (r[${LEFT}] < words[n + ${COUNT}]) {
          chain.stopped = ${NOT_TO_BE_ENTERED};
          return entered[n >> ${PLACE_SHIFT}];
        }
        if (words[n + ${GRANT}] <= 0) {
          chain.stopped = ${NOT_ENTERED};
          return entered[n >> ${PLACE_SHIFT}];
        }
        e = n;
      }`,
    ['block'],
  );
}

/** The place of the entry at EIP that came behind the one at `e`; 0: none did lately. */
function knownPlace(at: number): Expression {
  if (at === BEHIND_END) return integer(0);
  return js.expr`words[e + ${at}] === eip ? words[e + ${at + 1}] : ${knownPlace(at + 2)}`;
}

type Run = (first: Block) => Block;

/** Enters translations of one processor. */
export class Chain {
  /** What the translation of the block that `run` returned returned, NOT_ENTERED, or NOT_TO_BE_ENTERED. */
  stopped = NOT_ENTERED;
  private readonly supervisor: Run;
  private readonly user: Run;

  constructor(cpu: Cpu, blocks: BlockCache, table: EntryTable) {
    const { words, functions, blocks: entered } = table;
    const bindings = { cpu, r: cpu.r, blocks, table, words, functions, entered, chain: this };
    const compile = (tlbExecute: Int32Array): Run => compileScript<Run>([chainFunction()], { ...bindings, tlbExecute })[0]!;
    this.supervisor = compile(cpu.supervisorExecute);
    this.user = compile(cpu.userExecute);
  }

  /**
   * Enters a block's translation and those that come behind it: up to one behind which there is something to look at, or that may not be entered just like that. Returns the last block. `first` must have a
   * translation, with LEFT not below its number of instructions and no interrupt to be taken. Throws what a translation or a failed fetch throws.
   */
  run(first: Block): Block {
    return (first.mode & MODE_CPL) === MODE_CPL ? this.user(first) : this.supervisor(first);
  }
}
