import type { FunctionExpression } from 'estree';
import { type Bindings, compileScript, type Generated } from '../../core/compile.js';
import type { Cpu } from '../cpu.js';
import type { Insn } from '../insn.js';
import { emitters } from './emitters.js';
import { environment } from './environment.js';
import { scriptConstants } from './script.js';
import { type TbSource, type TranslateOptions, translateRegion } from './translate.js';

/** A block as the cache of translations sees it. */
export interface TranslatableBlock extends TbSource {
  /** False once its code was overwritten. */
  readonly valid: boolean;
  compiled: Generated | null;
  /** Executions by the interpreter since it last came up for translation. */
  hits: number;
  /** Blocks that `compiled` holds, itself first. */
  members: readonly TranslatableBlock[];
  /** Blocks whose `compiled` holds this one. */
  users: TranslatableBlock[];
  meetsDevices: boolean;
}

/** What translation did so far. */
export interface TranslationStatistics {
  /** Regions translated. */
  translated: number;
  /** TBs in them, each as often as it was translated. */
  blocks: number;
  /** Scripts compiled. */
  scripts: number;
  /** Translations given up: to make room, or because they kept meeting devices. */
  dropped: number;
  /** Times that a translation met something only the interpreter can do, TLB misses apart. */
  bailedOut: number;
  /** Host milliseconds spent, by the clock given; 0 without one. */
  milliseconds: number;
}

export interface TranslationOptions {
  /** Translate each block when it first comes up, not when there are enough for a script. */
  readonly atOnce: boolean;
  /** Host milliseconds, for the statistics only. */
  readonly now?: () => number;
  /** Live translations at most. */
  readonly capacity?: number;
  /** Blocks to be translated together with one that is entered often, itself first; absent: no others. */
  readonly region?: (block: TranslatableBlock) => readonly TranslatableBlock[];
  /** Puts a counter around a new function (see TierCounters); absent: nothing is counted. */
  readonly counted?: (generated: Generated, tbs: readonly TranslatableBlock[]) => Generated;
}

/** Blocks compiled in one script: parsing is a quarter of what it costs one by one. */
const BATCH = 16;
const CAPACITY = 1 << 14;
/** Executions after which a block that kept meeting devices may be translated again. */
const PENANCE = 1 << 17;
/** Instructions of a block that are translated when it is met for the first time: zeroed memory, say, makes blocks of 512 that nobody executes again. */
const FIRST_LIMIT = 64;
/** Bail-outs of one translation after which the interpreter is the faster way (a bail-out costs about as much as 50 instructions). */
const MAX_BAIL_OUTS = 1000;

/** Turns hot blocks into functions, several in one script, and keeps their number bounded. */
export class TranslationCache {
  readonly statistics: TranslationStatistics = { translated: 0, blocks: 0, scripts: 0, dropped: 0, bailedOut: 0, milliseconds: 0 };
  private readonly bindings: Bindings;
  private readonly options: TranslationOptions;
  private waiting: { readonly entry: TranslatableBlock; readonly tbs: readonly TranslatableBlock[] }[] = [];
  /** Oldest first. */
  private live: TranslatableBlock[] = [];
  private readonly bailOuts = new WeakMap<TranslatableBlock, number>();

  constructor(cpu: Cpu, options: TranslationOptions) {
    this.bindings = environment(cpu);
    this.options = options;
  }

  /**
   * A block came up for translation. It is translated with the next batch; when it comes up again before the batch is full, so hot is it that
   * the batch goes now. Sets `compiled` of blocks, and their `hits` back.
   */
  translate(block: TranslatableBlock): void {
    block.hits = 0;
    if (!this.options.atOnce && !block.insns.some((i) => emitters.has(i.row.name))) {
      block.hits = -PENANCE;
      return;
    }
    const again = this.isWaiting(block);
    if (!again) this.waiting.push({ entry: block, tbs: [block] });
    if (this.options.atOnce || again || this.waiting.length >= BATCH) this.compileWaiting();
  }

  /** A translation was entered often: blocks that it leads to are known better now. Replaces it where the region has grown. */
  extend(block: TranslatableBlock): void {
    const tbs = this.options.region?.(block) ?? [];
    if (tbs.length <= block.members.length || this.isWaiting(block)) return;
    this.waiting.push({ entry: block, tbs });
    this.compileWaiting();
  }

  /** A translation met something only the interpreter can do. Those that keep doing so are given up for a while. */
  bailedOut(block: TranslatableBlock): void {
    this.statistics.bailedOut++;
    if (this.options.atOnce) return;
    const count = (this.bailOuts.get(block) ?? 0) + 1;
    this.bailOuts.set(block, count);
    if (count % MAX_BAIL_OUTS !== 0) return;
    block.meetsDevices = true;
    block.hits = -PENANCE;
    for (const entry of block.users) {
      entry.compiled = null;
      this.statistics.dropped++;
    }
    block.users = [];
  }

  /** Functions that can be entered now. */
  get size(): number {
    return new Set(this.live.filter((b) => b.compiled !== null)).size;
  }

  private compileWaiting(): void {
    const { now } = this.options;
    const start = now?.() ?? 0;
    const regions = this.waiting.filter(({ tbs }) => tbs.every((b) => b.valid));
    this.waiting = [];
    const insns: Insn[] = [];
    const functions: FunctionExpression[] = regions.map(({ tbs }) => translateRegion(tbs, insns, this.limit(tbs)));
    const compiled = compileScript(functions, { ...this.bindings, insns }, scriptConstants(insns));
    regions.forEach(({ entry, tbs }, k) => {
      if (entry.compiled === null) this.live.push(entry);
      entry.compiled = this.options.counted?.(compiled[k]!, tbs) ?? compiled[k]!;
      entry.members = tbs;
      entry.hits = 0;
      for (const member of tbs) if (!member.users.includes(entry)) member.users.push(entry);
      this.statistics.blocks += tbs.length;
    });
    this.statistics.translated += regions.length;
    this.statistics.scripts++;
    if (this.live.length > (this.options.capacity ?? CAPACITY)) this.makeRoom();
    this.statistics.milliseconds += (now?.() ?? 0) - start;
  }

  private isWaiting(block: TranslatableBlock): boolean {
    return this.waiting.some(({ entry }) => entry === block);
  }

  private limit(tbs: readonly TranslatableBlock[]): TranslateOptions {
    return this.options.atOnce && tbs[0]!.compiled === null ? { limit: FIRST_LIMIT } : {};
  }

  /** Gives up an eighth, the oldest first: those still hot come back soon, without a moment when everything is gone. */
  private makeRoom(): void {
    this.live = this.live.filter((b) => b.compiled !== null);
    const excess = this.live.length - Math.floor(((this.options.capacity ?? CAPACITY) * 7) / 8);
    for (const block of this.live.splice(0, Math.max(excess, 0))) {
      block.compiled = null;
      block.hits = 0;
      this.statistics.dropped++;
    }
  }
}
