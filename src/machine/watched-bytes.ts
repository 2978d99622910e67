import type { Cpu, DataWatcher } from '../../jit/x86/cpu.js';
import { accessBits, SLOTS, type WatchTable } from '../../jit/x86/watch-table.js';
import type { Ranges } from '../../replay/checkpoints/footprint.js';

const PAGE_SHIFT = 12;
const PAGE_BYTES = 1 << PAGE_SHIFT;
const PAGES = 1 << 20;
const ACCESSED = 1;
const WRITTEN = 2;
/** Times a mark: four bytes with that mark. */
const FOUR = 0x01010101;
/** Pages that are thought of. */
const MOST_CANDIDATES = 1 << 13;

/** Which pages are watched. */
export interface WatchLimits {
  /** Pages watched at a time, at most SLOTS. */
  readonly pages: number;
  /** How much more a stretch in which a page was accessed counts than one in which it was not. A page that comes to this is watched, */
  readonly regular: number;
  /** and those first that come to most, at most to this. */
  readonly mostRegular: number;
}

export const USUAL_LIMITS: WatchLimits = { pages: SLOTS, regular: 3, mostRegular: 24 };

/** What was touched of a page, as ranges of linear addresses. */
export interface TouchedBytes {
  readonly accessed: Ranges;
  readonly written: Ranges;
}

/**
 * Watches the pages that are accessed most regularly in the stretches of a run, byte by byte: hot pages are mostly hot in few of their bytes. Each access of another size or kind, or at another offset, is looked at once in
 * a stretch; the WatchTable lets all others pass. It stands where a debugger's watchpoints would, and as with those nothing that the guest sees depends on it. When a debugger takes its place, nothing is known
 * until the next stretch.
 */
export class WatchedBytes implements DataWatcher {
  private readonly cpu: Cpu;
  private readonly table: WatchTable;
  private readonly limits: WatchLimits;
  /** How regularly a page was accessed; see WatchLimits. */
  private readonly candidates = new Map<number, number>();
  /** By linear page; 0: it is not watched. */
  private readonly slots = new Uint16Array(PAGES);
  /** By slot and offset. */
  private readonly marks = new Uint8Array((SLOTS + 1) * PAGE_BYTES);
  private readonly words = new Int32Array(this.marks.buffer);
  /** Their slots are their places here, plus 1. */
  private pages: number[] = [];

  /** @param cpu of an engine that was made to watch bytes */
  constructor(cpu: Cpu, limits: WatchLimits) {
    if (cpu.watchTable === null) throw new RangeError('the engine does not watch bytes');
    this.table = cpu.watchTable;
    this.cpu = cpu;
    this.limits = limits;
  }

  slotOf(laddr: number): number {
    return this.slots[laddr >>> PAGE_SHIFT]!;
  }

  accessed(cpu: Cpu, laddr: number, size: number, write: boolean): void {
    const slot = this.slotOf(laddr);
    if (slot === 0) return;
    // Accesses that cross a page come byte by byte.
    this.mark(slot, laddr, size, write);
    // Bytes that were written were accessed.
    this.table.pass(slot, laddr & (PAGE_BYTES - 1), accessBits(size, { read: true, write }));
    // The translation that had to be left is not to blame: it need not be for such an access again.
    cpu.fastPaths++;
  }

  accessedAll(laddr: number, bytes: number, write: boolean): boolean {
    this.mark(this.slotOf(laddr), laddr, bytes, write);
    return true;
  }

  private mark(slot: number, laddr: number, bytes: number, write: boolean): void {
    const first = (slot << PAGE_SHIFT) | (laddr & (PAGE_BYTES - 1));
    const mark = write ? ACCESSED | WRITTEN : ACCESSED;
    for (let at = first; at < first + bytes; at++) this.marks[at]! |= mark;
  }

  /** What was touched of each watched page since the stretch began; those that are not here were not watched, or not all the time. */
  get touched(): ReadonlyMap<number, TouchedBytes> {
    if (this.cpu.watcher !== this) return new Map();
    return new Map(this.pages.map((page) => [page, this.bytesOf(page)]));
  }

  /** Marks are mostly the same for many bytes in a row: they are looked at by fours. */
  private bytesOf(page: number): TouchedBytes {
    const accessed: number[] = [];
    const written: number[] = [];
    const base = this.slots[page]! << PAGE_SHIFT;
    let before = 0;
    const note = (at: number, mark: number): void => {
      if (((mark ^ before) & ACCESSED) !== 0) accessed.push(at);
      if (((mark ^ before) & WRITTEN) !== 0) written.push(at);
      before = mark;
    };
    for (let k = 0; k < PAGE_BYTES; k += 4) {
      if (this.words[(base + k) >> 2] === before * FOUR) continue;
      for (let b = k; b < k + 4; b++) note(page * PAGE_BYTES + b, this.marks[base + b]!);
    }
    note((page + 1) * PAGE_BYTES, 0);
    return { accessed, written };
  }

  /**
   * A stretch begins. For reads and writes alike, the TLBs must send the next access to each page the slow way: watchReads and watchWrites do.
   * @param touched pages of the stretch that ends; some may be named twice
   */
  begin(touched: readonly number[]): void {
    this.count(new Set(touched));
    const { limits, candidates, table } = this;
    for (const page of this.pages) this.slots[page] = 0;
    this.pages = [...candidates]
      .filter(([, regular]) => regular >= limits.regular)
      .sort(([, a], [, b]) => b - a)
      .slice(0, limits.pages)
      .map(([page]) => page);
    this.cpu.watcher ??= this;
    // A debugger's: it uses the table.
    if (this.cpu.watcher !== this) return;
    this.marks.fill(0);
    this.pages.forEach((page, k) => {
      this.slots[page] = k + 1;
      table.fill(k + 1, true);
    });
  }

  /** Nothing is watched any more. */
  end(): void {
    for (const page of this.pages) this.slots[page] = 0;
    this.pages = [];
    if (this.cpu.watcher === this) this.cpu.watcher = null;
  }

  private count(touched: ReadonlySet<number>): void {
    const { candidates, limits } = this;
    for (const page of touched) if (!candidates.has(page) && candidates.size < MOST_CANDIDATES) candidates.set(page, 0);
    for (const [page, regular] of candidates) {
      if (touched.has(page)) candidates.set(page, Math.min(regular + limits.regular, limits.mostRegular));
      else if (regular === 0) candidates.delete(page);
      else candidates.set(page, regular - 1);
    }
  }
}
