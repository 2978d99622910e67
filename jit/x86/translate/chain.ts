import type { FunctionExpression } from 'estree';
import { compileScript, functionNode } from '../../core/compile.js';
import { js } from '../../core/template.js';
import type { Block } from '../block.js';
import type { BlockCache } from '../blocks.js';
import type { Cpu } from '../cpu.js';
import { LEFT } from '../regs.js';
import { JUMPED } from './function-context.js';

/** What `stopped` says when the block returned was not entered: something is due for it. */
export const NOT_ENTERED = -3;

/**
 * `run(block)` enters translations, one after the other. Written as generated code, so that processor, register file, blocks and what V8 inlines of them are constants for it: a boot goes from one translation to
 * the next a hundred million times.
 */
function chainFunction(): FunctionExpression {
  return functionNode(
    'run_chain',
    js.list`
      for (;;) {
        const hits = block.hits + 1;
        if (hits >= block.due || block.hasInto) {
          chain.stopped = ${NOT_ENTERED};
          return block;
        }
        block.hits = hits;
        const { compiled } = block;
        const stopped = compiled();
        if (stopped !== ${JUMPED} || r[${LEFT}] <= 0 || cpu.interruptRequest !== 0) {
          chain.stopped = stopped;
          return block;
        }
        const next = blocks.behind(block);
        if (next.compiled === null || r[${LEFT}] < next.count) {
          chain.stopped = stopped;
          return block;
        }
        block = next;
      }`,
    ['block'],
  );
}

/** Enters translations of one processor. */
export class Chain {
  /** What the translation of the block that `run` returned returned, or NOT_ENTERED. */
  stopped = NOT_ENTERED;
  /**
   * Enters a block's translation and those that come behind it: up to one behind which there is something to look at, or no translation that may be entered. Returns the last block. `first` must have a
   * translation, with LEFT not below its number of instructions and no interrupt to be taken. Throws what a translation or a failed fetch throws.
   */
  readonly run: (first: Block) => Block;

  constructor(cpu: Cpu, blocks: BlockCache) {
    const [run] = compileScript<(first: Block) => Block>([chainFunction()], { cpu, r: cpu.r, blocks, chain: this });
    this.run = run!;
  }
}
