import type { FunctionExpression } from 'estree';
import { type Bindings, compileScript, type Generated } from '../../core/compile.js';
import type { Optimiser } from '../../core/optimiser.js';
import { NEVER } from '../block.js';
import type { Cpu } from '../cpu.js';
import type { Insn } from '../insn.js';
import { type AccessCheck, accessCheckOf } from './access-check.js';
import { emitters } from './emitters.js';
import type { EntryTable } from './entry-table.js';
import { environment } from './environment.js';
import { ALONE, alone, LARGE, type RegionNode, type RegionSize, SMALL } from './region-node.js';
import { scriptConstants } from './script.js';
import { type TranslateOptions, translateRegion } from './translate.js';
import { type TranslatableBlock, Translation } from './translation.js';

/** What translation did so far. */
export interface TranslationStatistics {
  /** Regions translated. */
  translated: number;
  /** TBs in them, each as often as it was translated. */
  blocks: number;
  /** Scripts compiled. */
  scripts: number;
  /** Translations that V8 had optimised before the engine entered them. */
  optimised: number;
  /** Translations given up: to make room, or because they kept meeting devices. */
  dropped: number;
  /** Times that a translation met something only the interpreter can do, TLB misses apart. */
  bailedOut: number;
  /** Host milliseconds spent, by the clock given; 0 without one. */
  milliseconds: number;
}

export interface TranslationOptions {
  /** Translate each block when it first comes up, not when there are enough for a script; and enter it at once. */
  readonly atOnce: boolean;
  /** Executions after which a block comes up. */
  readonly hot?: number;
  /** Entries of a translation after which its block comes up again. */
  readonly extendAt?: number;
  /** Null or absent: translations are entered as soon as they are made, and V8 optimises them when it likes. */
  readonly optimiser?: Optimiser | null;
  /** Host milliseconds, for the statistics only. */
  readonly now?: () => number;
  /** Told of translations that are lost or replaced. */
  readonly entries?: EntryTable;
  /** Live translations at most. */
  readonly capacity?: number;
  /** Blocks to be translated together with one that is entered often, itself first; absent: no others. */
  readonly region?: (block: TranslatableBlock, size: RegionSize) => readonly RegionNode<TranslatableBlock>[];
  /** Puts a counter around a new function (see TierCounters); absent: nothing is counted. */
  readonly counted?: (generated: Generated, tbs: readonly TranslatableBlock[]) => Generated;
}

