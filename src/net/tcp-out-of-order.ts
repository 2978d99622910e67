interface Piece {
  at: number;
  bytes: Uint8Array;
}

/** What has come of a stream behind a gap. Positions count from the next byte that is missing. */
export class OutOfOrder {
  private pieces: Piece[] = [];
  private finAt: number | null = null;
  private held = 0;
  private readonly most: number;

  /** @param most bytes that are kept; in pieces of a hundred bytes on average, or fewer */
  constructor(most: number) {
    this.most = most;
  }

  /** A segment, of which only what is in the window (`room` bytes) counts; what is before position 0 was there already. */
  add(at: number, payload: Uint8Array, fin: boolean, room: number): void {
    const from = Math.max(0, -at);
    const inside = payload.subarray(from, Math.max(from, Math.min(payload.length, room - at)));
    const start = at + from;
    const whole = from + inside.length === payload.length;
    if (fin && whole && at + payload.length >= 0) this.finAt ??= at + payload.length;
    const known = this.pieces.some((p) => p.at <= start && start + inside.length <= p.at + p.bytes.length);
    if (inside.length === 0 || known) return;
    // What closes the gap is always taken.
    if (start > 0 && (this.held + inside.length > this.most || this.pieces.length * 100 > this.most)) return;
    this.held += inside.length;
    const index = this.pieces.findIndex((p) => p.at > start);
    this.pieces.splice(index < 0 ? this.pieces.length : index, 0, { at: start, bytes: inside.slice() });
  }

  /** The bytes that are complete, and whether the stream ends behind them. What stays counts from there. */
  take(): { readonly bytes: Uint8Array; readonly fin: boolean } {
    const found: Uint8Array[] = [];
    let end = 0;
    while (this.pieces.length > 0 && this.pieces[0]!.at <= end) {
      const { at, bytes } = this.pieces.shift()!;
      this.held -= bytes.length;
      const fresh = bytes.subarray(Math.min(bytes.length, end - at));
      found.push(fresh);
      end += fresh.length;
    }
    for (const piece of this.pieces) piece.at -= end;
    const fin = this.finAt === end;
    if (this.finAt !== null) this.finAt -= end;
    return { bytes: found.length === 1 ? found[0]! : Buffer.concat(found), fin };
  }

  clear(): void {
    this.pieces = [];
    this.finAt = null;
    this.held = 0;
  }
}
