import { compileScript } from '../../core/compile.js';
import type { Block } from '../block.js';
import type { Cpu } from '../cpu.js';
import { getCF, getOF, getPF, getSF, getZF, isBelowOrEqual, isLess, isLessOrEqual } from '../flags.js';
import { MODE_CPL } from '../mode.js';
import { CS, EIP, LEFT, SEG_BASE } from '../regs.js';
import { environment } from '../translate/environment.js';
import { AT, BACKING, BLOCK, COUNT, EIP_WORD, ERA, GRANT, HEADER, LADDR, SHAPE_MASK, SLOT } from './packed-insn.js';
import { SHAPES, shapeFunction } from './shapes.js';
import { ThreadedCode } from './threaded-code.js';

/** Executes the packed instruction at `p`; see ShapeContext for what it returns. */
type Operation = (p: number) => number;

const FLAG_READERS = { getCF, getOF, getPF, getSF, getZF, isBelowOrEqual, isLess, isLessOrEqual };

/** Shape 0: the instruction is left to its `exec`. */
function toExec(): number {
  return 0;
}

/** The functions of shapes, each made when it is first called. Those for CPL 3 have other TLBs as constants. */
function operations(bindings: Readonly<Record<string, unknown>>): Operation[] {
  const all: Operation[] = [toExec];
  for (let shape = 1; shape < SHAPES; shape++) {
    all.push((p) => {
      all[shape] = compileScript<Operation>([shapeFunction(shape)], bindings)[0]!;
      return all[shape]!(p);
    });
  }
  return all;
}

/**
 * Interprets blocks in their packed form (see packed-insn.ts). What an instruction does is written by the emitters of translations, once for each shape; what has no
 * shape, and what needs more than the fast path of a memory access, is left to `exec`.
 */
export class ThreadedInterpreter {
  readonly code = new ThreadedCode();
  private readonly cpu: Cpu;
  private readonly supervisor: Operation[];
  private readonly user: Operation[];
  /** Where the link belongs to the block that comes behind the last one executed. */
  private open = 0;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    const common = { ...environment(cpu), ...FLAG_READERS, code: this.code.code };
    this.supervisor = operations({ ...common, tlbRead: cpu.supervisorRead, tlbWrite: cpu.supervisorWrite });
    this.user = operations({ ...common, tlbRead: cpu.userRead, tlbWrite: cpu.userWrite });
  }

  /**
   * Executes a block and, along links what comes behind it, up to a block that comes up for translation. LEFT must not be below its number of instructions. Returns the last one executed; null: the engine must look around before
   * anything else. Throws what an instruction throws.
   */
  run(block: Block): Block | null {
    const { cpu } = this;
    const { r } = cpu;
    const { code, blocks, era } = this.code;
    const user = (block.mode & MODE_CPL) === MODE_CPL;
    const operations = user ? this.user : this.supervisor;
    const tlb = user ? cpu.userExecute : cpu.supervisorExecute;
    const base = r[SEG_BASE + CS];
    let h = block.threaded;
    this.code.grant(h, block.due - block.hits - 1);
    let p = h + HEADER;
    let left = (r[LEFT] - code[h + COUNT]) | 0;
    for (;;) {
      const operation = operations[code[p] & SHAPE_MASK];
      const next = operation(p);
      if (next > 0) {
        p = next;
        continue;
      }
      if (next < 0) {
        const eip = r[EIP];
        const n = code[-next];
        const count = code[n + COUNT];
        const laddr = code[n + LADDR];
        const there = code[n + EIP_WORD] === eip && laddr === ((eip + base) | 0) && ((tlb[laddr >>> 12] + laddr) | 0) === code[n + BACKING];
        if (!there || count === 0 || count > left || code[n + GRANT] <= 0 || code[n + ERA] !== era || cpu.interruptRequest !== 0) {
          r[LEFT] = left;
          this.open = -next;
          return blocks[code[h + BLOCK]];
        }
        code[n + GRANT]--;
        left -= count;
        h = n;
        p = h + HEADER;
        continue;
      }
      const k = (p - h - HEADER) >> 2;
      const insn = blocks[code[h + BLOCK]].insns[k];
      const behind = code[h + COUNT] - k - 1;
      const eip = code[p + AT];
      cpu.insnEip = eip;
      r[EIP] = eip + insn.length;
      r[LEFT] = left + behind;
      insn.exec(cpu, insn);
      if (behind === 0 || cpu.breakBlock) return null;
      p += SLOT;
    }
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
    if (header > 0 && generation === code.generation) code.code[this.open] = header;
  }
}
