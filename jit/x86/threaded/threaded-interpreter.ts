import { type Bindings, compileScript } from '../../core/compile.js';
import type { Block } from '../block.js';
import type { Cpu } from '../cpu.js';
import { getCF, getOF, getPF, getSF, getZF, isBelowOrEqual, isLess, isLessOrEqual } from '../flags.js';
import { MODE_CPL } from '../mode.js';
import { type AccessCheck, accessCheckOf } from '../translate/access-check.js';
import { environment } from '../translate/environment.js';
import { runFunction } from './run-function.js';
import { SHAPES, shapeFunction } from './shapes.js';
import { ThreadedCode } from './threaded-code.js';

/** Executes the packed instruction at `p`; see shapes.ts for what it returns. */
type Operation = (p: number) => number;
type Run = (block: Block) => Block | null;

const FLAG_READERS = { getCF, getOF, getPF, getSF, getZF, isBelowOrEqual, isLess, isLessOrEqual };

/** Shape 0: the instruction is left to its `exec`. */
function toExec(): number {
  return 0;
}

/** The functions of shapes, each made when it is first called. Those for CPL 3 have other TLBs as constants. */
function operations(bindings: Bindings, check: AccessCheck): Operation[] {
  const all: Operation[] = [toExec];
  for (let shape = 1; shape < SHAPES; shape++) {
    all.push((p) => {
      all[shape] = compileScript<Operation>([shapeFunction(shape, check)], bindings)[0]!;
      return all[shape]!(p);
    });
  }
  return all;
}

/** See ThreadedInterpreter.run; `bindings` has the TLBs of one privilege level. */
function runWith(bindings: Bindings, check: AccessCheck): Run {
  return compileScript<Run>([runFunction(check)], { ...bindings, operations: operations(bindings, check) })[0]!;
}

/**
 * Interprets blocks in their packed form (see packed-insn.ts). What an instruction does is written by the emitters of translations, once for each shape; what has no
 * shape, and what needs more than the fast path of a memory access, is left to `exec`.
 */
export class ThreadedInterpreter {
  readonly code = new ThreadedCode();
  private readonly supervisor: Run;
  private readonly user: Run;

  constructor(cpu: Cpu) {
    const check = accessCheckOf(cpu);
    const common = {
      ...environment(cpu),
      ...FLAG_READERS,
      threaded: this.code,
      code: this.code.code,
      blocks: this.code.blocks,
    };
    const { supervisorRead, supervisorWrite, supervisorExecute, userRead, userWrite, userExecute } = cpu;
    this.supervisor = runWith({ ...common, tlbRead: supervisorRead, tlbWrite: supervisorWrite, tlbExecute: supervisorExecute }, check);
    this.user = runWith({ ...common, tlbRead: userRead, tlbWrite: userWrite, tlbExecute: userExecute }, check);
  }

  /**
   * Executes a block and, along links what comes behind it, up to a block that comes up for translation. LEFT must not be below its number of instructions. Returns the last one executed; null: the engine must look around before
   * anything else. Throws what an instruction throws.
   */
  run(block: Block): Block | null {
    return (block.mode & MODE_CPL) === MODE_CPL ? this.user(block) : this.supervisor(block);
  }

  /** Whether `run` can execute it. */
  has(block: Block): boolean {
    return this.code.of(block) > 0;
  }

  /** The block that came behind the last one that `run` executed. */
  link(block: Block): void {
    const { code } = this;
    const { generation } = code;
    const header = code.of(block);
    if (header > 0 && generation === code.generation) code.code[code.open] = header;
  }
}
