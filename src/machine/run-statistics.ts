import type { BlockStatistics } from '../../jit/x86/blocks.js';
import type { Engine } from '../../jit/x86/engine.js';
import type { TierStatistics } from '../../jit/x86/tier-counters.js';

/** What a run cost, and where its instructions were executed. */
export interface RunStatistics {
  readonly instructionsPerSecond: number;
  readonly eventsPerSecond: number;
  /** Stretches of instructions between two looks at the log. */
  readonly slices: number;
  /** Host seconds spent in making JavaScript of guest code. */
  readonly translationSeconds: number;
  /** Instructions executed one by one. */
  readonly interpreter: { readonly instructions: number };
  /** Functions of one TB. */
  readonly tb: TierStatistics;
  /** Functions of several TBs. */
  readonly region: TierStatistics;
  /** How often which instruction made generated code hand over to the interpreter, the most frequent first. */
  readonly exitsByInstruction: Readonly<Record<string, number>>;
  readonly cache: BlockStatistics & {
    /** Functions that can be entered at the end, and those given up on the way. */
    readonly live: number;
    readonly dropped: number;
    /** Pieces of JavaScript compiled, each with several functions. */
    readonly scripts: number;
    /** Functions that V8 had optimised before they were entered. */
    readonly optimised: number;
  };
  /** Of all `access` exits, those that were no TLB misses. */
  readonly slowAccesses: number;
  /** Changes of what linear addresses mean: CR3 loads, INVLPG, mode switches. */
  readonly mapChanges: number;
  /** Host memory at the peak, in bytes. */
  readonly peakBytes: number;
}

const MNEMONICS = 12;

/** Gathers the statistics of a run at its end; null when nothing was counted. */
export function runStatistics(engine: Engine, events: number, seconds: number): RunStatistics | null {
  const { counters, translations, icount } = engine;
  if (counters === null) return null;
  const { tb, region } = counters;
  const made = translations?.statistics;
  return {
    instructionsPerSecond: Math.round(icount / seconds),
    eventsPerSecond: Math.round(events / seconds),
    slices: engine.slices,
    translationSeconds: (made?.milliseconds ?? 0) / 1000,
    interpreter: { instructions: icount - tb.instructions - region.instructions },
    tb,
    region,
    exitsByInstruction: Object.fromEntries(Object.entries(counters.exitsByInstruction).slice(0, MNEMONICS)),
    cache: {
      ...engine.blocks.statistics(),
      live: translations?.size ?? 0,
      dropped: made?.dropped ?? 0,
      scripts: made?.scripts ?? 0,
      optimised: made?.optimised ?? 0,
    },
    slowAccesses: made?.bailedOut ?? 0,
    mapChanges: engine.cpu.mapChanges,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}
