// Longer than most: loop, tiers, single steps and delivery all turn on LEFT, the slice's end and the block being executed.
import type { Engine as EngineView, SliceEnd } from '../../src/core/machine-view.js';
import { type Optimiser, v8Optimiser } from '../core/optimiser.js';
import type { Block } from './block.js';
import type { BlockObserver } from './block-observer.js';
import { BlockCache } from './blocks.js';
import { type Cpu, REQUEST_INIT, REQUEST_POLL } from './cpu.js';
import { codeBreakpointAt, collectDr6, DR6_BS } from './debug-registers.js';
import type { DebugStops } from './debug-stops.js';
import { type DeliveryKind, deliver, nextException, TRIPLE_FAULT } from './exceptions.js';
import { DB, guestFault, OF, raiseFault, raiseStatic } from './fault.js';
import { materializeFlags } from './flags.js';
import { interpret } from './interpreter.js';
import { pendingRequest, takeRequest } from './interrupts.js';
import { flushTlb } from './mmu.js';
import { MODE_BREAKPOINTS, MODE_INHIBIT, MODE_TF } from './mode.js';
import { formRegion } from './region.js';
import { CS, EFLAGS, EIP, FLAG_RF, LEFT, SEG_BASE } from './regs.js';
import { ThreadedInterpreter } from './threaded/threaded-interpreter.js';
import { TierCounters } from './tier-counters.js';
import { Chain, NOT_ENTERED, NOT_TO_BE_ENTERED } from './translate/chain.js';
import { EntryTable } from './translate/entry-table.js';
import { EXECUTED, indexOf, JUMPED, tbOf } from './translate/function-context.js';
import type { RegionSize } from './translate/region-node.js';
import type { TranslatableBlock, Translation } from './translate/translation.js';
import { TranslationCache } from './translate/translation-cache.js';
import { WatchTable } from './watch-table.js';

/** off: interpret everything; on: translate what is hot; force: translate before the first execution. */
export type JitMode = 'off' | 'on' | 'force';

export interface EngineOptions {
  readonly jit: JitMode;
  /** Executions after which a block is translated with jit `on`. */
  readonly hot?: number;
  /** Host milliseconds, for the statistics of translation only. */
  readonly now?: () => number;
  /** Count what generated code does. */
  readonly statistics?: boolean;
  /** Made when the engine is, and told of every block. */
  readonly observer?: (cpu: Cpu) => BlockObserver;
  /** Where a debugger wants it to stop; the slice ends with `kick` then. */
  readonly stops?: DebugStops;
  /** Generated code is left only for accesses to watched pages that somebody wants to know of (see WatchTable). It takes a little longer for all others. */
  readonly watchBytes?: boolean;
  /** Optimises translations in the place of V8's own (with jit `on`). */
  readonly optimiser?: Optimiser;
}

/** Modes in which instructions run one by one. */
const STEPPING = MODE_TF | MODE_INHIBIT | MODE_BREAKPOINTS;
/** Executions after which a block is translated, with those around it that reached a fraction of that. */
const HOT = 2000;
const WARM = 8;
/** Entries after which a translation may grow by blocks that have become warm. */
const EXTEND = 1 << 20;
const EXTEND_FORCED = 2;
/** So many first entries of a new translation have a budget of a few turns of its first block. */
const SHORT_ENTRIES = 4;
const SHORT_TURNS = 3;
const INTO = 0xce;
const MAX_SLICE = 0x7fffffff;

/**
 * Execution loop of one processor, with an instruction budget. Interrupts are sampled at block boundaries, one request per boundary;
 * exceptions leave a block and are delivered here.
 *
 * Counting: LEFT is taken down before an instruction executes, so `icountNow` is exact inside device handlers.
 */
