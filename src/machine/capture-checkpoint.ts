import { watchWrites } from '../../jit/x86/mmu.js';
import type { Space } from '../../replay/checkpoints/format.js';
import { OWED, PAGE_SIZE } from '../memory/physical.js';
import type { PcMachine } from './pc.js';

/** The space of guest memory in a store. */
export const MEMORY_SPACE = 'memory';
/** A disk's chunk counts as so many pages. */
const CHUNK_PAGES = 16;

/** What a store of this machine's checkpoints keeps page by page: memory, and what the guest wrote on each disk. */
export function checkpointSpaces(machine: PcMachine): Record<string, Space> {
  const spaces: Record<string, Space> = { [MEMORY_SPACE]: { unitBytes: PAGE_SIZE, count: machine.memory.dirtyPage.length } };
  for (const [name, { clusters }] of Object.entries(machine.overlays))
    spaces[name] = { unitBytes: clusters.chunkBytes, count: clusters.chunkCount };
  return spaces;
}

/** Takes a unit (page or chunk) of a space as it was at the checkpoint; the bytes are the machine's and must be copied at once. */
export type TakeUnit = (space: string, number: number, bytes: Uint8Array) => void;

/**
 * What a checkpoint still has to copy of a machine that already runs on. A unit is copied when its turn comes or, if that is earlier, when it is about to be written: what is copied is what
 * was there when the checkpoint was made.
 */
export class OwedCopies {
  private readonly machine: PcMachine;
  private readonly take: TakeUnit;
  private pages: Uint32Array = new Uint32Array(0);
  private next = 0;
  private first = true;

  constructor(machine: PcMachine, take: TakeUnit) {
    this.machine = machine;
    this.take = take;
    machine.memory.onOwedWrite = (page) => this.copyPage(page);
    for (const [name, { clusters }] of Object.entries(machine.overlays)) clusters.onOwedWrite = (number) => this.copyChunk(name, number);
  }

  /** A checkpoint is made: owed is what was written since the one before, or since the machine is there. Only between slices, with nothing owed. */
  begin(): void {
    const { memory, overlays, cpu } = this.machine;
    this.pages = markedPages(memory.dirtyPage);
    this.next = 0;
    watchWrites(cpu);
    for (const page of this.pages) memory.dirtyPage[page] = OWED;
    for (const { clusters } of Object.values(overlays)) {
      for (const number of this.first ? clusters.numbers() : clusters.changed) clusters.owed.add(number);
      clusters.changed.clear();
    }
    this.first = false;
  }

  get isEmpty(): boolean {
    return this.next === this.pages.length && Object.values(this.machine.overlays).every(({ clusters }) => clusters.owed.size === 0);
  }

  /** Copies about so many pages' worth. */
  copySome(pageCount: number): void {
    const { memory, overlays } = this.machine;
    let left = pageCount;
    for (; left > 0 && this.next < this.pages.length; this.next++) {
      const page = this.pages[this.next]!;
      if (memory.dirtyPage[page] !== OWED) continue;
      this.copyPage(page);
      memory.dirtyPage[page] = 0;
      left--;
    }
    for (const [name, { clusters }] of Object.entries(overlays))
      for (const number of clusters.owed) {
        if (left <= 0) return;
        this.copyChunk(name, number);
        left -= CHUNK_PAGES;
      }
  }

  private copyPage(page: number): void {
    this.take(MEMORY_SPACE, page, this.machine.memory.u8.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
  }

  private copyChunk(name: string, number: number): void {
    const { clusters } = this.machine.overlays[name]!;
    clusters.owed.delete(number);
    this.take(name, number, clusters.get(number)!);
  }
}

/** Numbers of the pages that are marked with 1. */
export function markedPages(marks: Uint8Array): Uint32Array {
  const bytes = Buffer.from(marks.buffer, marks.byteOffset, marks.length);
  const found: number[] = [];
  for (let page = bytes.indexOf(1); page >= 0; page = bytes.indexOf(1, page + 1)) found.push(page);
  return Uint32Array.from(found);
}
