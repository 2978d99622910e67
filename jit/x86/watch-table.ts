/** Numbers that a watched page can have: from 1 to this one. */
export const SLOTS = 1023;
const PAGE_SHIFT = 12;
const PAGE_BYTES = 1 << PAGE_SHIFT;
/** Where an entry of a TLB has its slot, above SLOW. */
export const SLOT_SHIFT = 1;
/** Slots, the first for pages that nobody watches, each with a part for entries that have SLOW. */
export const PARTS = (SLOTS + 1) << SLOT_SHIFT;
const READ = 1;
const WRITE = READ << 3;
const ALL = 0xff;
/** Of accesses of so many bytes that generated code makes. */
const SIZE_BITS: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 2],
  [4, 4],
]);

/** What stands in the table for an access that must be looked at; 0: generated code makes none of that size. */
export function accessBits(sizeBytes: number, access: { readonly read: boolean; readonly write: boolean }): number {
  const bit = SIZE_BITS.get(sizeBytes) ?? 0;
  return (access.read ? bit * READ : 0) | (access.write ? bit * WRITE : 0);
}

/** Where a slot's part for entries without SLOW begins. */
function startOf(slot: number): number {
  return (slot << SLOT_SHIFT) << PAGE_SHIFT;
}

/**
 * Which accesses to watched pages must be looked at: by the page's slot, the offset in the page, and size and kind of the access. Generated code looks here at every access, and need not be left
 * for the others. The low bits of a TLB's entry and the offset are the index, so there is no case to decide between: see mmu.ts for these bits. What is in a slot is up to the watcher.
 */
export class WatchTable {
  /** By slot and offset; every access must be looked at in the parts for entries with SLOW. */
  readonly bytes = new Uint8Array(PARTS * PAGE_BYTES).fill(ALL, PAGE_BYTES);

  /** All accesses to a slot's pages are looked at, or none is. */
  fill(slot: number, look: boolean): void {
    const at = startOf(slot);
    this.bytes.fill(look ? ALL : 0, at, at + PAGE_BYTES);
  }

  /** All accesses of that kind that touch one of so many bytes from an address on are looked at, in the slot's pages. One that goes over its page's end is anyway. */
  watch(slot: number, address: number, lengthBytes: number, access: { readonly read: boolean; readonly write: boolean }): void {
    for (const size of SIZE_BITS.keys()) {
      const bits = accessBits(size, access);
      for (let k = 1 - size; k < Math.min(lengthBytes, PAGE_BYTES); k++)
        this.bytes[startOf(slot) | ((address + k) & (PAGE_BYTES - 1))]! |= bits;
    }
  }

  /** One kind of access is no longer looked at: this size, this offset. */
  pass(slot: number, offset: number, bits: number): void {
    this.bytes[startOf(slot) | offset]! &= ~bits;
  }
}
