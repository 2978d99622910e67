import { END_JUMP, type Insn } from './insn.js';
import { MODE_CS32 } from './mode.js';
import type { BlockProfile } from './profile/block-profile.js';
import type { Translation } from './translate/translation.js';

/** `at` of blocks that only a look at all they depend on can find. */
export const NOWHERE = -1;
/** `due` of blocks that never come up, whatever `--jit` says. */
export const NEVER = 0x3fffffff;
const NO_INSNS: readonly Insn[] = [];
const NO_BLOCKS: readonly Block[] = [];

/**
 * A run of decoded instructions, executed in order: it ends where QEMU's TB would, and never crosses its page (an instruction that does
 * is a block of its own).
 */
export class Block {
  // First what the engine looks at on its way from block to block: it meets a thousand of them in turn, and each cache line counts.

  readonly eip: number;
  /** MODE_* bits without the transient ones (single step, interrupt shadow, breakpoints). */
  readonly mode: number;
  /** Linear address it was last found at. */
  laddr = 0;
  /** Backing address of the first byte as int32, when it lies in one page and may be found; otherwise NOWHERE. */
  at = NOWHERE;
  /** The translation of the region it is the entry of: see translateRegion for how it is called and what it returns. */
  compiled: (() => number) | null = null;
  /** Number of instructions. */
  count = 0;
  /** How often the engine came here: executions by the interpreter, entries of its translation. */
  hits = 0;
  /** Comes up for translation, or for what is to become of its translation, with so many hits. */
  due: number;
  /** The blocks that came behind it the last two times that they were different ones; itself: none yet. */
  behind: Block = this;
  behindBefore: Block = this;
  /** Where EntryTable has what its translation is entered by; 0: it has none. */
  place = 0;
  /** Holds an INTO, which counts what is behind it in its block. */
  hasInto = false;
  /** BlockCache.era in which it, and what its translation holds, was last noted as executed at `laddr`. */
  era = -1;

  /** Where its packed form is (see threaded/packed-insn.ts); 0: not made yet, -1: there is none. */
  threaded = 0;
  insns: readonly Insn[] = NO_INSNS;
  /** How many instructions come before a relative jump at the end; all, when it ends otherwise. */
  straight = 0;
  /** Of the jump at the end: condition 0..15, -1 for a JMP; EIP where it goes, and where it goes when the condition does not hold. */
  cc = -1;
  takenEip = 0;
  behindEip = 0;
  /** Behind it nothing can have changed of what the engine looks at between blocks, unless Cpu.breakBlock says so. */
  quiet = false;
  /** Backing address of the first byte; -1: code in device registers, never kept. */
  readonly paddr: number;
  lengthBytes = 0;
  /** Backing page of the second half of an instruction that crosses a page; -1: none. */
  secondPage = -1;
  valid = true;
  /** The blocks of the region that `compiled` is, itself first. */
  members: readonly Block[] = NO_BLOCKS;
  translation: Translation | null = null;
  /** A translation that V8 has yet to learn about or to optimise. */
  pending: Translation | null = null;
  /** Entries of regions that it belongs to. */
  users: Block[] = [];
  /** Ends because it would be too long, which says nothing about the guest. */
  cutShort = false;
  /** Its translation kept meeting devices. */
  meetsDevices = false;
  /** Accesses that were looked up together kept lying in two pages: see SamePage. */
  accessedSingly = false;
  /** What a profiler knows of it; null: there is none, or it was never executed. */
  profile: BlockProfile | null = null;
  /** DebugStops.generation of the breakpoints that neither it nor its translation holds. */
  clearOf = 0;
  /** Another block with the same start and mode under a different EIP. */
  next: Block | null = null;

  constructor(eip: number, mode: number, paddr: number, due: number) {
    this.due = due;
    this.eip = eip;
    this.mode = mode;
    this.paddr = paddr;
  }
}

/** JMP and Jcc with an immediate (and not the #UD that a prefix made of it). */
export function isRelativeJump(i: Insn): boolean {
  if (i.end !== END_JUMP) return false;
  if (i.row.map === '0f') return i.opcode >= 0x80 && i.opcode <= 0x8f;
  return i.row.map === '1' && ((i.opcode >= 0x70 && i.opcode <= 0x7f) || i.opcode === 0xe9 || i.opcode === 0xeb);
}

/** Notes the relative jump `i` at the block's end. Targets wrap at 64 KiB with 16-bit operands; a jump not taken is cut to the code segment's size. */
export function setJump(block: Block, i: Insn): void {
  const behind = (block.eip + block.lengthBytes) | 0;
  const target = (behind + i.imm) | 0;
  block.straight--;
  block.cc = i.opcode === 0xe9 || i.opcode === 0xeb ? -1 : i.opcode & 15;
  block.takenEip = i.size === 16 ? target & 0xffff : target;
  block.behindEip = (block.mode & MODE_CS32) === 0 ? behind & 0xffff : behind;
}
