import type { Block } from './block.js';

/** Blocks of one backing page. */
export interface CodePage {
  /** By offset and mode. */
  readonly starts: Map<number, Block>;
  /** All with a byte in this page. */
  blocks: Block[];
  /** One bit per byte of code. */
  readonly covered: Uint8Array;
  /** Stores that hit code here. */
  rewrites: number;
  /** Blocks with a translation that were overwritten. */
  lost: number;
}

/** Notes bytes of the page, by their offsets (`to` exclusive), as code. */
export function cover(page: CodePage, from: number, to: number): void {
  for (let k = from; k < to; ) {
    if ((k & 7) === 0 && to - k >= 8) {
      page.covered[k >> 3] = 0xff;
      k += 8;
    } else {
      page.covered[k >> 3] |= 1 << (k & 7);
      k++;
    }
  }
}

/** Whether one of the bytes is code. */
export function isCovered(page: CodePage, from: number, to: number): boolean {
  for (let k = from; k < to; k++) if ((page.covered[k >> 3] & (1 << (k & 7))) !== 0) return true;
  return false;
}

/** Takes a block out of those that start at `k`. */
export function removeStart(starts: Map<number, Block>, k: number, block: Block): void {
  let at = starts.get(k);
  if (at === block) {
    if (block.next === null) starts.delete(k);
    else starts.set(k, block.next);
    return;
  }
  while (at !== undefined && at !== null) {
    if (at.next === block) {
      at.next = block.next;
      return;
    }
    at = at.next ?? undefined;
  }
}
