import type { BlockGraph } from './block-graph.js';

const UNSEEN = -1;

/**
 * Strongly connected components among some nodes of a graph that hold an edge (R. Tarjan, Depth-first search and linear graph algorithms, SIAM J. Comput. 1, 1972; without
 * recursion).
 * @param members the nodes, marked with `mark` in `marks`.
 * @returns node lists.
 */
export function components(graph: BlockGraph, members: readonly number[], marks: Int32Array, mark: number, scratch: Scratch): number[][] {
  const { first, to } = graph;
  const { order, low, at, onStack } = scratch;
  const found: number[][] = [];
  const stack: number[] = [];
  const path: number[] = [];
  let counter = 0;
  for (const k of members) order[k] = UNSEEN;
  const enter = (k: number): void => {
    order[k] = low[k] = counter++;
    at[k] = first[k]!;
    onStack[k] = 1;
    stack.push(k);
    path.push(k);
  };
  for (const root of members) {
    if (order[root] !== UNSEEN) continue;
    enter(root);
    while (path.length > 0) {
      const k = path[path.length - 1]!;
      if (at[k]! < first[k + 1]!) {
        const next = to[at[k]!++]!;
        if (marks[next] !== mark) continue;
        if (order[next] === UNSEEN) enter(next);
        else if (onStack[next] === 1) low[k] = Math.min(low[k]!, order[next]!);
        continue;
      }
      path.pop();
      const above = path[path.length - 1];
      if (above !== undefined) low[above] = Math.min(low[above]!, low[k]!);
      if (low[k] === order[k]) leaveComponent(k, stack, onStack, graph, found);
    }
  }
  return found;
}

/** Takes a component off the stack; keeps it when it is a loop. */
function leaveComponent(root: number, stack: number[], onStack: Uint8Array, { first, to }: BlockGraph, found: number[][]): void {
  const component: number[] = [];
  let k: number;
  do {
    k = stack.pop()!;
    onStack[k] = 0;
    component.push(k);
  } while (k !== root);
  const loops = component.length > 1 || to.subarray(first[root]!, first[root + 1]!).includes(root);
  if (loops) found.push(component);
}

/** Working memory of `components`, one number per node. */
export class Scratch {
  readonly order: Int32Array;
  readonly low: Int32Array;
  readonly at: Int32Array;
  readonly onStack: Uint8Array;

  constructor(size: number) {
    this.order = new Int32Array(size);
    this.low = new Int32Array(size);
    this.at = new Int32Array(size);
    this.onStack = new Uint8Array(size);
  }
}
