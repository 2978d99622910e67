import type { Position, Watchpoint } from '../core/debug-target.js';

/** Where a search backwards has to go. */
export interface Found {
  /** Where the engine stopped. */
  readonly position: Position;
  /** Not null: it had just made an access; the place before that is meant. */
  readonly watchpoint: Watchpoint | null;
}

/** What is looked for. */
export interface Sought {
  /** Linear addresses. */
  readonly breakpoints: readonly number[];
  readonly watchpoints: readonly Watchpoint[];
}

/** A stretch of a recording: places with more instructions than `from`, and before `to`. */
export interface Stretch {
  /** -1: the beginning belongs to it. */
  readonly from: number;
  readonly to: Position;
}

/** How a search ended: with the last place found, with nothing found, because somebody interrupted, or because it could not be made. */
export type SearchOutcome = Found | null | 'interrupted' | 'failed';

/** Looks at several stretches at a time. */
export interface Searcher {
  /** @param stretches ascending; between them they leave nothing out. @returns the last place in all of them */
  search(stretches: readonly Stretch[], sought: Sought): SearchOutcome;
}

/** A search on its way to another thread. */
export interface SearchRequest {
  readonly stretches: readonly Stretch[];
  readonly sought: Sought;
  /** Int32: stretches before this one need not be looked at any more; SEARCH_OVER: none. */
  readonly useful: SharedArrayBuffer;
}

export const SEARCH_OVER = 0x7fffffff;
