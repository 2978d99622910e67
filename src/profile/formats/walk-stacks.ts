import type { StackTree } from '../profile-data.js';
import { childLists } from '../stack-totals.js';

/**
 * Walks through all stacks, depth first, the root left out: `enter` at a node before, `leave` behind all it called. Gives what they return, unless it is null.
 */
export function* walkStacks<T>(
  stacks: StackTree,
  enter: (node: number) => T | null,
  leave: (node: number) => T | null = () => null,
): Generator<T> {
  const { first, next } = childLists(stacks);
  let k = first[0]!;
  while (k > 0) {
    const entered = enter(k);
    if (entered !== null) yield entered;
    if (first[k]! > 0) {
      k = first[k]!;
      continue;
    }
    while (k > 0) {
      const left = leave(k);
      if (left !== null) yield left;
      if (next[k]! > 0) {
        k = next[k]!;
        break;
      }
      k = stacks.parent[k]!;
    }
  }
}