export class Engine implements EngineView {
  readonly cpu: Cpu;
  readonly blocks: BlockCache;
  private readonly r: Int32Array;
  /** null: everything is interpreted. */
  readonly translations: TranslationCache | null;
  private readonly chain: Chain;
  private readonly entries = new EntryTable();
  /** What interprets most blocks; null: `exec` alone does, and is the reference. */
  private readonly threaded: ThreadedInterpreter | null;
  /** Null: nothing is counted. */
  readonly counters: TierCounters | null;
  private readonly observer: BlockObserver | null;
  private readonly stops: DebugStops | null;
  /** DebugStops.generation of the breakpoints that links between packed blocks were made with. */
  private breakpoints = 0;
  /** Calls of `run`. */
  slices = 0;
  /** Executions after which a block comes up for translation. */
  private readonly hot: number;
  /** Entries of a translation after which its region is formed anew. */
  private readonly extendAt: number;
  /** icount when LEFT is 0. */
  private sliceEnd = 0;
  private kicked = false;
  private shutdown = false;
  /** The fault to be delivered did not come from an instruction of this slice. */
  private outsideInstruction = false;
  /** The block being executed: INTO needs to know what is behind it. */
  private current: Block | null = null;

  constructor(cpu: Cpu, options: EngineOptions) {
    this.cpu = cpu;
    this.r = cpu.r;
    if (options.watchBytes) cpu.watchTable = new WatchTable();
    const forced = options.jit === 'force';
    this.hot = forced ? 0 : (options.hot ?? HOT);
    this.extendAt = forced ? EXTEND_FORCED : EXTEND;
    this.blocks = new BlockCache(cpu, this.hot);
    this.blocks.entries = this.entries;
    this.chain = new Chain(cpu, this.blocks, this.entries);
    const region = (entry: TranslatableBlock, size: RegionSize) => formRegion(this.blocks, entry as Block, size, this.hot / WARM);
    const counters = options.statistics ? new TierCounters(cpu) : null;
    this.counters = counters;
    const counted = counters === null ? undefined : counters.counted.bind(counters);
    this.translations =
      options.jit === 'off'
        ? null
        : new TranslationCache(cpu, {
            atOnce: forced,
            hot: this.hot,
            extendAt: this.extendAt,
            entries: this.entries,
            optimiser: forced ? null : (options.optimiser ?? v8Optimiser()),
            now: options.now,
            region: options.observer === undefined ? region : undefined,
            counted,
          });
    this.threaded = options.jit === 'on' ? new ThreadedInterpreter(cpu) : null;
    this.blocks.threaded = this.threaded?.code ?? null;
    this.observer = options.observer?.(cpu) ?? null;
    this.stops = options.stops ?? null;
    if (this.threaded !== null) this.threaded.code.stops = this.stops;
    cpu.memory.onRemap = () => {
      flushTlb(cpu);
      cpu.breakBlock = true;
    };
  }

  /** Instructions executed; exact between slices and inside device handlers. */
  get icount(): number {
    return this.sliceEnd - this.r[LEFT];
  }

  icountNow(): number {
    return this.sliceEnd - this.r[LEFT];
  }

  /** For restoring a snapshot: the count goes on from here. */
  setIcount(icount: number): void {
    this.r[LEFT] = 0;
    this.sliceEnd = icount;
    this.kicked = this.shutdown = false;
    this.current = null;
  }

  get halted(): boolean {
    return this.cpu.halted;
  }

  kick(): void {
    this.kicked = true;
  }

  /** Something a halted CPU would wake for (QEMU: INIT is not). */
  hasWork(): boolean {
    const { cpu } = this;
    const init = cpu.interruptRequest & REQUEST_INIT;
    cpu.interruptRequest &= ~REQUEST_INIT;
    const work = pendingRequest(cpu) !== 0;
    cpu.interruptRequest |= init;
    return work;
  }

  wake(): boolean {
    const { cpu } = this;
    if (!cpu.halted) return true;
    if ((cpu.interruptRequest & REQUEST_POLL) !== 0) {
      cpu.board.pollApic();
      cpu.interruptRequest &= ~REQUEST_POLL;
    }
    if (!this.hasWork()) return false;
    cpu.halted = false;
    return true;
  }

