import type { Watchpoint } from '../../src/core/debug-target.js';
import type { Block } from './block.js';
import type { Cpu, DataWatcher } from './cpu.js';
import { SLOW } from './mmu.js';
import { CS, SEG_BASE } from './regs.js';
import type { TranslatableBlock } from './translate/translation.js';

const OFFSET = 0xfff;
/** All pages with watchpoints have the same. */
const SLOT = 1;
const NONE: ReadonlySet<number> = new Set();

/**
 * Where a debugger wants the engine to stop: breakpoints (linear addresses, before the instruction), watchpoints (behind the instruction that made the access), and
 * deliveries of interrupts and exceptions while it steps. Nothing that the guest sees depends on them: translations that reach over a breakpoint are not entered, and
 * entries of the TLBs for watched pages are kept, but take the slow path.
 */
export class DebugStops implements DataWatcher {
  /** An instruction or a delivery touched it: the engine stops behind that. */
  touched: Watchpoint | null = null;
  /** The next instruction stands at a breakpoint, and the engine stopped there. */
  atBreakpoint = false;
  /** Execute the next instruction although a breakpoint stands there. */
  passNext = false;
  /** Stop behind the next delivery of an interrupt or exception. */
  stopAtDelivery = false;
  /** A delivery happened while `stopAtDelivery` was set. */
  stoppedAtDelivery = false;
  /** All breakpoints; none while they are suspended. */
  private breakpoints: ReadonlySet<number> = NONE;
  private readonly all = new Set<number>();
  /** Those that `offsets` is about. */
  private marked: ReadonlySet<number> = NONE;
  private changed = false;
  private watchpoints: readonly Watchpoint[] = [];
  /** By the last 12 bits of an address, which are the same for linear and backing addresses: a breakpoint may stand there. */
  private readonly offsets = new Uint8Array(1 << 12);
  private breakpointSets = 0;
  private deliveryIcount = -1;
  private deliveryCount = 0;

  /** Whether the engine has to look at blocks before it enters them. */
  get breaks(): boolean {
    return this.breakpoints.size > 0;
  }

  /** Of the breakpoints that blocks were last found to be clear of: greater whenever there are others. */
  get generation(): number {
    return this.breakpointSets;
  }

  /** Something that the engine has to stop for between two blocks. */
  get pending(): boolean {
    return this.touched !== null || this.stoppedAtDelivery;
  }

  /** Forgets why the engine stopped last. */
  rearm(): void {
    this.touched = null;
    this.atBreakpoint = this.stoppedAtDelivery = false;
  }

  /** Sets all breakpoints; none of the old ones stays. */
  setBreakpoints(addresses: Iterable<number>): void {
    const wanted = new Set(Array.from(addresses, (a) => a >>> 0));
    for (const address of this.all) if (!wanted.has(address)) this.changeBreakpoint(address, false);
    for (const address of wanted) this.changeBreakpoint(address, true);
    this.breakpoints = this.all;
  }

  /** Sets or removes one. */
  changeBreakpoint(address: number, insert: boolean): void {
    const at = address >>> 0;
    this.breakpoints = this.all;
    if (this.all.has(at) === insert) return;
    if (insert) this.all.add(at);
    else this.all.delete(at);
    this.changed = true;
  }

  /** Before a slice: finds out whether breakpoints are others than in the last one that had any. gdb removes and sets them again at every stop. */
  settle(): void {
    if (!this.changed || !this.breaks) return;
    this.changed = false;
    const { all, marked } = this;
    if (all.size === marked.size && [...all].every((address) => marked.has(address))) return;
    this.marked = new Set(all);
    this.breakpointSets++;
    this.offsets.fill(0);
    for (const address of all) this.offsets[address & OFFSET] = 1;
  }

  /** The machine runs as if there were no breakpoints, until they are changed or resumed. */
  suspendBreakpoints(): void {
    this.breakpoints = NONE;
  }

  resumeBreakpoints(): void {
    this.breakpoints = this.all;
  }

  /** In no order. */
  listBreakpoints(): number[] {
    return [...this.all];
  }

  /** Sets all watchpoints of a processor; none of the old ones stays. Accesses to their pages find out by themselves that they may be fast again. */
  setWatchpoints(cpu: Cpu, watchpoints: readonly Watchpoint[]): void {
    this.watchpoints = watchpoints;
    cpu.watcher = watchpoints.length > 0 ? this : null;
    // Without watchpoints, accesses to pages that were watched find out that they no longer are.
    cpu.watchTable?.fill(SLOT, watchpoints.length === 0);
    for (const { kind, address, lengthBytes } of watchpoints)
      cpu.watchTable?.watch(SLOT, address, lengthBytes, { read: kind !== 'write', write: kind !== 'read' });
    for (const w of watchpoints) for (const page of pagesOf(w)) slowDown(cpu, page);
  }

