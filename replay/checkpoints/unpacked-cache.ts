/** Something whose contents are unpacked when they are needed. */
export interface Packed {
  /** Null: not unpacked, or forgotten. */
  contents: readonly Uint8Array[] | null;
  /** When they were used last, by the cache's clock. */
  usedAt: number;
}

interface Held {
  readonly packed: Packed;
  readonly bytes: number;
}

/** Keeps what was unpacked, up to a number of bytes; what was not used for longest goes first. A seek asks it for ten thousand pages. */
export class UnpackedCache {
  private readonly capacity: number;
  private held: Held[] = [];
  private bytes = 0;
  private clock = 0;

  /** @param capacity in bytes; what is kept last is kept even if it alone has more */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Null: they must be unpacked. */
  get(packed: Packed): readonly Uint8Array[] | null {
    packed.usedAt = ++this.clock;
    return packed.contents;
  }

  /** @param bytes that they take; 0: they are part of something that is there anyway */
  keep(packed: Packed, contents: readonly Uint8Array[], bytes: number): void {
    packed.contents = contents;
    packed.usedAt = ++this.clock;
    this.held.push({ packed, bytes });
    this.bytes += bytes;
    if (this.bytes > this.capacity) this.makeRoom();
  }

  private makeRoom(): void {
    this.held.sort((a, b) => a.packed.usedAt - b.packed.usedAt);
    const enough = this.capacity - this.capacity / 8;
    let gone = 0;
    for (; this.bytes > enough && gone < this.held.length - 1; gone++) {
      const { packed, bytes } = this.held[gone]!;
      packed.contents = null;
      this.bytes -= bytes;
    }
    this.held = this.held.slice(gone);
  }
}