/** Entries of a new translation that teach V8 what it does. */
const TRAINING = 8;
const TRAINING_REGION = 32;
/** Executions of a block from one look at what became of its translation to the next. */
const PATIENCE = 64;
/** Entries of a translation from one review to the next. */
const REVIEW = 1 << 15;
/** Hits are halved beyond: they must stay small integers. */
const MANY_HITS = 1 << 28;
/** Functions given to V8's optimiser at a time. Its queue is first in, first out, and our own engine's functions need it too; newer versions of V8 drop what is beyond 8. */
const MAX_OPTIMISING = 8;
/** Regions on their way at a time: each one spares others that hold the same blocks. */
const MAX_GROWING = 4;
/** Blocks that came up since a function was given to the optimiser, before it is entered as it is. */
const OVERDUE = 1 << 18;
/** Executions after which a block that waits for a script is compiled with as many as there are. */
const WAITING = 256;
/** Blocks that came up since V8 was asked what it has finished, before it is asked again: it looks through the whole stack to answer. */
const POLL = 32;
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
  readonly statistics: TranslationStatistics = {
    translated: 0,
    blocks: 0,
    scripts: 0,
    optimised: 0,
    dropped: 0,
    bailedOut: 0,
    milliseconds: 0,
  };
  private readonly bindings: Bindings;
  private readonly check: AccessCheck;
  private readonly options: TranslationOptions;
  /** Regions to be compiled with the next script, their entries first. */
  private waiting: (readonly RegionNode<TranslatableBlock>[])[] = [];
  /** Regions on their way. */
  private growing: Translation[] = [];
  /** Those that V8 was asked to optimise. */
  private optimising: Translation[] = [];
  /** Times that a block came up. */
  private time = 0;
  /** When V8 was asked what it has finished. */
  private polledAt = 0;
  /** Oldest first. */
  private live: TranslatableBlock[] = [];
  private readonly bailOuts = new WeakMap<TranslatableBlock, number>();

  constructor(cpu: Cpu, options: TranslationOptions) {
    this.bindings = environment(cpu);
    this.check = accessCheckOf(cpu);
    this.options = options;
  }

  /**
   * A block was executed often: untranslated, or since its translation. What is due for it is done, and when it comes up next. A translation on its way to V8's optimiser is entered
   * a few times before, so that V8 knows what the code does: then it is returned, and the caller enters it now.
   */
  comeUp(block: TranslatableBlock): Translation | null {
    this.time++;
    if (block.hits > MANY_HITS) {
      const never = block.due === NEVER;
      block.hits = MANY_HITS >> 1;
      if (never) return null;
    }
    const { pending } = block;
    if (pending === null) {
      if (block.compiled === null) this.translate(block);
      else this.extend(block);
      return null;
    }
    const trained = pending.trained >= (pending.tbs.length === 1 ? TRAINING : TRAINING_REGION);
    if (!trained) {
      pending.trained++;
      this.again(block, 1);
      return pending;
    }
    this.again(block, PATIENCE);
    if (pending.requestedAt >= 0) {
      // Entered once more: some versions of V8 look for finished code only then.
      if (!this.options.optimiser!.isOptimised(pending.generated) && this.time - pending.requestedAt <= OVERDUE) return pending;
      this.publish(pending);
      return null;
    }
    if (this.optimising.length >= MAX_OPTIMISING && !this.publishOptimised()) return null;
    this.optimising.push(pending);
    pending.requestedAt = this.time;
    this.options.optimiser!.request(pending.generated);
    return pending;
  }

  /** Lets the block come up again after so many more executions. */
  private again(block: TranslatableBlock, executions: number): void {
    this.options.entries?.settle(block);
    block.due = block.hits + executions;
  }

  /** It is in another block's region, and may do without a translation of its own, or a larger one. */
  private postpone(block: TranslatableBlock): void {
    if (block.compiled !== null) this.again(block, this.options.extendAt ?? REVIEW);
    else if (block.pending === null) this.again(block, this.options.hot ?? 0);
  }

  private translate(block: TranslatableBlock): void {
    if (!this.options.atOnce && !block.insns.some((i) => emitters.has(i.row.name))) {
      this.again(block, PENANCE);
      return;
    }
    const again = this.isWaiting(block);
    if (!again) {
      const nodes = this.options.region?.(block, this.options.atOnce ? ALONE : SMALL) ?? alone(block);
      this.waiting.push(nodes);
      for (const { tb } of nodes) this.postpone(tb);
    }
    this.again(block, WAITING);
    if (this.options.atOnce || again || this.waiting.length >= BATCH) this.compileWaiting();
  }

  /** Blocks that a translation leads to are known better now: it is made anew where the region has grown. Also notices when V8 gave up what it had optimised. */
  private extend(block: TranslatableBlock): void {
    const { optimiser, region } = this.options;
    const { translation } = block;
    this.again(block, REVIEW);
    this.growing = this.growing.filter((t) => t.entry.pending === t && this.time - t.formedAt <= OVERDUE);
    if (this.growing.length >= MAX_GROWING) {
      this.again(block, PATIENCE);
      return;
    }
    const nodes = region?.(block, LARGE) ?? [];
    if (nodes.length > block.members.length) {
      if (!this.isWaiting(block)) this.waiting.push(nodes);
      this.compileWaiting();
      if (block.pending !== null) this.growing.push(block.pending);
    } else if (optimiser && translation !== null && !optimiser.isOptimised(translation.generated)) {
      translation.requestedAt = -1;
      block.pending = translation;
      this.again(block, 1);
    }
  }

  /** Enters what V8 has finished meanwhile into blocks; false: nothing was. */
  private publishOptimised(): boolean {
    const { optimiser } = this.options;
    if (this.time - this.polledAt < POLL) return false;
    this.polledAt = this.time;
    const done = this.optimising.filter(
      (t) => t.entry.pending !== t || optimiser!.isOptimised(t.generated) || this.time - t.requestedAt > OVERDUE,
    );
    for (const translation of done) this.publish(translation);
    return done.length > 0;
  }

  /** From now on the translation is entered, unless its block has lost it. */
  private publish(translation: Translation): void {
    const { entry } = translation;
    this.optimising = this.optimising.filter((t) => t !== translation);
    if (entry.pending !== translation) return;
    if (entry.compiled === null) this.live.push(entry);
    if (this.options.optimiser?.isOptimised(translation.generated)) this.statistics.optimised++;
    this.options.entries?.forget(entry);
    entry.compiled = translation.run;
    entry.clearOf = 0;
    entry.era = -1;
    entry.translation = translation;
    entry.members = translation.tbs;
    entry.pending = null;
    // The others of a region are entered less often now: what they need is seen then.
    for (const member of translation.tbs) this.postpone(member);
    if (this.live.length > (this.options.capacity ?? CAPACITY)) this.makeRoom();
  }

  /**
   * A translation met something only the interpreter can do. Those that keep doing so are given up for a while. Without a device it may have been that accesses looked up together lie in
   * two pages (a stack frame over the end of one): then the next translation looks each one up by itself.
   */
  bailedOut(block: TranslatableBlock, atDevice: boolean): void {
    this.statistics.bailedOut++;
    if (this.options.atOnce) return;
    const count = (this.bailOuts.get(block) ?? 0) + 1;
    this.bailOuts.set(block, count);
    if (count % MAX_BAIL_OUTS !== 0) return;
    const again = !block.accessedSingly && !atDevice;
    if (again) block.accessedSingly = true;
    else {
      block.meetsDevices = true;
      this.again(block, PENANCE);
    }
    for (const entry of block.users) {
      this.options.entries?.forget(entry);
      entry.compiled = entry.pending = null;
      if (again) this.again(entry, 1);
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
    const regions = this.waiting.filter((nodes) => nodes.every(({ tb }) => tb.valid));
    this.waiting = [];
    const insns: Insn[] = [];
    const functions: FunctionExpression[] = regions.map((nodes) =>
      translateRegion(nodes, insns, { check: this.check, ...this.limit(nodes) }),
    );
    const compiled = compileScript(functions, { ...this.bindings, insns }, scriptConstants(insns));
    regions.forEach((nodes, k) => {
      const tbs = nodes.map(({ tb }) => tb);
      const [entry] = tbs as [TranslatableBlock];
      const translation = new Translation(this.time, tbs, compiled[k]!, this.options.counted?.(compiled[k]!, tbs) ?? compiled[k]!);
      entry.pending = translation;
      this.again(entry, 1);
      for (const member of tbs) {
        if (!member.users.includes(entry)) member.users.push(entry);
      }
      if (!this.options.optimiser) this.publish(translation);
      this.statistics.blocks += tbs.length;
    });
    this.statistics.translated += regions.length;
    this.statistics.scripts++;
    this.statistics.milliseconds += (now?.() ?? 0) - start;
  }

  private isWaiting(block: TranslatableBlock): boolean {
    return this.waiting.some(([entry]) => entry!.tb === block);
  }

  private limit(nodes: readonly RegionNode<TranslatableBlock>[]): TranslateOptions {
    return this.options.atOnce && nodes[0]!.tb.compiled === null ? { limit: FIRST_LIMIT } : {};
  }

  /** Gives up an eighth, the oldest first: those still hot come back soon, without a moment when everything is gone. */
  private makeRoom(): void {
    this.live = this.live.filter((b) => b.compiled !== null);
    const excess = this.live.length - Math.floor(((this.options.capacity ?? CAPACITY) * 7) / 8);
    for (const block of this.live.splice(0, Math.max(excess, 0))) {
      this.options.entries?.forget(block);
      block.compiled = null;
      this.again(block, this.options.hot ?? 0);
      this.statistics.dropped++;
    }
  }
}
