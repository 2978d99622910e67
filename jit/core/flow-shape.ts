/** Successors of each node, in any order, a successor as often as it is jumped to. Node 0 is the entry; every node can be reached from it. */
export type FlowGraph = readonly (readonly number[])[];

/**
 * How a jump between two nodes is written when the graph becomes structured code:
 * - inline: the target has no other way in, its code stands here;
 * - break: the target's code stands behind a labelled block that this jump leaves;
 * - continue: back to the head of a loop around it;
 * - leave: into the middle of a loop (an irreducible graph): such jumps leave the code altogether.
 */
export type JumpKind = 'inline' | 'break' | 'continue' | 'leave';

/**
 * A control flow graph seen as loops and labelled blocks, after N. Ramsey, "Beyond Relooper" (ICFP 2022): the dominator tree says which code nests in
 * which, and reverse postorder says what follows what.
 */
export class FlowShape {
  private readonly graph: FlowGraph;
  /** Position of each node in reverse postorder. */
  private readonly order: readonly number[];
  private readonly nodesInOrder: readonly number[];
  private readonly cut = new Set<number>();
  private dominator: number[];
  private readonly heads: boolean[];
  private readonly ways: number[];
  private readonly mergesBelow: number[][];

  constructor(graph: FlowGraph) {
    this.graph = graph;
    this.nodesInOrder = reversePostorder(graph);
    const order = new Array<number>(graph.length).fill(0);
    this.nodesInOrder.forEach((node, at) => {
      order[node] = at;
    });
    this.order = order;
    this.dominator = this.dominators();
    while (this.cutJumpsIntoLoops()) this.dominator = this.dominators();
    this.heads = graph.map(() => false);
    this.ways = graph.map(() => 0);
    this.eachJump((from, to) => {
      if (this.isBack(from, to)) this.heads[to] = true;
      else this.ways[to]!++;
    });
    this.mergesBelow = graph.map(() => []);
    for (const node of this.nodesInOrder.toReversed()) if (this.ways[node]! > 1) this.mergesBelow[this.dominator[node]!]!.push(node);
  }

  /** Some jump goes back to it. */
  isLoop(node: number): boolean {
    return this.heads[node]!;
  }

  /** Nodes with several ways in whose code follows this node's, the last one first. */
  merges(node: number): readonly number[] {
    return this.mergesBelow[node]!;
  }

  kind(from: number, to: number): JumpKind {
    if (this.cut.has(this.edge(from, to))) return 'leave';
    if (this.isBack(from, to)) return 'continue';
    return this.ways[to]! > 1 ? 'break' : 'inline';
  }

  private edge(from: number, to: number): number {
    return from * this.graph.length + to;
  }

  private isBack(from: number, to: number): boolean {
    return this.order[to]! <= this.order[from]!;
  }

  private eachJump(visit: (from: number, to: number) => void): void {
    this.graph.forEach((targets, from) => {
      for (const to of targets) if (!this.cut.has(this.edge(from, to))) visit(from, to);
    });
  }

  private cutJumpsIntoLoops(): boolean {
    const before = this.cut.size;
    this.eachJump((from, to) => {
      if (this.isBack(from, to) && !this.dominates(to, from)) this.cut.add(this.edge(from, to));
    });
    return this.cut.size > before;
  }

  private dominates(above: number, node: number): boolean {
    let at = node;
    while (at !== above && at !== 0) at = this.dominator[at]!;
    return at === above;
  }

  /** Immediate dominators, by the method of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001). */
  private dominators(): number[] {
    const into: number[][] = this.graph.map(() => []);
    this.eachJump((from, to) => into[to]!.push(from));
    const result = new Array<number>(this.graph.length).fill(-1);
    result[0] = 0;
    for (let changed = true; changed; ) {
      changed = false;
      for (const node of this.nodesInOrder) {
        if (node === 0) continue;
        const known = into[node]!.filter((p) => result[p] !== -1);
        const nearest = known.reduce((a, b) => this.common(result, a, b));
        if (nearest === result[node]) continue;
        result[node] = nearest;
        changed = true;
      }
    }
    return result;
  }

  private common(dominator: readonly number[], first: number, second: number): number {
    let [a, b] = [first, second];
    while (a !== b) {
      while (this.order[a]! > this.order[b]!) a = dominator[a]!;
      while (this.order[b]! > this.order[a]!) b = dominator[b]!;
    }
    return a;
  }
}

function reversePostorder(graph: FlowGraph): number[] {
  const seen = new Set<number>();
  const postorder: number[] = [];
  const visit = (node: number): void => {
    seen.add(node);
    for (const to of graph[node]!) if (!seen.has(to)) visit(to);
    postorder.push(node);
  };
  visit(0);
  return postorder.reverse();
}