  run(budget: number): SliceEnd {
    if (this.cpu.halted) return 'halt';
    const { r, stops } = this;
    this.slices++;
    stops?.settle();
    if (stops !== null && stops.generation !== this.breakpoints) {
      this.breakpoints = stops.generation;
      this.blocks.beginEra();
    }
    const start = this.icount;
    this.kicked = false;
    this.cpu.exitSlice = false;
    r[LEFT] = Math.min(budget, MAX_SLICE);
    this.sliceEnd = start + r[LEFT];
    let end: SliceEnd | null;
    do end = this.runUntilFault();
    while (end === null);
    this.finishSlice();
    return end;
  }

  /** LEFT and the lazy flags take the form they have between slices, however the run was sliced. */
  private finishSlice(): void {
    this.observer?.sliceEnded();
    this.sliceEnd -= this.r[LEFT];
    this.r[LEFT] = 0;
    this.current = null;
    materializeFlags(this.cpu);
  }

  /** The loop, up to the next guest fault (delivered; null) or the end of the slice. */
  private runUntilFault(): SliceEnd | null {
    try {
      return this.loop();
    } catch (e) {
      if (e !== guestFault) throw e;
      return this.deliverFault() ? null : 'shutdown';
    }
  }

  private loop(): SliceEnd {
    const { cpu, r, blocks, observer, stops } = this;
    // The block at EIP, when it is known.
    let next: Block | null = null;
    for (;;) {
      if (stops?.pending) return 'kick';
      if (cpu.interruptRequest !== 0) {
        next = null;
        if (pendingRequest(cpu) !== 0 && this.sample()) return 'kick';
      }
      if (stops?.pending) return 'kick';
      if (r[LEFT] <= 0) return 'budget';
      if (this.kicked) return 'kick';
      cpu.breakBlock = false;
      const block: Block = next ?? blocks.find();
      next = null;
      if (observer !== null) this.runObserved(observer, block);
      else if (stops?.breaks && !stops.isClear(block)) {
        if (this.runToBreakpoint(stops, block)) return 'kick';
      } else if ((cpu.mode & STEPPING) !== 0 || (r[EFLAGS] & FLAG_RF) !== 0) this.step(block);
      else if (block.compiled !== null && r[LEFT] >= block.count && pendingRequest(cpu) === 0) next = this.runTranslations(block);
      else next = this.runInterpreted(block);
      if (cpu.halted) return 'halt';
      if (cpu.exitSlice) return 'kick';
    }
  }

  /**
   * Interpreted blocks, one after the other, up to one that has a translation or after which `loop` must look around: a device was touched, an instruction
   * ended its block for more than a jump, an interrupt waits, the budget is used up. Returns the block at EIP; null: it must be looked for.
   */
  private runInterpreted(first: Block): Block | null {
    const { cpu, r, blocks, translations, stops, threaded } = this;
    let block = first;
    for (;;) {
      blocks.hits(block);
      if (translations !== null && block.compiled === null && ++block.hits >= block.due) {
        const training = translations.comeUp(block);
        if ((training !== null || block.compiled !== null) && r[LEFT] >= block.count && pendingRequest(cpu) === 0) {
          if (!this.mayEnter(block, training)) return null;
          this.blocks.noteEntered(block, training);
          if (training === null) return this.runTranslations(block);
          this.train(block, training);
          return null;
        }
      }
      const packed = threaded !== null && r[LEFT] >= block.count && threaded.has(block);
      if (packed) {
        const last = threaded.run(block);
        if (last === null) return null;
        block = last;
      } else {
        if (block.hasInto) this.current = block;
        interpret(cpu, block, block.count);
        if (cpu.breakBlock || !block.quiet) return null;
      }
      if (r[LEFT] <= 0) return null;
      if (cpu.interruptRequest !== 0 && pendingRequest(cpu) !== 0) return null;
      block = blocks.behind(block);
      if (block.compiled !== null || (stops?.breaks && !stops.isClear(block))) return block;
      if (packed) threaded.link(block);
    }
  }

