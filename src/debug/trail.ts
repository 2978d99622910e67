import { performance } from 'node:perf_hooks';
import { mayTouch, reachBack, type Targets } from '../../replay/checkpoints/footprint.js';
import type { KeptMoment } from '../machine/moment-memory.js';
import { spreadOut } from '../machine/spread-out.js';
import type { Timeline } from '../machine/timeline.js';

const PAGE_BYTES = 4096;

/** How a trail is kept. */
export interface TrailLimits {
  /** Distances before a place that is gone to at which a moment is kept, in instructions, descending. */
  readonly rungs: readonly number[];
  /** A machine that runs keeps a moment so often, in milliseconds, but none closer to another than so many instructions. */
  readonly everyMs: number;
  readonly everyInstructions: number;
  /** Moments at most. */
  readonly moments: number;
  /** Pages that they hold at most, in bytes. */
  readonly bytes: number;
}

/** The interpreter needs some milliseconds for the last rung. */
const USUAL: TrailLimits = {
  rungs: [64_000_000, 16_000_000, 4_000_000, 1_000_000, 250_000, 60_000],
  everyMs: 100,
  everyInstructions: 1_000_000,
  moments: 48,
  bytes: 256 << 20,
};
/** Keeping may take one part in so many of the time. */
const SHARE = 20;
/** A search looks at so many stretches at most: going to each costs as much as executing some million instructions. */
const MOST_STRETCHES = 256;

/**
 * Moments of a replay that are kept in memory behind the place where a debugger stands: at growing distances, so that wherever it goes back to, a moment is near, and
 * their number stays small.
 */
export class Trail {
  private readonly timeline: Timeline;
  private readonly limits: TrailLimits;
  /** Ascending. */
  private readonly moments: KeptMoment[] = [];
  private pinned: KeptMoment | null = null;
  private keptAtMs = performance.now();
  private pauseMs: number;

  constructor(timeline: Timeline, limits: Partial<TrailLimits> = {}) {
    this.timeline = timeline;
    this.limits = { ...USUAL, ...limits };
    this.pauseMs = this.limits.everyMs;
  }

  /** The machine is under way, between two slices: keeps a moment now and then, unless there is one near. */
  pass(): void {
    if (performance.now() - this.keptAtMs < this.pauseMs) return;
    const { icount } = this.timeline;
    const before = this.moments.findLast((m) => m.icount <= icount)?.icount ?? 0;
    if (icount - before >= this.limits.everyInstructions) this.keep();
  }

  /** Keeps this moment. */
  keep(): void {
    const { icount } = this.timeline;
    if (icount === 0 || this.moments.some((m) => m.icount === icount)) return;
    const started = performance.now();
    const kept = this.timeline.keep();
    const at = this.moments.findIndex((m) => m.icount > icount);
    this.moments.splice(at < 0 ? this.moments.length : at, 0, kept);
    this.thin(icount);
    this.keptAtMs = performance.now();
    this.pauseMs = Math.max(this.limits.everyMs, SHARE * (this.keptAtMs - started));
  }

  /** Where moments are worth keeping on the way from one instruction count to another; ascending. */
  rungs(from: number, to: number): number[] {
    return this.limits.rungs.filter((distance) => to - distance > from + distance / 2).map((distance) => to - distance);
  }

  /** The last moment before an instruction count will be gone back to: it is not forgotten before the next one is named. */
  pin(icount: number): void {
    this.pinned = this.moments.findLast((m) => m.icount < icount) ?? null;
  }

  /** Where the last moment before an instruction count lies, kept or stored; -1: there is only the beginning. */
  startBefore(icount: number): number {
    const kept = this.moments.findLast((m) => m.icount < icount)?.icount ?? 0;
    const stored = this.timeline.store?.checkpoints.findLast((c) => c.icount < icount)?.icount ?? 0;
    return Math.max(kept, stored) || -1;
  }

  /** A function that says how far back from an instruction count, itself included, nothing that is looked for can be found: up to there, that itself excluded. */
  untouched(targets: Targets): (icount: number) => number {
    const { store } = this.timeline;
    if (store === null) return (icount) => icount;
    const clear = new Map<number, boolean>();
    const isClear = (index: number): boolean => {
      let known = clear.get(index);
      if (known === undefined) {
        const footprint = store.footprint(index);
        known = footprint !== null && !mayTouch(footprint, targets);
        clear.set(index, known);
      }
      return known;
    };
    return reachBack(store.footprintSpans, isClear);
  }

  /** Stored checkpoints before an instruction count, by theirs; ascending. Where there are very many, some, about equally far apart, with the last. */
  storedBefore(icount: number): number[] {
    const all = this.timeline.store?.checkpoints.filter((c) => c.icount > 0 && c.icount < icount) ?? [];
    return [...new Set(spreadOut(all, MOST_STRETCHES).map((c) => c.icount))];
  }

  /** Forgets moments until the rest is within the limits: always the one that is missed least from where the machine stands. */
  private thin(cursor: number): void {
    const { moments, limits } = this;
    while (moments.length > limits.moments || (moments.length > 1 && this.isLarge())) {
      let least = -1;
      let smallest = Number.POSITIVE_INFINITY;
      moments.forEach((m, k) => {
        const gap = (moments[k + 1]?.icount ?? Math.max(cursor, m.icount)) - (moments[k - 1]?.icount ?? 0);
        const missed = gap / (Math.abs(cursor - m.icount) + limits.rungs.at(-1)!);
        if (missed >= smallest || m === this.pinned || m.icount === cursor) return;
        smallest = missed;
        least = k;
      });
      if (least < 0) return;
      this.timeline.forget(moments[least]!);
      moments.splice(least, 1);
    }
  }

  /** They share pages; what they hold together is only counted when it could be too much. */
  private isLarge(): boolean {
    const most = this.limits.bytes / PAGE_BYTES;
    const { moments } = this;
    if (moments.reduce((sum, m) => sum + m.pages.size, 0) <= most) return false;
    const distinct = new Set<Uint8Array>();
    for (const { pages } of moments) for (const bytes of pages.values()) if (bytes !== null) distinct.add(bytes);
    return distinct.size > most;
  }
}
