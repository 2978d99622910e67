import type { Statement } from 'estree';
import { breakTo, continueTo, labelled, loopForever } from './estree.js';
import { type FlowGraph, FlowShape } from './flow-shape.js';

/**
 * Writes a control flow graph as structured code: loops as loops, joins as the ends of labelled blocks. No path falls out at the end of what `tree` returns, as long as
 * each node's own statements end in jumps.
 */
export class Structured {
  private readonly shape: FlowShape;
  private readonly emitNode: (node: number, from: number | null) => Statement[];

  /**
   * @param emitNode statements of one node, which call `jump` where it jumps. `from`: the only node that jumps to it, inside whose statements
   * they will stand; null: there are several, or it is the head of a loop.
   */
  constructor(graph: FlowGraph, emitNode: (node: number, from: number | null) => Statement[]) {
    this.shape = new FlowShape(graph);
    this.emitNode = emitNode;
  }

  isLoop(node: number): boolean {
    return this.shape.isLoop(node);
  }

  /** The whole graph. */
  all(): Statement[] {
    return this.tree(0, null);
  }

  /** A jump; null: it cannot be written, and must leave the code. */
  jump(from: number, to: number): Statement[] | null {
    switch (this.shape.kind(from, to)) {
      case 'leave':
        return null;
      case 'continue':
        return [continueTo(`loop${to}`)];
      case 'break':
        return [breakTo(`join${to}`)];
      default:
        return this.tree(to, from);
    }
  }

  private tree(node: number, from: number | null): Statement[] {
    const merges = this.shape.merges(node);
    if (!this.shape.isLoop(node)) return this.within(node, from, merges);
    return [loopForever(`loop${node}`, this.within(node, null, merges))];
  }

  private within(node: number, from: number | null, merges: readonly number[]): Statement[] {
    const [last, ...others] = merges;
    if (last === undefined) return this.emitNode(node, from);
    return [labelled(`join${last}`, this.within(node, from, others)), ...this.tree(last, null)];
  }
}
