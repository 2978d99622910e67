import type { Watchpoint } from '../../src/core/debug-target.js';
import type { Block } from './block.js';
import type { Cpu, DataWatcher } from './cpu.js';
import { CS, SEG_BASE } from './regs.js';
import type { TranslatableBlock } from './translate/translation.js';

const SLOW = 1;

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
  private breakpoints = new Set<number>();
  private watchpoints: readonly Watchpoint[] = [];
  /** By linear page: a breakpoint lies there. */
  private readonly pages = new Uint8Array(1 << 20);
  /** What `clear` found for regions in such pages. */
  private regions = new WeakMap<readonly TranslatableBlock[], boolean>();
  private regionsBase = 0;
  private deliveryIcount = -1;
  private deliveryCount = 0;

  /** Whether the engine has to look at blocks before it enters them. */
  get breaks(): boolean {
    return this.breakpoints.size > 0;
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
    for (const address of this.breakpoints) this.pages[address >>> 12] = 0;
    this.breakpoints = new Set(Array.from(addresses, (a) => a >>> 0));
    for (const address of this.breakpoints) this.pages[address >>> 12] = 1;
    this.regions = new WeakMap();
  }

  /** Sets all watchpoints of a processor; none of the old ones stays. */
  setWatchpoints(cpu: Cpu, watchpoints: readonly Watchpoint[]): void {
    const before = this.watchpoints;
    this.watchpoints = watchpoints;
    cpu.watcher = watchpoints.length > 0 ? this : null;
    for (const w of before) if (!watchpoints.includes(w)) for (const page of pagesOf(w)) this.quicken(cpu, page);
    for (const w of watchpoints) for (const page of pagesOf(w)) slowDown(cpu, page);
  }

  /** Reads take the fast path again; writes find out by themselves. */
  private quicken(cpu: Cpu, page: number): void {
    if (this.onPage(page << 12)) return;
    for (const tlb of [cpu.supervisorRead, cpu.userRead]) if (tlb[page] !== -1) tlb[page] &= ~SLOW;
  }

  onPage(laddr: number): boolean {
    const page = laddr >>> 12;
    return this.watchpoints.some((w) => page >= w.address >>> 12 && page <= (w.address + w.lengthBytes - 1) >>> 12);
  }

  accessed(cpu: Cpu, laddr: number, size: number, write: boolean): void {
    if (this.touched !== null) return;
    const at = laddr >>> 0;
    for (const w of this.watchpoints) {
      if (w.kind === (write ? 'read' : 'write') || at + size <= w.address || at >= w.address + w.lengthBytes) continue;
      this.touched = w;
      cpu.breakBlock = true;
      return;
    }
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
    const first = (block.eip + cpu.r[SEG_BASE + CS]) >>> 0;
    const pass = this.passNext ? 1 : 0;
    this.passNext = false;
    if (this.pages[first >>> 12] === 0) return block.count;
    let laddr = first;
    for (let k = 0; k < block.count; k++) {
      if (k >= pass && this.breakpoints.has(laddr)) return k;
      laddr = (laddr + block.insns[k].length) >>> 0;
    }
    return block.count;
  }

  /** Whether no breakpoint stands in these blocks. */
  clear(cpu: Cpu, members: readonly TranslatableBlock[]): boolean {
    const base = cpu.r[SEG_BASE + CS];
    if (members.every((m) => this.pages[((m.eip + base) >>> 0) >>> 12] === 0)) return true;
    if (base !== this.regionsBase) this.regions = new WeakMap();
    this.regionsBase = base;
    const known = this.regions.get(members);
    if (known !== undefined) return known;
    const found = !members.some((m) => this.reachesOver(m, base));
    this.regions.set(members, found);
    return found;
  }

  private reachesOver(block: TranslatableBlock, base: number): boolean {
    let laddr = (block.eip + base) >>> 0;
    for (const insn of block.insns) {
      if (this.breakpoints.has(laddr)) return true;
      laddr = (laddr + insn.length) >>> 0;
    }
    return false;
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
