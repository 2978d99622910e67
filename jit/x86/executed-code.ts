/** An entry is a linear address times this, plus a length in bytes. */
export const CODE_RANGE = 1 << 13;
const FIRST_ROOM = 1 << 12;
/** More stretches of code that do not touch each other are not collected: `all` is null then. */
const MOST = 1 << 19;

/** Which code was executed: stretches of linear addresses, in no order, perhaps several times, and more of them than necessary, but none left out. */
export class ExecutedCode {
  private entries = new Float64Array(FIRST_ROOM);
  private count = 0;
  private tooMany = false;

  /** @param lengthBytes below CODE_RANGE */
  add(laddr: number, lengthBytes: number): void {
    if (this.count === this.entries.length) this.makeRoom();
    this.entries[this.count++] = (laddr >>> 0) * CODE_RANGE + lengthBytes;
  }

  /** A copy of what was collected; null: it was too much. */
  get all(): Float64Array | null {
    return this.tooMany ? null : this.entries.slice(0, this.count);
  }

  clear(): void {
    this.count = 0;
    this.tooMany = false;
  }

  private makeRoom(): void {
    const { entries } = this;
    this.count = distinct(entries);
    if (this.count > MOST) {
      this.tooMany = true;
      this.count = 0;
    }
    if (this.count <= entries.length / 2) return;
    this.entries = new Float64Array(2 * entries.length);
    this.entries.set(entries);
  }
}

/** Sorts, and leaves each entry there once, at the beginning; returns how many there are. */
function distinct(entries: Float64Array): number {
  entries.sort();
  let count = 0;
  for (const entry of entries) if (count === 0 || entries[count - 1] !== entry) entries[count++] = entry;
  return count;
}
