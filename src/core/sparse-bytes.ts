import { InvariantError } from './errors.js';

/** A large space of bytes of which only some equally long chunks are there, such as what a guest wrote on a disk. Schema kind `sparse`. */
export class SparseBytes {
  readonly chunkBytes: number;
  /** Chunks of the whole space. */
  readonly chunkCount: number;
  /** Chunks that were put in place or written to since whoever keeps checkpoints emptied this. */
  readonly changed = new Set<number>();
  /** Chunks that a checkpoint still has to copy. */
  readonly owed = new Set<number>();
  /** A chunk that is owed is about to be written: the last time to copy what it is. */
  onOwedWrite: ((number: number) => void) | null = null;
  private readonly chunks = new Map<number, Uint8Array>();

  constructor(chunkBytes: number, chunkCount: number) {
    this.chunkBytes = chunkBytes;
    this.chunkCount = chunkCount;
  }

  /** Chunks that are there. */
  get size(): number {
    return this.chunks.size;
  }

  /** Their numbers, ascending. */
  numbers(): number[] {
    return [...this.chunks.keys()].sort((a, b) => a - b);
  }

  get(number: number): Uint8Array | undefined {
    return this.chunks.get(number);
  }

  /** Puts a chunk into its place; the array is kept, not copied. */
  set(number: number, chunk: Uint8Array): void {
    if (number >= this.chunkCount || chunk.length !== this.chunkBytes)
      throw new InvariantError(`chunk ${number} of ${chunk.length} bytes, of ${this.chunkCount} of ${this.chunkBytes}`);
    this.markWritten(number);
    this.chunks.set(number, chunk);
  }

  /** A chunk is about to be written. */
  markWritten(number: number): void {
    if (this.owed.has(number)) this.onOwedWrite?.(number);
    this.changed.add(number);
  }

  clear(): void {
    this.chunks.clear();
  }
}
