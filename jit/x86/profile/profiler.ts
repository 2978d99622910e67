// Longer than most: all that happens at the boundary of two blocks, in one place.

import type { Block } from '../block.js';
import type { BlockObserver } from '../block-observer.js';
import type { Cpu } from '../cpu.js';
import { MODE_SS32 } from '../mode.js';
import { CS, EIP, ESP, LEFT, SEG_BASE, SS } from '../regs.js';
import {
  BlockProfile,
  ENDS_CALL,
  ENDS_IRET,
  ENDS_PLAIN,
  ENDS_RETURN,
  ENDS_RSM,
  ENDS_SYSENTER,
  ENDS_SYSEXIT,
  NO_FUNCTION,
} from './block-profile.js';
import { type CallNode, CallTree } from './call-tree.js';
import { codeOf } from './code-of.js';
import { handlerOf } from './handlers.js';
import { BY_CALL, BY_INTERRUPT, BY_SMI, type Frame, JUMPED, LOST, ShadowStacks } from './shadow-stacks.js';

/** Where functions start, by somebody who knows. */
export interface FunctionStarts {
  /** Linear address (int32) of the start of the function of ring 0 that holds `laddr`; null: not known. */
  startOf(laddr: number): number | null;
  /** False: it has to be told first where the kernel lies in memory. */
  readonly located: boolean;
  /** Tells it, by the handlers of exceptions (null: not known now); true: it has found out, and knows more functions than before. */
  locate(handlerOf: (vector: number) => number | null): boolean;
}

/** What a frame of the profile is. `program`: all of one address space. `cut`: callers that found no room. `inside`: something in the middle of which it began. */
export type FunctionKind = 'function' | 'inside' | 'program' | 'cut';

export interface ProfiledFunction {
  readonly kind: FunctionKind;
  /** Linear address (int32) of its start; of a program: page of CR3. */
  readonly address: number;
  /** In ring 3. */
  readonly user: boolean;
  /** Times it was entered at its start from another function. */
  calls: number;
  /** Entered by interrupts, exceptions or INT. */
  handler: boolean;
}

export interface ProfilerLimits {
  /** Distinct stacks of calls. */
  readonly stacks: number;
  /** Distinct blocks of code. */
  readonly blocks: number;
}

const LIMITS: ProfilerLimits = { stacks: 1 << 20, blocks: 1 << 19 };
/** Counts of a block: instructions, executions, how often `next` and `nextBefore` followed. */
export const COUNTS_PER_BLOCK = 4;
/** Linear address at which a reset processor begins. */
const RESET_VECTOR = 0xfffffff0 | 0;

// What the next block begins.
const NOTHING = 0;
/** The function that was called. */
const ENTRY = 1;
const HANDLER = 2;
/** A function in the place of the running one. */
const REPLACEMENT = 3;
/** Something whose callers are not known. */
const LANDING = 4;

/**
 * Counts every instruction of a run once: by block, and by the stack of calls it was executed under. Stacks come from following calls, returns and interrupts
 * (ShadowStacks). A function is what was called, or what FunctionStarts says; a jump from one into another puts that in its place.
 */
export class Profiler implements BlockObserver {
  readonly functions: ProfiledFunction[] = [];
  readonly tree: CallTree;
  /** Blocks that were executed, told apart by address and code. */
  readonly blocks: BlockProfile[] = [];
  /** COUNTS_PER_BLOCK numbers per block, from BlockProfile.at on; the first ones are for blocks that found no room. */
  counts = new Float64Array(COUNTS_PER_BLOCK * 1024);
  /** Blocks that found no room. */
  blocksCut = 0;
  private readonly cpu: Cpu;
  private readonly r: Int32Array;
  private readonly starts: FunctionStarts | null;
  private readonly limits: ProfilerLimits;
  private readonly stacks = new ShadowStacks();
  private readonly known = new Map<string, BlockProfile>();
  /** Functions by where they start, see `keyOf`. */
  private readonly entries = new Map<number, number>();
  private readonly programs = new Map<number, number>();
  private pending = LANDING;
  /** The block being executed; null: none is. */
  private running: BlockProfile | null = null;
  /** The block before; null: control did not come from one. */
  private previous: BlockProfile | null = null;
  /** LEFT when `running` began. */
  private mark = 0;
  private cpl = 0;
  private smm = false;

  constructor(cpu: Cpu, starts: FunctionStarts | null = null, limits: Partial<ProfilerLimits> = {}) {
    this.cpu = cpu;
    this.r = cpu.r;
    this.starts = starts;
    this.limits = { ...LIMITS, ...limits };
    this.tree = new CallTree(this.limits.stacks, this.addFunction('cut', 0, false));
  }

