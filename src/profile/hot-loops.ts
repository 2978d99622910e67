import type { BlockGraph } from './block-graph.js';
import { components, Scratch } from './components.js';

export interface LoopFound {
  /** Indices of TBs; the header is where most entries from outside go. */
  readonly header: number;
  readonly members: readonly number[];
  readonly entered: number;
  readonly iterations: number;
  readonly instructions: number;
  readonly depth: number;
}

/** Loops in loops in loops. */
const MAX_DEPTH = 12;
/** Turns per entry below which it is no loop to speak of: most often one that an interrupt or a rare path ties together. */
const LEAST_TURNS = 0.25;

/**
 * Loops of a graph of TBs, with those inside them, the hottest first: a component of TBs that reach each other is a loop, and what is left of it without its header may hold
 * others.
 * @param least instructions below which a loop is left out.
 */
export function hotLoops(graph: BlockGraph, least: number): LoopFound[] {
  const marks = new Int32Array(graph.size);
  const scratch = new Scratch(graph.size);
  const found: LoopFound[] = [];
  let mark = 0;
  const search = (members: readonly number[], depth: number): void => {
    mark++;
    for (const k of members) marks[k] = mark;
    for (const component of components(graph, members, marks, mark, scratch)) {
      const instructions = component.reduce((sum, k) => sum + graph.instructions[k]!, 0);
      if (instructions < least) continue;
      mark++;
      for (const k of component) marks[k] = mark;
      const loop = describe(graph, component, marks, mark, instructions, depth);
      if (loop.iterations > 0 && loop.iterations >= LEAST_TURNS * loop.entered) found.push(loop);
      if (depth < MAX_DEPTH && component.length > 1)
        search(
          component.filter((k) => k !== loop.header),
          depth + 1,
        );
    }
  };
  search(
    Array.from({ length: graph.size }, (_, k) => k),
    0,
  );
  return found.sort((a, b) => b.instructions - a.instructions || a.header - b.header);
}

function describe(
  graph: BlockGraph,
  members: readonly number[],
  marks: Int32Array,
  mark: number,
  instructions: number,
  depth: number,
): LoopFound {
  const { first, to, times, executions } = graph;
  const inside = new Map<number, number>(members.map((k) => [k, 0]));
  for (const k of members)
    for (let e = first[k]!; e < first[k + 1]!; e++) if (marks[to[e]!] === mark) inside.set(to[e]!, inside.get(to[e]!)! + times[e]!);
  let header = members[0]!;
  let entered = -1;
  for (const k of members) {
    const fromOutside = Math.max(executions[k]! - inside.get(k)!, 0);
    if (fromOutside > entered || (fromOutside === entered && k < header)) [header, entered] = [k, fromOutside];
  }
  return { header, members, entered, iterations: inside.get(header)!, instructions, depth };
}
