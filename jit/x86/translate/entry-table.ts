import type { Generated } from '../../core/compile.js';
import { Block, NEVER, NOWHERE } from '../block.js';

/** Layout of an entry, in words. EIP, mode, linear and backing address of the first byte, and number of instructions, as Block has them. */
export const EIP_WORD = 0;
export const MODE_WORD = 1;
export const LADDR = 2;
export const BACKING = 3;
export const COUNT = 4;
/** Times that it may be entered until the engine is to look at the block. */
export const GRANT = 5;
/** What that was when somebody last looked: the difference was entered since. */
const GRANTED = 6;
/** BlockCache.era in which it was last noted as executed at LADDR. */
export const ERA = 7;
/** The four entries that last came behind it, the last one first: the EIP and the place of each. */
export const BEHIND = 8;
export const BEHIND_END = 16;

/** An entry is a cache line of 64 bytes. Its place, shifted by this, is its number. */
export const PLACE_SHIFT = 4;
const PLACES = 1 << 14;
/** Memory of this size begins 16 bytes behind a cache line. */
const FIRST = 12 + (1 << PLACE_SHIFT);
/** The place of no entry: it has a word of each kind, but no block is there. */
const NONE = 0;
/** Leaves places as they are, and tells V8 that they are within the table. */
export const PLACE_MASK = (PLACES << PLACE_SHIFT) - 4;
const NO_MODE = -2;

/** What counting and forgetting need to know of a block. */
export interface Entered {
  /** Where its entry is; 0: it has none. */
  place: number;
  hits: number;
}

function nothing(): number {
  throw new Error('there is no translation at this place');
}

/**
 * What the way from one translation to the next must know of each (see chain.ts), packed: as fields of blocks it was three times as many cache lines, and a guest's hot code is a thousand
 * blocks in turn. An entry is made when the engine enters a translation, and forgotten with it, so what it says of its block always holds; whether the block is at EIP now, its reader has to find out.
 */
export class EntryTable {
  readonly words = new Int32Array(FIRST + (PLACES << PLACE_SHIFT));
  /** By number of the entry. */
  readonly functions: Generated[] = [];
  readonly blocks: Block[] = [];
  /** See BlockCache.beginEra. */
  era = 0;
  private readonly free: number[] = [];
  private unused = FIRST;

  constructor() {
    const nobody = new Block(0, NO_MODE, -1, NEVER);
    this.words[NONE + MODE_WORD] = NO_MODE;
    for (let k = 0; k <= PLACES; k++) {
      this.functions.push(nothing);
      this.blocks.push(nobody);
    }
  }

  /** The engine is about to enter a block's translation: from now on, until it comes up, the engine need not be asked. */
  admit(block: Block): void {
    const grant = block.due - block.hits - 1;
    if (grant <= 0 || block.compiled === null || block.hasInto || block.at === NOWHERE) return;
    if (block.place === NONE) this.placeOf(block);
    const { words } = this;
    const { place } = block;
    if (place === NONE) return;
    this.functions[place >> PLACE_SHIFT] = block.compiled;
    words[place + COUNT] = block.count;
    words[place + GRANT] = words[place + GRANTED] = grant;
    this.refresh(block);
  }

  private placeOf(block: Block): void {
    const place = this.free.pop() ?? this.unused;
    if (place > PLACE_MASK) return;
    if (place === this.unused) this.unused += 1 << PLACE_SHIFT;
    const { words } = this;
    words.fill(0, place, place + (1 << PLACE_SHIFT));
    words[place + EIP_WORD] = block.eip;
    words[place + MODE_WORD] = block.mode;
    this.blocks[place >> PLACE_SHIFT] = block;
    block.place = place;
  }

  private refresh({ place, laddr, at, era }: Block): void {
    const { words } = this;
    words[place + LADDR] = laddr;
    words[place + BACKING] = at;
    words[place + ERA] = era;
  }

  /** A block was just found behind the entry at `place`. */
  link(place: number, found: Block): void {
    if (found.place === NONE) return;
    this.refresh(found);
    const { words } = this;
    let at = place + BEHIND;
    while (at < place + BEHIND_END - 2 && words[at] !== found.eip) at += 2;
    for (; at > place + BEHIND; at -= 2) {
      words[at] = words[at - 2]!;
      words[at + 1] = words[at - 1]!;
    }
    words[place + BEHIND] = found.eip;
    words[place + BEHIND + 1] = found.place;
  }

  /** Adds the entries since this was last asked to the block's hits. The engine looks at it before it is entered again. */
  settle(block: Entered): void {
    const { place } = block;
    if (place === NONE) return;
    const { words } = this;
    block.hits += words[place + GRANTED]! - words[place + GRANT]!;
    words[place + GRANT] = words[place + GRANTED] = 0;
  }

  /** A block has lost its translation, or is to have another. The block of the number stays: it may be the one under way. */
  forget(block: Entered): void {
    const { place } = block;
    if (place === NONE) return;
    this.settle(block);
    this.words[place + MODE_WORD] = NO_MODE;
    this.functions[place >> PLACE_SHIFT] = nothing;
    this.free.push(place);
    block.place = NONE;
  }
}