  before(block: Block): void {
    const profile = block.profile ?? this.profileOf(block);
    if (this.pending !== NOTHING || (profile.fn !== NO_FUNCTION && profile.fn !== this.stacks.current.node!.fn)) this.arrive(profile);
    const { previous, counts } = this;
    if (previous !== null) {
      if (previous.next === profile) counts[previous.at + 2]++;
      else this.follow(previous, profile, 1);
    }
    this.running = profile;
    this.mark = this.r[LEFT];
  }

  after(): void {
    const profile = this.running!;
    const done = this.settle(profile);
    this.previous = profile;
    // The last instruction was executed only if all before it were.
    if (profile.ends !== ENDS_PLAIN && done === profile.length) this.end(profile);
    this.cpl = this.cpu.cpl;
  }

  delivered(): void {
    const { running, cpu, r } = this;
    if (running !== null) {
      this.settle(running);
      this.previous = running;
    }
    if (((r[EIP] + r[SEG_BASE + CS]) | 0) === RESET_VECTOR) return;
    if (this.starts?.located === false) this.locateKernel(this.starts);
    this.push(cpu.smm && !this.smm ? BY_SMI : BY_INTERRUPT, HANDLER, 0);
    this.smm = cpu.smm;
    this.cpl = cpu.cpl;
  }

  sliceEnded(): void {
    if (this.running !== null) this.settle(this.running);
  }

  /** Accounts for what was executed since `before`. */
  private settle(profile: BlockProfile): number {
    const { counts } = this;
    const done = this.mark - this.r[LEFT];
    this.running = null;
    if (done === 0) return 0;
    counts[profile.at] += done;
    this.tree.self[this.stacks.current.node!.index] += done;
    if (done <= profile.length || profile.repeats) counts[profile.at + 1]++;
    else {
      // A translation that is a loop of one block.
      const turns = Math.ceil(done / profile.length);
      counts[profile.at + 1] += turns;
      this.follow(profile, profile, turns - 1);
    }
    return done;
  }

  private follow(from: BlockProfile, to: BlockProfile, times: number): void {
    const { counts } = this;
    from.next ??= to;
    if (from.next === to) {
      counts[from.at + 2] += times;
      return;
    }
    from.nextBefore ??= to;
    if (from.nextBefore === to) counts[from.at + 3] += times;
    else {
      from.others ??= new Map();
      from.others.set(to, (from.others.get(to) ?? 0) + times);
    }
  }

  // Calls and returns

  private end(profile: BlockProfile): void {
    const { cpu, stacks } = this;
    const outward = this.cpl !== 3 && cpu.cpl === 3;
    switch (profile.ends) {
      case ENDS_CALL:
        this.push(this.cpl === 3 && cpu.cpl !== 3 ? BY_INTERRUPT : BY_CALL, ENTRY, profile.behind);
        return;
      case ENDS_SYSENTER:
        this.push(BY_INTERRUPT, HANDLER, 0);
        return;
      case ENDS_RETURN:
        if (!outward) this.returned(stacks.leave(this.stackPointer() - profile.popped, this.space(), this.target()));
        else this.returned(stacks.leaveToUser(cpu.cr3));
        return;
      case ENDS_IRET:
        if (!outward) this.returned(stacks.leaveInterrupt(this.stackPointer() - profile.popped, this.space(), this.target()));
        else this.returned(stacks.leaveToUser(cpu.cr3));
        return;
      case ENDS_SYSEXIT:
        this.returned(stacks.leaveToUser(cpu.cr3));
        return;
      case ENDS_RSM:
        this.smm = cpu.smm;
        this.returned(stacks.leaveSmm());
    }
  }

  private push(kind: number, begins: number, returnTo: number): void {
    const { stacks, cpu } = this;
    stacks.current.begins = this.pending;
    const frame = stacks.push(this.stackPointer(), this.space(), kind);
    frame.returnTo = returnTo;
    frame.fromUser = this.cpl === 3;
    frame.cr3 = cpu.cr3;
    frame.caller = this.previous;
    this.previous = null;
    this.pending = begins;
  }

  private returned(outcome: number): void {
    this.pending = NOTHING;
    if (outcome === JUMPED) return;
    if (outcome === LOST) {
      this.previous = null;
      this.pending = LANDING;
      return;
    }
    const { current } = this.stacks;
    const left = current.child!;
    if (left.kind === BY_CALL && left.returnTo !== this.target()) this.pending = REPLACEMENT;
    else this.previous = left.caller;
    if (current.begins !== NOTHING) this.pending = current.begins;
    current.begins = NOTHING;
    if (current.node === null && this.pending !== ENTRY && this.pending !== HANDLER) this.pending = LANDING;
  }