  /** Translations, one after the other, with no interrupt to be taken: up to one behind which `loop` must look around, or to a block that has none. Returns the block at EIP; null: it must be looked for. */
  private runTranslations(first: Block): Block | null {
    const { stops, chain } = this;
    let block = first;
    for (;;) {
      let stopped = NOT_ENTERED;
      if (!stops?.breaks) {
        block = chain.run(block);
        stopped = chain.stopped;
      }
      if (stopped === NOT_TO_BE_ENTERED) return block;
      if (stopped === NOT_ENTERED) stopped = this.runTranslation(block);
      const next = this.blockBehind(block, stopped);
      if (next === null || next.compiled === null || this.r[LEFT] < next.count || (stops?.breaks && !stops.isClear(next))) return next;
      block = next;
    }
  }

  /** One translation, whatever is due for its block, and gives what it returned. */
  private runTranslation(block: Block): number {
    if (block.hasInto) this.current = block;
    this.blocks.hits(block);
    if (++block.hits >= block.due) {
      const training = this.translations!.comeUp(block);
      if (!this.mayEnter(block, training)) return EXECUTED;
      this.blocks.noteEntered(block, training);
      if (training !== null) {
        this.train(block, training);
        return EXECUTED;
      }
    }
    this.entries.admit(block);
    return block.compiled!();
  }

  /** The block behind a translation that returned `stopped`; null: `loop` must look around. */
  private blockBehind(block: Block, stopped: number): Block | null {
    const { cpu, r, blocks } = this;
    if (stopped >= 0) this.goOnInterpreted(block.members[tbOf(stopped)]!, indexOf(stopped));
    if (stopped !== JUMPED || r[LEFT] <= 0) return null;
    if (cpu.interruptRequest !== 0 && pendingRequest(cpu) !== 0) return null;
    return blocks.behind(block);
  }

  /** No breakpoint stands in a translation that is new: the block's, or one that is to be tried. */
  private mayEnter(block: Block, training: Translation | null): boolean {
    const { stops } = this;
    if (stops === null || !stops.breaks) return true;
    return training === null ? stops.isClear(block) : stops.areClear(training.tbs);
  }

  /** One block, by its translation (never a region's) or the interpreter. */
  private runObserved(observer: BlockObserver, block: Block): void {
    const { cpu, r, translations } = this;
    observer.before(block);
    if (block.hasInto) this.current = block;
    if ((cpu.mode & STEPPING) !== 0 || (r[EFLAGS] & FLAG_RF) !== 0) this.step(block);
    else {
      const training = translations !== null && block.compiled === null && ++block.hits >= block.due ? translations.comeUp(block) : null;
      const run = training?.run ?? block.compiled;
      if (run === null || r[LEFT] < block.count || pendingRequest(cpu) !== 0) interpret(cpu, block, block.count);
      else {
        const stopped = run();
        if (stopped >= 0) this.goOnInterpreted(block, indexOf(stopped));
      }
    }
    observer.after(block);
  }

  /** One block that may hold breakpoints, up to the first; true: the processor stands at one. No translation that holds one is entered. */
  private runToBreakpoint(stops: DebugStops, block: Block): boolean {
    const { cpu, r } = this;
    const count = stops.reach(cpu, block);
    if (count === 0) {
      stops.atBreakpoint = true;
      return true;
    }
    if (block.hasInto) this.current = block;
    if ((cpu.mode & STEPPING) !== 0 || (r[EFLAGS] & FLAG_RF) !== 0) {
      this.withBudget(count, () => this.step(block));
      return false;
    }
    const run = block.compiled;
    const fits = run !== null && r[LEFT] >= block.count && pendingRequest(cpu) === 0;
    if (fits && count === block.count && !stops.standIn(cpu, block.members)) {
      const stopped = run();
      if (stopped >= 0) this.goOnInterpreted(block.members[tbOf(stopped)]!, indexOf(stopped));
    } else interpret(cpu, block, count);
    return false;
  }

  /** Does something with at most `budget` instructions left. */
  private withBudget<T>(budget: number, action: () => T): T {
    const { r } = this;
    const spared = Math.max(r[LEFT] - budget, 0);
    r[LEFT] -= spared;
    this.sliceEnd -= spared;
    try {
      return action();
    } finally {
      r[LEFT] += spared;
      this.sliceEnd += spared;
    }
  }

