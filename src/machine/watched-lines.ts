import type { Cpu, DataWatcher } from '../../jit/x86/cpu.js';
import { LINE_BYTES, LINES_PER_PAGE } from '../../replay/checkpoints/footprint.js';

const PAGE_SHIFT = 12;
const PAGES = 1 << 20;
const ACCESSED = 1;
const WRITTEN = 2;

/** How much is spent on pages that are accessed in most stretches. */
export interface LineLimits {
  /** Pages watched at a time, at most 256. */
  readonly pages: number;
  /** Accesses to one page in a stretch, until it is left to itself; at most 65535. */
  readonly accesses: number;
  /** The same of all pages together: from then on, none may have more than its share. */
  readonly allAccesses: number;
  /** A page is watched when it was accessed in so many more of the last stretches than not, */
  readonly regular: number;
  /** which are counted up to here. */
  readonly mostRegular: number;
}

/** For a machine that nobody waits for: the busiest part of a boot takes about a quarter longer with it. */
export const USUAL_LINES: LineLimits = { pages: 128, accesses: 40_000, allAccesses: 400_000, regular: 8, mostRegular: 12 };

/** Pages that are thought of. */
const MOST_CANDIDATES = 1 << 13;
/** A page that was left to itself again and again is left out for so many stretches at most. */
const LONGEST_REST = 8;

interface Candidate {
  /** In how many more of the last stretches it was accessed than not. */
  regular: number;
  /** Stretches for which it is left out yet. */
  rest: number;
  /** For how many it is when it is accessed too often the next time. */
  nextRest: number;
}

/** Lines of a page, by their numbers in the linear address space. */
export interface TouchedLines {
  readonly accessed: readonly number[];
  readonly written: readonly number[];
}

/**
 * Watches the pages that are accessed in most stretches of a run, line by line, for as long as there are not too many accesses: hot pages are mostly hot in few of their lines.
 * It stands where a debugger's watchpoints would, and as with those nothing that the guest sees depends on it. When a debugger takes its place, nothing is known until the next stretch.
 */
export class WatchedLines implements DataWatcher {
  private readonly cpu: Cpu;
  private readonly limits: LineLimits;
  private readonly candidates = new Map<number, Candidate>();
  /** By linear page: accesses until it is left to itself; 0: it is not watched. */
  private readonly left = new Uint16Array(PAGES);
  /** By linear page, of those that are watched: where its marks are. */
  private readonly slots = new Uint8Array(PAGES);
  private readonly marks: Uint8Array;
  private pages: number[] = [];
  private allLeft = 0;

  constructor(cpu: Cpu, limits: LineLimits) {
    this.cpu = cpu;
    this.limits = limits;
    this.marks = new Uint8Array(limits.pages * LINES_PER_PAGE);
  }

  onPage(laddr: number): boolean {
    return this.left[laddr >>> PAGE_SHIFT] !== 0;
  }

  accessed(cpu: Cpu, laddr: number, size: number, write: boolean): void {
    const page = laddr >>> PAGE_SHIFT;
    if (this.left[page] === 0) return;
    // Accesses that cross a page come byte by byte.
    const offset = laddr & ((1 << PAGE_SHIFT) - 1);
    const base = this.slots[page]! * LINES_PER_PAGE;
    const marks = write ? ACCESSED | WRITTEN : ACCESSED;
    this.marks[base + Math.floor(offset / LINE_BYTES)]! |= marks;
    this.marks[base + Math.floor((offset + size - 1) / LINE_BYTES)]! |= marks;
    this.left[page]!--;
    // The translation that had to be left is not to blame: the page will be fast again.
    cpu.fastPaths++;
    if (--this.allLeft === 0) this.share();
  }

  /** What was touched of each watched page since the stretch began; those that are not here were watched not at all, or not all the time. */
  get lines(): ReadonlyMap<number, TouchedLines> {
    const all = new Map<number, TouchedLines>();
    if (this.cpu.watcher !== this) return all;
    for (const page of this.pages)
      if (this.left[page] !== 0) all.set(page, { accessed: this.marked(page, ACCESSED), written: this.marked(page, WRITTEN) });
    return all;
  }

  private marked(page: number, mark: number): number[] {
    const base = this.slots[page]! * LINES_PER_PAGE;
    const lines: number[] = [];
    for (let k = 0; k < LINES_PER_PAGE; k++) if ((this.marks[base + k]! & mark) !== 0) lines.push(page * LINES_PER_PAGE + k);
    return lines;
  }

  /**
   * A stretch begins. For reads and writes alike, the TLBs must send the next access to each page the slow way: watchReads and watchWrites do.
   * @param touched pages of the stretch that ends; some may be named twice
   */
  begin(touched: readonly number[]): void {
    this.judge();
    this.count(new Set(touched));
    const { limits, candidates } = this;
    this.pages = [];
    for (const [page, candidate] of candidates) {
      if (candidate.regular < limits.regular || this.pages.length === limits.pages) continue;
      if (candidate.rest > 0) candidate.rest--;
      else this.pages.push(page);
    }
    this.marks.fill(0);
    this.allLeft = limits.allAccesses;
    this.pages.forEach((page, slot) => {
      this.slots[page] = slot;
      this.left[page] = limits.accesses;
    });
    this.cpu.watcher ??= this;
  }

  /** Nothing is watched any more. */
  end(): void {
    for (const page of this.pages) this.left[page] = 0;
    this.pages = [];
    if (this.cpu.watcher === this) this.cpu.watcher = null;
  }

  /** Few pages use up most. */
  private share(): void {
    const { accesses, allAccesses } = this.limits;
    const share = Math.floor(allAccesses / this.pages.length);
    for (const page of this.pages) this.left[page] = Math.max(0, share - accesses + this.left[page]!);
  }

  /** Those that were accessed too often are left out for a while, longer each time. */
  private judge(): void {
    for (const page of this.pages) {
      const candidate = this.candidates.get(page);
      if (candidate === undefined) continue;
      if (this.left[page] !== 0) candidate.nextRest = 1;
      else {
        candidate.rest = candidate.nextRest;
        candidate.nextRest = Math.min(2 * candidate.nextRest, LONGEST_REST);
      }
      this.left[page] = 0;
    }
  }

  private count(touched: ReadonlySet<number>): void {
    const { candidates, limits } = this;
    for (const page of touched)
      if (!candidates.has(page) && candidates.size < MOST_CANDIDATES) candidates.set(page, { regular: 0, rest: 0, nextRest: 1 });
    for (const [page, candidate] of candidates) {
      if (touched.has(page)) candidate.regular = Math.min(candidate.regular + 1, limits.mostRegular);
      else if (--candidate.regular < 0) candidates.delete(page);
    }
  }
}
