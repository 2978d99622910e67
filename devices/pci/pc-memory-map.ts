import { NOT_MEMORY, PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from '../../src/memory/physical.js';

/** What a window of the processor's address space shows. */
export type WindowView =
  /** As if there were no window. */
  | 'none'
  /** The PCI side, even where there is RAM below. */
  | 'pci'
  /** RAM. */
  | 'ram'
  /** RAM that cannot be written. */
  | 'ram-read-only';

interface MemoryWindow {
  readonly first: number;
  readonly end: number;
  view: WindowView;
}

interface PciRegion {
  readonly first: number;
  readonly end: number;
  /** Backing page of the first page, or NOT_MEMORY. */
  readonly readPage: number;
  readonly writePage: number;
  readonly priority: number;
}

/**
 * The layers of a PC's memory: windows of the host bridge (PAM, SMRAM) over RAM over the PCI side (ROMs, frame buffer).
 * Keeps PhysicalMemory's page map up to date. Device registers are PhysicalMemory's own business: they show where no memory is mapped.
 */
export class PcMemoryMap {
  private readonly memory: PhysicalMemory;
  private readonly ramFirst: number;
  private readonly ramPages: number;
  private readonly windows: MemoryWindow[] = [];
  /** Lowest first: later ones lie above earlier ones of the same priority. */
  private readonly regions: PciRegion[] = [];

  /** RAM of `ramBytes` at guest-physical 0, held at byte `ramOffset` of the backing buffer. Both page multiples. */
  constructor(memory: PhysicalMemory, ramOffset: number, ramBytes: number) {
    this.memory = memory;
    this.ramFirst = ramOffset >>> PAGE_SHIFT;
    this.ramPages = Math.floor(ramBytes / PAGE_SIZE);
    this.update(0, this.ramPages);
  }

  /** Makes a window (page multiples below 2^32); it starts as 'none'. Windows must not overlap. Returns the function that changes its view. */
  addWindow(base: number, lengthBytes: number): (view: WindowView) => void {
    const first = base >>> PAGE_SHIFT;
    const window: MemoryWindow = { first, end: first + (lengthBytes >>> PAGE_SHIFT), view: 'none' };
    this.windows.push(window);
    return (view) => {
      if (view === window.view) return;
      window.view = view;
      this.update(window.first, window.end);
    };
  }

  /**
   * Puts memory on the PCI side, or a hole where the offsets are null (registers above memory).
   * Offsets are bytes of the backing buffer; parts of pages at the end are left out.
   */
  addPciRegion(base: number, lengthBytes: number, readOffset: number | null, writeOffset: number | null, priority = 1): { unmap(): void } {
    const first = base >>> PAGE_SHIFT;
    const region: PciRegion = {
      first,
      end: first + (lengthBytes >>> PAGE_SHIFT),
      readPage: readOffset === null ? NOT_MEMORY : readOffset >>> PAGE_SHIFT,
      writePage: writeOffset === null ? NOT_MEMORY : writeOffset >>> PAGE_SHIFT,
      priority,
    };
    let at = this.regions.length;
    while (at > 0 && this.regions[at - 1]!.priority > priority) at--;
    this.regions.splice(at, 0, region);
    this.update(region.first, region.end);
    return {
      unmap: () => {
        const index = this.regions.indexOf(region);
        if (index < 0) return;
        this.regions.splice(index, 1);
        this.update(region.first, region.end);
      },
    };
  }

  private update(first: number, end: number): void {
    const { readPage, writePage } = this.memory;
    for (let page = first; page < end; page++) {
      const view = this.viewAt(page);
      const region = this.regionAt(page);
      // Where nothing answers on the PCI side, QEMU's RAM shows through.
      if (page >= this.ramPages ? view === 'pci' || view === 'none' : view === 'pci' && region !== null) {
        readPage[page] = pageOf(region, region?.readPage, page);
        writePage[page] = pageOf(region, region?.writePage, page);
      } else {
        const backing = page < this.ramPages ? this.ramFirst + page : NOT_MEMORY;
        readPage[page] = backing;
        writePage[page] = view === 'ram-read-only' ? NOT_MEMORY : backing;
      }
    }
    this.memory.onRemap?.();
  }

  private viewAt(page: number): WindowView {
    for (const w of this.windows) if (page >= w.first && page < w.end && w.view !== 'none') return w.view;
    return 'none';
  }

  private regionAt(page: number): PciRegion | null {
    for (let i = this.regions.length - 1; i >= 0; i--) {
      const r = this.regions[i]!;
      if (page >= r.first && page < r.end) return r;
    }
    return null;
  }
}

function pageOf(region: PciRegion | null, base: number | undefined, page: number): number {
  return region === null || base === undefined || base === NOT_MEMORY ? NOT_MEMORY : base + page - region.first;
}