  /**
   * Enters a new translation, at first with a small budget. V8 knows nothing of code that was never executed, and deoptimises the whole function when it first is: a loop must have
   * been left a few times before it gets hot.
   */
  private train(block: Block, translation: Translation): void {
    const budget = translation.trained > SHORT_ENTRIES ? MAX_SLICE : SHORT_TURNS * block.count;
    if (block.hasInto) this.current = block;
    const stopped = this.withBudget(budget, translation.run);
    if (stopped >= 0) this.goOnInterpreted(translation.tbs[tbOf(stopped)] as Block, indexOf(stopped));
  }

  /** A translation met something only the interpreter can do: it does the rest of the block. */
  private goOnInterpreted(block: Block, index: number): void {
    const { cpu, r } = this;
    this.current = block;
    let eip = block.eip;
    for (let k = 0; k < index; k++) eip += block.insns[k].length;
    r[EIP] = eip;
    r[LEFT] -= index;
    const { fastPaths } = cpu;
    interpret(cpu, block, block.insns.length, index);
    if (cpu.fastPaths === fastPaths) this.translations!.bailedOut(block, cpu.breakBlock);
  }

  /**
   * Single step, interrupt shadow, breakpoints: one instruction; with only RF set: a block (one pass of a repeated instruction), and RF is cleared behind it. It stays where less is executed, or the
   * block was kept short: what the guest sees must not depend on slices, or on which code was decoded and rewritten before.
   */
  private step(block: Block): void {
    const { cpu, r } = this;
    const { mode } = cpu;
    const resume = (r[EFLAGS] & FLAG_RF) !== 0;
    if ((mode & MODE_BREAKPOINTS) !== 0 && !resume && codeBreakpointAt(cpu, (r[EIP] + r[SEG_BASE + CS]) | 0)) {
      collectDr6(cpu, true);
      cpu.insnEip = r[EIP];
      r[LEFT]--;
      raiseFault(DB);
    }
    this.current = block;
    const count = (mode & STEPPING) !== 0 ? 1 : block.insns.length;
    const left = r[LEFT];
    this.withBudget(count, () => interpret(cpu, block, count));
    if (cpu.halted || cpu.exitSlice) return;
    const isWhole = (mode & STEPPING) !== 0 || !block.cutShort;
    if (resume && isWhole && left - r[LEFT] === count) r[EFLAGS] &= ~FLAG_RF;
    const shadow = (mode & MODE_INHIBIT) === 0 && (cpu.mode & MODE_INHIBIT) !== 0;
    if ((mode & MODE_INHIBIT) !== 0) cpu.mode &= ~MODE_INHIBIT;
    this.trap(mode, shadow);
  }

  /** #DB behind an instruction: data breakpoints and single step. An instruction that opened an interrupt shadow is not stepped on. */
  private trap(mode: number, shadow: boolean): void {
    const { cpu } = this;
    const stepped = (mode & MODE_TF) !== 0 && !shadow;
    const watched = cpu.watchpointHit !== 0;
    if (!stepped && !watched) return;
    const hit = collectDr6(cpu, stepped);
    cpu.watchpointHit = 0;
    if (stepped) cpu.dr[6] |= DR6_BS;
    if (!stepped && !hit) return;
    cpu.insnEip = this.r[EIP];
    raiseStatic(DB);
  }

  /** Takes one request if the session allows; true: the slice ends (INIT). */
  private sample(): boolean {
    const { cpu } = this;
    const request = pendingRequest(cpu);
    // POLL is no event: a replay looks at its local APIC where the recording did.
    if (request === 0 || (request !== REQUEST_POLL && !cpu.board.interruptAllowed())) return false;
    this.take(request);
    return request === REQUEST_INIT;
  }

  private take(request: number): void {
    const { cpu, r } = this;
    cpu.insnEip = r[EIP];
    try {
      takeRequest(cpu, request);
      if (r[EIP] !== cpu.insnEip) this.observer?.delivered();
      if (request !== REQUEST_POLL) this.stops?.delivered(this.icount);
    } catch (e) {
      // Fault while delivering: no instruction has begun that could be taken back.
      if (e === guestFault) guestFault.counted = true;
      this.outsideInstruction = true;
      throw e;
    }
  }

