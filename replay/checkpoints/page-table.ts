const LEAF_SHIFT = 6;
const LEAF = 1 << LEAF_SHIFT;

/** Which content each page of a space has at one checkpoint. Never changed; tables share what they have in common. Content 0: nothing (zeros). */
export class PageTable {
  static readonly EMPTY = new PageTable([]);
  private readonly leaves: readonly (Uint32Array | undefined)[];

  private constructor(leaves: readonly (Uint32Array | undefined)[]) {
    this.leaves = leaves;
  }

  get(page: number): number {
    return this.leaves[page >>> LEAF_SHIFT]?.[page & (LEAF - 1)] ?? 0;
  }

  /** A table that differs in these pairs of page and content. */
  with(pairs: Uint32Array): PageTable {
    const leaves = this.leaves.slice();
    const mine = new Set<number>();
    for (let k = 0; k + 1 < pairs.length; k += 2) {
      const page = pairs[k]!;
      const number = page >>> LEAF_SHIFT;
      let leaf = leaves[number];
      if (!mine.has(number)) {
        leaf = leaf === undefined ? new Uint32Array(LEAF) : leaf.slice();
        leaves[number] = leaf;
        mine.add(number);
      }
      leaf![page & (LEAF - 1)] = pairs[k + 1]!;
    }
    return new PageTable(leaves);
  }

  /** Calls back for each page whose content differs: its number, the content here and in `other`. */
  differences(other: PageTable, found: (page: number, here: number, there: number) => void): void {
    const most = Math.max(this.leaves.length, other.leaves.length);
    for (let number = 0; number < most; number++) {
      const a = this.leaves[number];
      const b = other.leaves[number];
      if (a === b) continue;
      for (let k = 0; k < LEAF; k++) {
        const here = a?.[k] ?? 0;
        const there = b?.[k] ?? 0;
        if (here !== there) found((number << LEAF_SHIFT) | k, here, there);
      }
    }
  }

  /** All pages with a content, as pairs of page and content, in order. */
  pairs(): Uint32Array {
    const found: number[] = [];
    this.differences(PageTable.EMPTY, (page, content) => found.push(page, content));
    return Uint32Array.from(found);
  }
}
