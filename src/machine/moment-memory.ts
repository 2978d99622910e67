import { watchWrites } from '../../jit/x86/mmu.js';
import { PageTable } from '../../replay/checkpoints/page-table.js';
import type { CheckpointStore, StoredCheckpoint } from '../../replay/checkpoints/store.js';
import { UserError } from '../core/errors.js';
import { PAGE_SIZE } from '../memory/physical.js';
import { MEMORY_SPACE, markedPages } from './capture-checkpoint.js';
import type { PcMachine } from './pc.js';
import type { SavedAreas, SavedMachine } from './saved-machine.js';

type Pages = ReadonlyMap<number, Uint8Array | null>;
type Chunks = ReadonlyMap<number, Uint8Array>;

/** A moment that is held in memory. What it shares with others is there once. */
export interface KeptMoment {
  readonly icount: number;
  readonly events: number;
  readonly saved: SavedMachine;
  /** The stored checkpoint's memory that `pages` lie over. */
  readonly base: PageTable;
  readonly store: CheckpointStore | null;
  readonly pages: Pages;
  readonly chunks: ReadonlyMap<string, Chunks>;
}

/**
 * Knows what the memory of a machine was when it was last saved or restored, and with the marks of written pages which pages another moment may have to put back.
 */
export class MomentMemory {
  private readonly machine: PcMachine;
  private base = PageTable.EMPTY;
  private store: CheckpointStore | null = null;
  /** Over `base`; null: zeros. */
  private pages: Pages = new Map();
  /** Nothing is known: all pages may differ from `base` and `pages`. */
  private unknown = true;
  /** The chunks of each disk, as they were then. */
  private chunks = new Map<string, Chunks>();

  constructor(machine: PcMachine) {
    this.machine = machine;
  }

  /** The machine may have become anything. */
  lost(): void {
    this.unknown = true;
  }

  /** Saves what was written since. */
  keep(saved: SavedMachine): KeptMoment {
    const { memory } = this.machine;
    const pages = new Map(this.unknown ? [] : this.pages);
    if (this.unknown) {
      this.base = PageTable.EMPTY;
      this.store = null;
    }
    for (const page of this.unknown ? everyPage(memory.dirtyPage.length) : markedPages(memory.dirtyPage)) {
      const bytes = memory.u8.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
      if (!isZero(bytes)) pages.set(page, bytes.slice());
      else if (!this.unknown) pages.set(page, null);
    }
    const kept = { ...saved, saved, base: this.base, store: this.store, pages, chunks: this.copyChunks() };
    this.standsAtKept(kept);
    return kept;
  }

  private copyChunks(): Map<string, Chunks> {
    const copies = new Map<string, Chunks>();
    for (const [name, { clusters }] of Object.entries(this.machine.overlays)) {
      const before = this.chunks.get(name);
      const same = (number: number): Uint8Array | undefined => (clusters.changed.has(number) ? undefined : before?.get(number));
      copies.set(name, new Map(clusters.numbers().map((number) => [number, same(number) ?? clusters.get(number)!.slice()])));
    }
    return copies;
  }

  /** What restoreMachine needs for a kept moment. */
  kept(kept: KeptMoment): SavedAreas {
    const pages = this.differing(kept.base, kept.pages);
    return {
      pages: () => withBytes(pages, (page) => (kept.pages.has(page) ? kept.pages.get(page)! : fromStore(kept.store, kept.base.get(page)))),
      chunks: (part) => kept.chunks.get(part) ?? new Map(),
    };
  }

  /** What restoreMachine needs for a stored checkpoint: all of it is read before. Throws UserError when the store is damaged. */
  stored(store: CheckpointStore, checkpoint: StoredCheckpoint): { saved: SavedMachine; areas: SavedAreas } {
    const parts = new Map(Object.entries(checkpoint.items).map(([name, id]) => [name, store.content(id)]));
    const table = checkpoint.tables[MEMORY_SPACE] ?? PageTable.EMPTY;
    // In the order of the store, so that each of its blocks is unpacked once.
    const differing = [...this.differing(table, new Map())].map((page) => [page, table.get(page)] as const).sort((a, b) => a[1] - b[1]);
    const pages = differing.map(([page, id]) => [page, fromStore(store, id)] as const);
    const disks = new Map<string, [number, Uint8Array][]>();
    for (const name of Object.keys(this.machine.overlays)) {
      const pairs = (checkpoint.tables[name] ?? PageTable.EMPTY).pairs();
      disks.set(
        name,
        Array.from({ length: pairs.length / 2 }, (_, k) => [pairs[2 * k]!, store.content(pairs[2 * k + 1]!)]),
      );
    }
    const saved = { icount: checkpoint.icount, events: checkpoint.position.events, parts };
    return { saved, areas: { pages: () => pages, chunks: (part) => disks.get(part)! } };
  }

  /** The machine was restored to a stored checkpoint, or is equal to one. */
  standsAt(store: CheckpointStore, checkpoint: StoredCheckpoint): void {
    this.settle(checkpoint.tables[MEMORY_SPACE] ?? PageTable.EMPTY, store, new Map(), new Map());
  }

  standsAtKept({ base, store, pages, chunks }: KeptMoment): void {
    this.settle(base, store, pages, chunks);
  }

  private settle(base: PageTable, store: CheckpointStore | null, pages: Pages, chunks: ReadonlyMap<string, Chunks>): void {
    this.base = base;
    this.store = store;
    this.pages = pages;
    this.chunks = new Map(chunks);
    this.unknown = false;
    for (const { clusters } of Object.values(this.machine.overlays)) clusters.changed.clear();
    watchWrites(this.machine.cpu);
  }

  /** Pages that may not be what a stored checkpoint has. */
  differingFrom(checkpoint: StoredCheckpoint): Iterable<number> {
    return this.differing(checkpoint.tables[MEMORY_SPACE] ?? PageTable.EMPTY, new Map());
  }

  /** Pages that may not be what a moment has: it has `over` over `base`. */
  private differing(base: PageTable, over: Pages): Iterable<number> {
    const { dirtyPage } = this.machine.memory;
    if (this.unknown) return everyPage(dirtyPage.length);
    const found = new Set<number>(markedPages(dirtyPage));
    this.base.differences(base, (page) => found.add(page));
    for (const [page, bytes] of this.pages) if (over.get(page) !== bytes || !over.has(page)) found.add(page);
    for (const [page, bytes] of over) if (this.pages.get(page) !== bytes || !this.pages.has(page)) found.add(page);
    return found;
  }
}

function* everyPage(count: number): Iterable<number> {
  for (let page = 0; page < count; page++) yield page;
}

function* withBytes(pages: Iterable<number>, bytes: (page: number) => Uint8Array | null): Iterable<readonly [number, Uint8Array | null]> {
  for (const page of pages) yield [page, bytes(page)];
}

function fromStore(store: CheckpointStore | null, id: number): Uint8Array | null {
  if (id === 0) return null;
  if (store === null) throw new UserError('store-corrupt', `content ${id} of no store`);
  return store.content(id);
}

const ZEROS = new Uint8Array(PAGE_SIZE);

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZEROS) === 0;
}
