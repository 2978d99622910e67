const INITIAL_SEGMENTS = 10;

/** How much may be under way (RFC 5681, RFC 6928): slow start, congestion avoidance. */
export class CongestionControl {
  mss: number;
  private bytes: number;
  private threshold = Number.POSITIVE_INFINITY;

  constructor(mss: number) {
    this.mss = mss;
    this.bytes = INITIAL_SEGMENTS * mss;
  }

  /** In bytes. */
  get window(): number {
    return this.bytes;
  }

  acknowledged(count: number): void {
    if (this.bytes < this.threshold) this.bytes += Math.min(count, this.mss);
    else this.bytes += Math.max(1, Math.floor((this.mss * this.mss) / this.bytes));
    this.bytes = Math.min(this.bytes, 1 << 20);
  }

  /** A segment is missing behind which others arrived. */
  lost(inFlight: number): void {
    this.threshold = Math.max(Math.floor(inFlight / 2), 2 * this.mss);
    this.bytes = this.threshold;
  }

  timedOut(inFlight: number): void {
    this.lost(inFlight);
    this.bytes = this.mss;
  }
}
