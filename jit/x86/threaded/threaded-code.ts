import { Block, isRelativeJump, NEVER, NOWHERE } from '../block.js';
import type { DebugStops } from '../debug-stops.js';
import { END_NONE, type Insn } from '../insn.js';
import { MODE_CS32, MODE_SS32 } from '../mode.js';
import { SEG_BASE } from '../regs.js';
import {
  AT,
  BACKING,
  BASE,
  BLOCK,
  COUNT,
  EIP_WORD,
  ERA,
  GRANT,
  GRANTED,
  HEADER,
  INDEX,
  LADDR,
  NEXT,
  REG,
  RM,
  SEGMENT,
  SLOT,
  TARGET,
  VALUE,
} from './packed-insn.js';
import { END_OF_BLOCK, shapeOf } from './shapes.js';

/** Words of all threaded code; when they are used up, all of it is made anew. */
const CAPACITY = 1 << 21;
/** The first words belong to nobody: 0 is no place. */
const FIRST = 64;
/** Of blocks to which links do not lead. */
const NO_ERA = -1;
const CODE32 = MODE_CS32 | MODE_SS32;

/** Blocks in the packed form that the threaded interpreter executes: an instruction is 16 bytes, where an Insn is 200, and a boot executes more of them than fit any cache. */
export class ThreadedCode {
  readonly code = new Int32Array(CAPACITY);
  /** By number of the block. */
  readonly blocks: Block[] = [];
  /** How often it was made anew. */
  generation = 0;
  /** See BlockCache.beginEra. */
  era = 0;
  /** Where the link belongs to the block that comes behind the last one executed. */
  open = 0;
  /** A debugger's breakpoints; null: there is no debugger. */
  stops: DebugStops | null = null;
  private free = FIRST;
  private readonly nobody = new Block(0, -1, -1, NEVER);

  /** Where the header of a block is; -1: it has no packed form. */
  of(block: Block): number {
    return block.threaded === 0 ? this.pack(block) : block.threaded;
  }

  /** Executions of a block since this was last asked. */
  settle(block: Block): number {
    const header = block.threaded;
    if (header <= 0) return 0;
    const { code } = this;
    const executed = code[header + GRANTED]! - code[header + GRANT]!;
    code[header + GRANTED] = code[header + GRANT]!;
    return executed;
  }

  /** Lets a block be entered so many times along links, before the engine looks at it again. */
  grant(header: number, executions: number): void {
    const { code } = this;
    code[header + GRANT] = code[header + GRANTED] = executions;
  }

  /** A block was noted as executed. Links lead to it, unless a breakpoint may stand in it. */
  noted(block: Block): void {
    const header = block.threaded;
    if (header > 0 && this.code[header + LADDR] === block.laddr) this.code[header + ERA] = this.eraOf(block);
  }

  private eraOf(block: Block): number {
    return this.stops === null || this.stops.areClear([block]) ? block.era : NO_ERA;
  }

  /** A block must not be entered any more. */
  forget(block: Block): void {
    const header = block.threaded;
    if (header <= 0) return;
    const { code, blocks } = this;
    code[header + COUNT] = 0;
    blocks[code[header + BLOCK]!] = this.nobody;
    block.threaded = -1;
  }

  private pack(block: Block): number {
    if ((block.mode & CODE32) !== CODE32 || block.at === NOWHERE || block.hasInto) {
      block.threaded = -1;
      return -1;
    }
    const { insns } = block;
    if (this.free + HEADER + (insns.length + 1) * SLOT + SLOT > CAPACITY) this.clear();
    const { code } = this;
    const header = this.free;
    let at = header + HEADER;
    let eip = block.eip;
    for (const insn of insns) {
      this.packInsn(at, insn, eip);
      eip = (eip + insn.length) | 0;
      at += SLOT;
    }
    const last = insns[insns.length - 1]!;
    if (last.end === END_NONE) {
      code[at] = END_OF_BLOCK;
      code[at + TARGET] = eip;
      code[at + AT] = eip;
      at += SLOT;
    }
    code.fill(0, at, at + SLOT);
    this.free = at + SLOT;
    code[header + COUNT] = block.count;
    code[header + EIP_WORD] = block.eip;
    code[header + LADDR] = block.laddr;
    code[header + BACKING] = block.at;
    code[header + GRANT] = code[header + GRANTED] = 0;
    code[header + ERA] = this.eraOf(block);
    code[header + BLOCK] = this.blocks.push(block) - 1;
    block.threaded = header;
    return header;
  }

  private packInsn(at: number, i: Insn, eip: number): void {
    const { code } = this;
    code[at] =
      shapeOf(i) |
      ((i.reg & 7) << REG) |
      ((i.rm & 7) << RM) |
      (i.base << BASE) |
      (i.index << INDEX) |
      (i.scale << (INDEX + 4)) |
      ((i.segment - SEG_BASE) << SEGMENT);
    code[at + TARGET] = i.disp;
    code[at + VALUE] = i.imm;
    code[at + AT] = eip;
    if (i.end === END_NONE) return;
    const behind = (eip + i.length) | 0;
    code[at + NEXT] = behind;
    if (isRelativeJump(i) || i.opcode === 0xe8) code[at + TARGET] = (behind + i.imm) | 0;
  }

  /** All blocks lose their packed form. */
  private clear(): void {
    for (const block of this.blocks) if (block.threaded > 0) block.threaded = 0;
    this.generation++;
    this.blocks.length = 0;
    this.code.fill(0, 0, this.free);
    this.free = FIRST;
  }
}
