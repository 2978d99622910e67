import type { Segment } from './segment.js';

/**
 * Which worker runs which segment: each goes through a stretch of its own in order, so that its machine mostly stands where the next segment begins;
 * who has done takes over the second half of the longest stretch left.
 */
export class Lanes {
  private readonly lanes: Segment[][];

  constructor(segments: readonly Segment[], workers: number) {
    const total = segments.reduce((sum, s) => sum + length(s), 0);
    this.lanes = Array.from({ length: workers }, () => []);
    let before = 0;
    for (const segment of segments) {
      const lane = total === 0 ? segment.number : Math.floor((before / total) * workers);
      this.lanes[Math.min(lane, workers - 1)]!.push(segment);
      before += length(segment);
    }
  }

  /** The next segment of a lane; null: all are taken. */
  next(lane: number): Segment | null {
    const mine = this.lanes[lane]!;
    if (mine.length === 0) {
      const longest = this.lanes.reduce((a, b) => (b.length > a.length ? b : a));
      mine.push(...longest.splice(Math.floor(longest.length / 2)));
    }
    return mine.shift() ?? null;
  }
}

/** In instructions; 1 when not known. */
function length({ fromIcount, toIcount }: Segment): number {
  return toIcount === null ? 1 : toIcount - fromIcount;
}
