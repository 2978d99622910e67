import type { StackTree } from './profile-data.js';

/** Instructions by node: its own and those of all under it. */
export function inclusive({ parent, self }: StackTree): Float64Array {
  const total = self.slice();
  for (let k = total.length - 1; k > 0; k--) total[parent[k]!]! += total[k]!;
  return total;
}

/** Children of each node: `first[k]`, then along `next`; -1: no more. In the order of their indices. */
export function childLists({ parent }: StackTree): { readonly first: Int32Array; readonly next: Int32Array } {
  const first = new Int32Array(parent.length).fill(-1);
  const next = new Int32Array(parent.length).fill(-1);
  for (let k = parent.length - 1; k > 0; k--) {
    next[k] = first[parent[k]!]!;
    first[parent[k]!] = k;
  }
  return { first, next };
}

/** Instructions by function: its own, and with what it called. A function that calls itself counts once. */
export function functionTotals(stacks: StackTree, functions: number): { self: Float64Array; total: Float64Array } {
  const self = new Float64Array(functions);
  const total = new Float64Array(functions);
  const sums = inclusive(stacks);
  const { fn, parent } = stacks;
  const { first, next } = childLists(stacks);
  const active = new Int32Array(functions);
  let k = first[0]!;
  for (let k = 1; k < fn.length; k++) self[fn[k]!]! += stacks.self[k]!;
  while (k > 0) {
    const f = fn[k]!;
    if (active[f]!++ === 0) total[f]! += sums[k]!;
    if (first[k]! > 0) {
      k = first[k]!;
      continue;
    }
    while (k > 0) {
      active[fn[k]!]!--;
      if (next[k]! > 0) {
        k = next[k]!;
        break;
      }
      k = parent[k]!;
    }
  }
  return { self, total };
}
