import { UserError } from '../../src/core/errors.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { PAGE_SHIFT } from '../../src/memory/physical.js';
import type { Cpu } from './cpu.js';
import { flushTlb, mapPage } from './mmu.js';
import { eachEntry } from './tlb-scan.js';

const LINEAR_PAGES = 1 << 20;
/** A run of pages: the first linear page and, from bit 20 on, the number of the TLB; backing page of the first; how many. */
const RUN_WORDS = 3;
const TLB_SHIFT = 20;
const CR0_PG = 0x80000000 | 0;

/**
 * What the software TLBs hold. A guest sees it where it changes a page table and does not flush: accessed and dirty bits are not set again (Linux clears accessed bits without
 * a flush), old mappings go on. It is no part of a machine's digest: that is about what a machine is, not what it remembers.
 * Without paging there is nothing to remember.
 */
export class TlbState implements StatefulPart {
  readonly schema: StateSchema = { name: 'tlb', version: 1, fields: { largePage: 'bool', runs: 'blob' } };
  /** Cpu.tlbHasLargePage. */
  largePage = false;
  /** Runs by TLB and page, ascending; little-endian. */
  runs: Uint8Array = new Uint8Array(0);
  private readonly backingPages: number;

  /** @param backingPages of the machine's memory */
  constructor(backingPages: number) {
    this.backingPages = backingPages;
  }

  /** Notes what a processor's TLBs hold. */
  static of(cpu: Cpu): TlbState {
    const state = new TlbState(cpu.memory.codePage.length);
    if ((cpu.cr0 & CR0_PG) === 0) return state;
    state.largePage = cpu.tlbHasLargePage;
    const words: number[] = [];
    const pages = filledPages(cpu);
    tlbsOf(cpu).forEach((tlb, number) => {
      let next = -1;
      let nextBacking = -1;
      const add = (page: number): void => {
        const backing = ((tlb[page]! >> PAGE_SHIFT) + page) & (LINEAR_PAGES - 1);
        if (page === next && backing === nextBacking) words[words.length - 1]!++;
        else words.push(page | (number << TLB_SHIFT), backing, 1);
        next = page + 1;
        nextBacking = backing + 1;
      };
      if (pages === null) eachEntry(tlb, add);
      else for (let k = 0; k < pages.length; k++) if (pages[k] !== pages[k - 1] && tlb[pages[k]!] !== -1) add(pages[k]!);
    });
    const view = new DataView(new ArrayBuffer(words.length * 4));
    words.forEach((word, k) => {
      view.setUint32(4 * k, word, true);
    });
    state.runs = new Uint8Array(view.buffer);
    return state;
  }

  /** The bytes may be a stranger's. */
  afterRestore(): void {
    if (this.runs.length % (4 * RUN_WORDS) !== 0) throw new UserError('snapshot-corrupt', `its runs have ${this.runs.length} bytes`);
    let before = -1;
    for (const { tlb, page, backing, count } of this.each()) {
      const first = tlb * LINEAR_PAGES + page;
      if (first <= before || tlb > 5 || count === 0 || count > LINEAR_PAGES - page || backing + count > this.backingPages)
        throw new UserError('snapshot-corrupt', `it has ${count} pages from ${page} on at ${backing} of ${this.backingPages}`);
      before = first + count - 1;
    }
  }

  /** Makes the TLBs of a processor hold this and nothing else. No page table is looked at. */
  putInto(cpu: Cpu): void {
    flushTlb(cpu);
    const tlbs = tlbsOf(cpu);
    for (const { tlb, page, backing, count } of this.each())
      for (let k = 0; k < count; k++) mapPage(cpu, tlbs[tlb]!, page + k, backing + k);
    cpu.tlbHasLargePage = this.largePage;
  }

  private *each(): Generator<{ tlb: number; page: number; backing: number; count: number }> {
    const { runs } = this;
    const view = new DataView(runs.buffer, runs.byteOffset, runs.byteLength);
    for (let at = 0; at < runs.length; at += 4 * RUN_WORDS) {
      const start = view.getUint32(at, true);
      yield {
        tlb: start >>> TLB_SHIFT,
        page: start & (LINEAR_PAGES - 1),
        backing: view.getUint32(at + 4, true),
        count: view.getUint32(at + 8, true),
      };
    }
  }
}

/** In the order of their numbers in a run. */
function tlbsOf(cpu: Cpu): readonly Int32Array[] {
  return [cpu.supervisorRead, cpu.supervisorWrite, cpu.supervisorExecute, cpu.userRead, cpu.userWrite, cpu.userExecute];
}

/** Linear pages that may have an entry, ascending, some more than once; null: they are too many to be known. */
function filledPages({ tlbFilled, tlbFilledCount }: Cpu): Int32Array | null {
  return tlbFilledCount > tlbFilled.length ? null : tlbFilled.slice(0, tlbFilledCount).sort();
}
