import type { Profiler } from '../../jit/x86/profile/profiler.js';
import { COUNTS_PER_BLOCK } from '../../jit/x86/profile/profiler.js';

/** Which TBs came behind which, and how often, in arrays. Calls are left out: behind a call comes what it returned to. */
export interface BlockGraph {
  readonly size: number;
  /** Instructions and executions by TB. */
  readonly instructions: Float64Array;
  readonly executions: Float64Array;
  /** Edges of TB k: `first[k]` up to `first[k + 1]`. */
  readonly first: Int32Array;
  readonly to: Int32Array;
  readonly times: Float64Array;
}

export function blockGraph({ blocks, counts }: Profiler): BlockGraph {
  const size = blocks.length;
  const first = new Int32Array(size + 1);
  const instructions = new Float64Array(size);
  const executions = new Float64Array(size);
  const to: number[] = [];
  const times: number[] = [];
  blocks.forEach((b, k) => {
    instructions[k] = counts[b.at]!;
    executions[k] = counts[b.at + 1]!;
    const edges: [{ readonly at: number } | null, number][] = [
      [b.next, counts[b.at + 2]!],
      [b.nextBefore, counts[b.at + 3]!],
      ...(b.others ?? []),
    ];
    for (const [next, n] of edges)
      if (next !== null && next.at !== 0) {
        to.push(next.at / COUNTS_PER_BLOCK - 1);
        times.push(n);
      }
    first[k + 1] = to.length;
  });
  return { size, instructions, executions, first, to: Int32Array.from(to), times: Float64Array.from(times) };
}
