import type { Block } from '../block.js';
import type { Insn } from '../insn.js';
import { MODE_CPL, MODE_CS32 } from '../mode.js';

/** What the last instruction of a block does to the stack of calls. */
export const ENDS_PLAIN = 0;
export const ENDS_CALL = 1;
export const ENDS_RETURN = 2;
export const ENDS_IRET = 3;
export const ENDS_SYSENTER = 4;
export const ENDS_SYSEXIT = 5;
export const ENDS_RSM = 6;

const ENDS_BY_NAME: Readonly<Record<string, number>> = {
  call: ENDS_CALL,
  callf: ENDS_CALL,
  ret: ENDS_RETURN,
  retf: ENDS_RETURN,
  iret: ENDS_IRET,
  sysenter: ENDS_SYSENTER,
  sysexit: ENDS_SYSEXIT,
  rsm: ENDS_RSM,
};

/** No function: see BlockProfile.fn. */
export const NO_FUNCTION = -1;

/**
 * Everything that is known of the blocks with the same code at the same linear address: the engine forgets and decodes them anew, the profile goes on.
 * Counts are in the arrays of the Profiler, from `at` on.
 */
export class BlockProfile {
  /** Linear address. */
  readonly laddr: number;
  /** 32 or 16: size of its code. */
  readonly bits: number;
  /** In ring 3. */
  readonly user: boolean;
  /** Its code; empty when it was not in memory. */
  readonly bytes: Uint8Array;
  /** Instructions in it. */
  readonly length: number;
  /** Linear address behind it: where a call at its end returns to. */
  readonly behind: number;
  /** ENDS_*. */
  readonly ends: number;
  /** Bytes that a return at its end takes off the stack. */
  readonly popped: number;
  /** Its last instruction repeats itself, each time counted. */
  readonly repeats: boolean;
  /** Index of its counts: instructions, executions, then to `next` and `nextBefore`. */
  readonly at: number;
  /** Function that starts here, or with symbols the one it lies in; NO_FUNCTION: whichever is running. */
  fn = NO_FUNCTION;
  /** Function named after this block, for want of better, when something returned here that was never called. */
  landing = NO_FUNCTION;
  /** Blocks that came behind it. */
  next: BlockProfile | null = null;
  nextBefore: BlockProfile | null = null;
  others: Map<BlockProfile, number> | null = null;

  constructor(block: Block, laddr: number, bytes: Uint8Array, at: number) {
    const last = block.insns[block.insns.length - 1]!;
    this.laddr = laddr;
    this.bits = (block.mode & MODE_CS32) === 0 ? 16 : 32;
    this.user = (block.mode & MODE_CPL) === MODE_CPL;
    this.bytes = bytes;
    this.length = block.insns.length;
    this.behind = (laddr + block.lengthBytes) | 0;
    this.ends = ENDS_BY_NAME[last.row.name] ?? ENDS_PLAIN;
    this.popped = poppedBy(last, this.ends);
    this.repeats = last.rep !== 0 && last.row.test === 'string';
    this.at = at;
  }
}

function poppedBy(i: Insn, ends: number): number {
  const word = i.size === 32 ? 4 : 2;
  if (ends === ENDS_IRET) return 3 * word;
  if (ends !== ENDS_RETURN) return 0;
  const immediate = i.row.imm === 'w' ? (i.imm << 16) >> 16 : 0;
  return (i.row.name === 'retf' ? 2 * word : word) + immediate;
}
