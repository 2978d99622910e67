import { targetsOf } from './targets.js';
import type { TbSource } from './translate.js';

/** From a TB of a region to another one. */
export interface Way {
  /** EIP that it goes on at then. */
  readonly eip: number;
  /** Number of the node that stands there. */
  readonly to: number;
}

/** A TB in a region, with its ways to others of the region. The same TB may stand in several places: once for each call of the function that it is part of, say. */
export interface RegionNode<T extends TbSource = TbSource> {
  readonly tb: T;
  readonly ways: readonly Way[];
}

/** How large a region may become. V8's optimiser takes 0.2 ms for each instruction, and more than twice the time for twice the code. */
export interface RegionSize {
  readonly nodes: number;
  readonly insns: number;
  /** Share of the region's entries, estimated, that a TB in it must be good for: V8 gives up the whole function when something in it happens for the first time. */
  readonly weight: number;
  /** May hold TBs that have a translation of their own. */
  readonly shared: boolean;
}

/** For blocks that are met for the first time. */
export const ALONE: RegionSize = { nodes: 1, insns: 0, weight: 1, shared: false };
/** For blocks that have become hot. */
export const SMALL: RegionSize = { nodes: 14, insns: 75, weight: 0.12, shared: false };
/** For regions that are entered very often. */
export const LARGE: RegionSize = { nodes: 20, insns: 100, weight: 0.06, shared: true };

/** The region of one TB, which may be a loop. */
export function alone<T extends TbSource>(tb: T): RegionNode<T>[] {
  const itself = targetsOf(tb).includes(tb.eip | 0);
  return [{ tb, ways: itself ? [{ eip: tb.eip | 0, to: 0 }] : [] }];
}