  /** A block that begins another function than the one running. */
  private arrive(profile: BlockProfile): void {
    const { tree, stacks } = this;
    if (profile.laddr === RESET_VECTOR) {
      stacks.forget();
      this.previous = null;
      this.pending = LANDING;
    }
    const { current } = stacks;
    const { pending } = this;
    this.pending = NOTHING;
    if (pending === LANDING || current.parent === null) {
      const fn = profile.fn === NO_FUNCTION ? this.insideOf(profile) : profile.fn;
      current.node = pending === LANDING ? tree.child(this.program(), fn) : tree.sibling(current.node!, fn);
      return;
    }
    const fn = pending === NOTHING ? profile.fn : this.entryOf(profile);
    const called = this.functions[fn]!;
    if (called.address === profile.laddr) called.calls++;
    if (pending === HANDLER) called.handler = true;
    current.node =
      pending === ENTRY || pending === HANDLER ? tree.child(nodeUnder(current) ?? this.program(), fn) : tree.sibling(current.node!, fn);
  }

  // What is where

  private stackPointer(): number {
    const { r, cpu } = this;
    return (r[SEG_BASE + SS] + ((cpu.mode & MODE_SS32) === 0 ? r[ESP] & 0xffff : r[ESP])) | 0;
  }

  private target(): number {
    return (this.r[EIP] + this.r[SEG_BASE + CS]) | 0;
  }

  private space(): number {
    return this.cpu.cpl === 3 ? (this.cpu.cr3 >>> 12) + 1 : 0;
  }

  /** Where stacks without known callers begin. */
  private program(): CallNode {
    const { cpu, tree, programs } = this;
    if (cpu.cpl !== 3) return tree.root;
    const page = cpu.cr3 >>> 12;
    let fn = programs.get(page);
    if (fn === undefined) {
      fn = this.addFunction('program', page, true);
      programs.set(page, fn);
    }
    return tree.child(tree.root, fn);
  }

  private addFunction(kind: FunctionKind, address: number, user: boolean): number {
    return this.functions.push({ kind, address, user, calls: 0, handler: false }) - 1;
  }

  private entryOf(profile: BlockProfile): number {
    if (profile.fn === NO_FUNCTION) profile.fn = this.startingAt(keyOf(profile), profile.laddr, profile.user);
    return profile.fn;
  }

  private startingAt(key: number, laddr: number, user: boolean): number {
    let fn = this.entries.get(key);
    if (fn === undefined) {
      fn = this.addFunction('function', laddr, user);
      this.entries.set(key, fn);
    }
    return fn;
  }

  private insideOf(profile: BlockProfile): number {
    if (profile.landing === NO_FUNCTION) profile.landing = this.addFunction('inside', profile.laddr, profile.user);
    return profile.landing;
  }

  private profileOf(block: Block): BlockProfile {
    const laddr = this.target();
    const code = codeOf(this.cpu, block);
    const key = `${laddr}:${block.mode}:${String.fromCharCode(...code)}`;
    const known = code.length === 0 ? undefined : this.known.get(key);
    block.profile = known ?? this.newProfile(block, laddr, code, key);
    return block.profile;
  }

  private newProfile(block: Block, laddr: number, code: Uint8Array, key: string): BlockProfile {
    const full = this.blocks.length >= this.limits.blocks;
    const profile = new BlockProfile(block, laddr, code, full ? 0 : COUNTS_PER_BLOCK * (this.blocks.length + 1));
    if (full) this.blocksCut++;
    else {
      this.known.set(key, profile);
      this.blocks.push(profile);
      if (profile.at + COUNTS_PER_BLOCK > this.counts.length) {
        const grown = new Float64Array(2 * this.counts.length);
        grown.set(this.counts);
        this.counts = grown;
      }
    }
    if (!this.nameBy(profile, this.starts)) {
      if (laddr === RESET_VECTOR) this.entryOf(profile);
      else profile.fn = this.entries.get(keyOf(profile)) ?? NO_FUNCTION;
    }
    return profile;
  }

  /** Gives a block of the kernel the function it lies in; false: that is not known. */
  private nameBy(profile: BlockProfile, starts: FunctionStarts | null): boolean {
    const start = profile.user || starts === null ? null : starts.startOf(profile.laddr);
    if (start !== null) profile.fn = this.startingAt(start >>> 0, start, false);
    return start !== null;
  }

  /** The kernel has handlers now: symbols may be moved to where it lies. */
  private locateKernel(starts: FunctionStarts): void {
    if (!starts.locate((vector) => handlerOf(this.cpu, vector))) return;
    for (const profile of this.blocks) this.nameBy(profile, starts);
  }
}

/** Kernel functions are told apart by their address, those of programs also by their first bytes. */
function keyOf({ bytes, laddr, user }: BlockProfile): number {
  return user ? (laddr >>> 0) + 2 ** 32 * (1 + (bytes[0]! | (bytes[1]! << 8) | ((bytes[2]! & 15) << 16))) : laddr >>> 0;
}

/** What runs in the nearest frame under this one in which something does. */
function nodeUnder(frame: Frame): CallNode | null {
  let under = frame.parent;
  while (under !== null && under.node === null) under = under.parent;
  return under?.node ?? null;
}