  slotOf(laddr: number): number {
    const page = laddr >>> 12;
    return this.watchpoints.some((w) => page >= w.address >>> 12 && page <= (w.address + w.lengthBytes - 1) >>> 12) ? SLOT : 0;
  }

  accessed(cpu: Cpu, laddr: number, size: number, write: boolean): void {
    if (this.touched !== null) return;
    const watchpoint = this.watchpointAt(laddr, size, write);
    if (watchpoint === undefined) return;
    this.touched = watchpoint;
    cpu.breakBlock = true;
  }

  accessedAll(laddr: number, bytes: number, write: boolean): boolean {
    return this.watchpointAt(laddr, bytes, write) === undefined;
  }

  /** The first that an access touches. */
  private watchpointAt(laddr: number, bytes: number, write: boolean): Watchpoint | undefined {
    const at = laddr >>> 0;
    const other = write ? 'read' : 'write';
    return this.watchpoints.find((w) => w.kind !== other && at + bytes > w.address && at < w.address + w.lengthBytes);
  }

  /** An interrupt, or an exception that is not part of an instruction that counts, was delivered at this instruction count. */
  delivered(icount: number): void {
    this.deliveryCount = this.deliveriesAt(icount) + 1;
    this.deliveryIcount = icount;
    if (this.stopAtDelivery) this.stoppedAtDelivery = true;
  }

  /** How many deliveries there were since the instruction count became that. */
  deliveriesAt(icount: number): number {
    return icount === this.deliveryIcount ? this.deliveryCount : 0;
  }

  /** For a machine that was put into the middle of its run. */
  setDeliveries(icount: number, count: number): void {
    this.deliveryIcount = icount;
    this.deliveryCount = count;
  }

  /** Whether a breakpoint stands at a linear address. */
  isBreakpoint(laddr: number): boolean {
    return this.breakpoints.has(laddr >>> 0);
  }

  /** How many instructions of the block, which begins at EIP, come before its first breakpoint; all when there is none. With `passNext` the first one counts as free. */
  reach(cpu: Cpu, block: Block): number {
    const pass = this.passNext ? 1 : 0;
    this.passNext = false;
    let laddr = (block.eip + cpu.r[SEG_BASE + CS]) >>> 0;
    for (let k = 0; k < block.count; k++) {
      if (k >= pass && this.breakpoints.has(laddr)) return k;
      laddr = (laddr + block.insns[k].length) >>> 0;
    }
    return block.count;
  }

  /** Whether a breakpoint stands in one of these blocks, by their linear addresses. */
  standIn(cpu: Cpu, blocks: readonly TranslatableBlock[]): boolean {
    return blocks.some((block) => {
      let laddr = (block.eip + cpu.r[SEG_BASE + CS]) >>> 0;
      return block.insns.some((insn) => {
        const found = this.breakpoints.has(laddr);
        laddr = (laddr + insn.length) >>> 0;
        return found;
      });
    });
  }

  /** Whether certainly no breakpoint stands in a block and its translation: known at once when it was looked at before. */
  isClear(block: Block): boolean {
    if (block.clearOf !== this.generation) {
      if (block.paddr < 0 || !this.areClear(block.compiled === null ? [block] : block.members)) return false;
      block.clearOf = this.generation;
    }
    this.passNext = false;
    return true;
  }

  /** The same of the blocks of a translation. */
  areClear(blocks: readonly Pick<TranslatableBlock, 'insns' | 'paddr'>[]): boolean {
    return blocks.every((block) => {
      let at = block.paddr ?? 0;
      for (const insn of block.insns) {
        if (this.offsets[at & OFFSET] !== 0) return false;
        at += insn.length;
      }
      return true;
    });
  }
}

function pagesOf(w: Watchpoint): number[] {
  const pages: number[] = [];
  for (let page = w.address >>> 12; page <= (w.address + w.lengthBytes - 1) >>> 12; page++) pages.push(page);
  return pages;
}

/** What is known of the page stays known: a TLB that were flushed would set accessed bits again. */
function slowDown(cpu: Cpu, page: number): void {
  for (const tlb of [cpu.supervisorRead, cpu.supervisorWrite, cpu.userRead, cpu.userWrite]) if (tlb[page] !== -1) tlb[page] |= SLOW;
}
