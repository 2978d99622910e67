// Oracle: independent walk of the same graph

import { generate } from 'astring';
import type { Statement } from 'estree';
import { describe, expect, it } from 'vitest';
import { block } from '../../jit/core/estree.js';
import { type FlowGraph, FlowShape } from '../../jit/core/flow-shape.js';
import { Structured } from '../../jit/core/structured.js';
import { js } from '../../jit/core/template.js';
import { Random } from './random-code.js';

const SEED = Number(process.env.SEED ?? 20261121);
const GRAPHS = 400;
const STEPS = 60;

/** Nodes with none, one or two ways on, all reachable from node 0. */
function randomGraph(random: Random): number[][] {
  const size = 1 + random.below(14);
  const graph = Array.from({ length: size }, () => Array.from({ length: random.below(3) }, () => random.below(size)));
  for (let node = 1; node < size; node++) {
    const from = random.below(node);
    if (graph[from]!.length < 2) graph[from]!.push(node);
    else graph[from]![random.below(2)] = node;
  }
  const reached = [0];
  for (const node of reached) for (const to of graph[node]!) if (!reached.includes(to)) reached.push(to);
  return reached.map((node) => graph[node]!.map((to) => reached.indexOf(to)));
}

/** Visits nodes as the decisions say; `left` nodes at most. Where a jump leaves the code, the walk goes on there from outside, if it may. */
function walk(graph: FlowGraph, decisions: readonly number[]): number[] {
  const path: number[] = [];
  let node = 0;
  for (let step = 0; step < STEPS; step++) {
    path.push(node);
    const ways = graph[node]!;
    if (ways.length === 0) break;
    node = ways[decisions[step]! % ways.length]!;
  }
  return path;
}

/** The same by generated code. It ends early where a jump leaves it: `left` says to which node. */
function run(graph: FlowGraph, decisions: readonly number[]): { path: number[]; left: number | null } {
  const path: number[] = [];
  const structured: Structured = new Structured(graph, (node) => {
    const away = (to: number): Statement[] => structured.jump(node, to) ?? [js.stat`return ${to};`];
    const body = [js.stat`if (visit(${node})) return -1;`];
    const [first, second] = graph[node]!;
    if (first === undefined) return [...body, js.stat`return -1;`];
    if (second === undefined) return [...body, ...away(first)];
    return [...body, js.stat`if (decide()) { ${away(second)}; }`, ...away(first)];
  });
  const text = generate(block(structured.all()));
  const code = new Function('visit', 'decide', text) as (visit: (n: number) => boolean, decide: () => boolean) => number;
  const left = code(
    (node) => path.push(node) === STEPS,
    () => decisions[path.length - 1]! % 2 === 1,
  );
  return { path, left: left < 0 ? null : left };
}

describe('structured code', () => {
  it(`visits the nodes that the graph says (seed ${SEED})`, () => {
    const random = new Random(SEED);
    let irreducible = 0;
    for (let k = 0; k < GRAPHS; k++) {
      const graph = randomGraph(random);
      const decisions = Array.from({ length: STEPS }, () => random.below(2));
      const expected = walk(graph, decisions);
      const { path, left } = run(graph, decisions);
      expect(path).toEqual(expected.slice(0, path.length));
      if (left === null) expect(path.length).toBe(expected.length);
      else {
        irreducible++;
        expect(left).toBe(expected[path.length]);
      }
    }
    expect(irreducible).toBeGreaterThan(0);
    expect(irreducible).toBeLessThan(GRAPHS / 2);
  });

  it('keeps loops and joins inside', () => {
    // 0 heads a loop over an if with a join.
    const shape = new FlowShape([[1, 2], [3], [3], [0, 4], []]);
    expect(shape.isLoop(0)).toBe(true);
    expect(shape.merges(0)).toEqual([3]);
    expect([shape.kind(0, 1), shape.kind(1, 3), shape.kind(3, 0), shape.kind(3, 4)]).toEqual(['inline', 'break', 'continue', 'inline']);
  });

  it('leaves where a jump goes into the middle of a loop', () => {
    const shape = new FlowShape([[1, 2], [2], [1]]);
    const kinds = [shape.kind(1, 2), shape.kind(2, 1)];
    expect(kinds.filter((kind) => kind === 'leave')).toHaveLength(1);
  });
});
