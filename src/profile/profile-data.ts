/** A function of the guest. Instruction counts are exact. */
export interface ProfiledFunctionLine {
  /** Printable; by its symbol, else by its address. */
  readonly name: string;
  /** Linear address of its start; of a `program`, page of CR3. */
  readonly address: number;
  readonly kind: 'function' | 'inside' | 'program' | 'cut';
  /** In ring 3. */
  readonly user: boolean;
  readonly calls: number;
  /** Instructions executed in it, and in it and all it called. */
  readonly self: number;
  readonly total: number;
}

/** Distinct stacks of calls, as a tree in arrays: a node stands behind its caller. */
export interface StackTree {
  /** Index of the caller's node; -1: of the root, which stands first. */
  readonly parent: Int32Array;
  /** Index of the function in ProfileData.functions; -1: of the root. */
  readonly fn: Int32Array;
  /** Instructions executed in the function itself under this stack. */
  readonly self: Float64Array;
}

/** A TB. */
export interface HotBlock {
  /** Linear address. */
  readonly address: number;
  /** Function and offset in it. */
  readonly where: string;
  /** 32 or 16: size of its code. */
  readonly bits: number;
  readonly bytes: Uint8Array;
  readonly executions: number;
  readonly instructions: number;
}

/** TBs that lead back to the first of them. */
export interface HotLoop {
  /** Linear address of the TB that it is entered and repeated at. */
  readonly address: number;
  readonly where: string;
  /** How often it was entered from elsewhere, and how often it went around. */
  readonly entered: number;
  readonly iterations: number;
  /** Instructions executed in its TBs, without what they call. */
  readonly instructions: number;
  /** Addresses of its TBs, in order. */
  readonly blocks: readonly number[];
  /** Loops around it. */
  readonly depth: number;
}

/** An exact profile of a replay. */
export interface ProfileData {
  /** All instructions: the sum of every stack's, and of every block's. */
  readonly instructions: number;
  readonly functions: readonly ProfiledFunctionLine[];
  readonly stacks: StackTree;
  readonly blocks: readonly HotBlock[];
  readonly loops: readonly HotLoop[];
  /** TBs that were executed. */
  readonly blockCount: number;
  /** Whether the kernel of the symbols was found in memory, and how many bytes higher than they say; null: there are none. */
  readonly symbols: { readonly located: boolean; readonly moved: number } | null;
  /** Calls and TBs that were counted together, because there were too many to tell apart. */
  readonly cut: { readonly stacks: number; readonly blocks: number };
}