  takeInterrupt(): boolean {
    const { cpu } = this;
    try {
      for (;;) {
        const request = pendingRequest(cpu);
        if (request === 0) return false;
        this.take(request);
        if (request !== REQUEST_POLL) return true;
      }
    } catch (e) {
      if (e !== guestFault) throw e;
      this.deliverFault();
      return false;
    } finally {
      this.finishSlice();
    }
  }

  provokeException(): boolean {
    const { cpu, r } = this;
    const icount = this.icount;
    r[LEFT] = 1;
    this.sliceEnd = icount + 1;
    try {
      // An interrupt that could be taken has been, before any instruction; its delivery's fault is then the exception, and all there is of it in the log.
      for (let request = pendingRequest(cpu); request !== 0; request = pendingRequest(cpu)) this.take(request);
      cpu.breakBlock = false;
      const block = this.blocks.find();
      this.current = block;
      if ((cpu.mode & STEPPING) !== 0 || (r[EFLAGS] & FLAG_RF) !== 0) this.step(block);
      else interpret(cpu, block, 1);
      return false;
    } catch (e) {
      if (e !== guestFault) throw e;
      // Not counted, whatever kind it is: QEMU provokes it outside the count.
      r[LEFT] = guestFault.counted ? 1 : 0;
      this.outsideInstruction = true;
      if (!this.deliverFault()) this.shutdown = true;
      return true;
    } finally {
      r[LEFT] = 0;
      this.sliceEnd = icount;
      this.finishSlice();
    }
  }

  /** A triple fault happened in `provokeException`. */
  get tripleFault(): boolean {
    return this.shutdown;
  }

  /**
   * Delivers the fault just thrown, with the count and EIP it is to be seen with, and the faults of its own delivery; false: triple fault.
   */
  private deliverFault(): boolean {
    const { cpu, r } = this;
    let { vector, errorCode, software } = guestFault;
    const nextEip = r[EIP];
    r[EIP] = cpu.insnEip;
    cpu.watchpointHit = 0;
    const separate = this.outsideInstruction || !guestFault.counted;
    this.outsideInstruction = false;
    if (!guestFault.counted) r[LEFT]++;
    else if (software && vector === OF) this.countBehindInto();
    // An instruction that cannot be fetched has no block.
    this.blocks.executed?.add(cpu.insnEip + r[SEG_BASE + CS], 1);
    for (;;) {
      if (!software) {
        const next = nextException(cpu, vector);
        if (next === TRIPLE_FAULT) return false;
        if (next !== vector) errorCode = 0;
        vector = next;
      }
      cpu.board.exceptionRaised(vector);
      const kind: DeliveryKind = software ? 'software' : 'exception';
      try {
        deliver(cpu, vector, errorCode, kind, nextEip);
        cpu.oldException = -1;
        this.observer?.delivered();
        if (separate) this.stops?.delivered(this.icount);
        return true;
      } catch (e) {
        if (e !== guestFault) throw e;
        ({ vector, errorCode } = guestFault);
        software = false;
      }
    }
  }

  /**
   * INTO does not end its TB in QEMU, and the trap counts the whole TB: all instructions behind it up to the end of the block or of the slice. A replay counts what its log
   * says: where blocks and slices end depends on more than the state of a machine.
   */
  private countBehindInto(): void {
    const { cpu, r, current } = this;
    if (current === null || (cpu.mode & STEPPING) !== 0) return;
    let eip = current.eip;
    for (let k = 0; k < current.insns.length; k++) {
      const insn = current.insns[k];
      if (eip === cpu.insnEip) {
        if (insn.opcode === INTO && insn.row.map === '1')
          r[LEFT] -= cpu.board.countedBehindTrap(Math.min(current.insns.length - 1 - k, r[LEFT]));
        return;
      }
      eip = (eip + insn.length) | 0;
    }
  }
}
