import type { Generated } from '../../core/compile.js';
import type { TbSource } from './translate.js';

/** A block as the cache of translations sees it. */
export interface TranslatableBlock extends TbSource {
  /** False once its code was overwritten. */
  readonly valid: boolean;
  /** What the engine enters. */
  compiled: Generated | null;
  /** Blocks that `compiled` holds, itself first. */
  members: readonly TranslatableBlock[];
  /** Where `compiled` is from. */
  translation: Translation | null;
  /** One that is not yet good enough to be entered. */
  pending: Translation | null;
  /** Where EntryTable has it; 0: nowhere. */
  place: number;
  /** How often the engine came here. */
  hits: number;
  /** Comes up again with so many hits. */
  due: number;
  /** Blocks whose translations, pending ones too, hold this one. */
  users: TranslatableBlock[];
  meetsDevices: boolean;
  accessedSingly: boolean;
  /** Breakpoints that `members` do not hold; 0: not looked at. */
  clearOf: number;
  /** When `members` were noted as executed; -1: they were not. */
  era: number;
}

/** A generated function and how far V8 is with it. */
export class Translation {
  readonly entry: TranslatableBlock;
  /** The blocks in it, the entry first. */
  readonly tbs: readonly TranslatableBlock[];
  /** The function itself, and the one to be called (with a counter around it, perhaps). */
  readonly generated: Generated;
  readonly run: Generated;
  /** Entries so far for V8 to learn from. */
  trained = 0;
  /** When its optimisation was asked for, in times that any block came up; -1: not yet. */
  requestedAt = -1;
  /** While it is tried: BlockCache.era in which its blocks were last noted as executed, and the linear address of its entry then. */
  era = -1;
  laddr = 0;
  /** When it was made, in times that any block came up. */
  readonly formedAt: number;

  constructor(formedAt: number, tbs: readonly TranslatableBlock[], generated: Generated, run: Generated) {
    this.formedAt = formedAt;
    this.entry = tbs[0]!;
    this.tbs = tbs;
    this.generated = generated;
    this.run = run;
  }
}
