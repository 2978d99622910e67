/** Bytes in the order in which they came. */
export class ByteQueue {
  private readonly pieces: Uint8Array[] = [];
  length = 0;

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.pieces.push(bytes);
    this.length += bytes.length;
  }

  /** A copy of at most `length` bytes from `from` on. */
  peek(from: number, length: number): Uint8Array {
    const result = new Uint8Array(Math.max(0, Math.min(length, this.length - from)));
    let start = 0;
    let at = 0;
    for (const piece of this.pieces) {
      if (at === result.length) break;
      const skip = Math.max(0, from + at - start);
      const part = piece.subarray(skip, skip + result.length - at);
      result.set(part, at);
      at += part.length;
      start += piece.length;
    }
    return result;
  }

  /** Takes the oldest bytes out. */
  drop(count: number): void {
    let left = count;
    while (left > 0 && this.pieces.length > 0) {
      const first = this.pieces[0]!;
      const gone = Math.min(left, first.length);
      if (gone === first.length) this.pieces.shift();
      else this.pieces[0] = first.subarray(gone);
      left -= gone;
      this.length -= gone;
    }
  }

  clear(): void {
    this.pieces.length = 0;
    this.length = 0;
  }
}
