/** A function in the context of those that called it. */
export class CallNode {
  /** Index of the function; of the root: -1. */
  readonly fn: number;
  readonly parent: CallNode | null;
  /** Index of its own instructions in CallTree.self. */
  readonly index: number;
  private children: Map<number, CallNode> | null = null;
  private recent: CallNode | null = null;

  constructor(fn: number, parent: CallNode | null, index: number) {
    this.fn = fn;
    this.parent = parent;
    this.index = index;
  }

  /** The node of `fn` called from here; null: there is none yet. */
  find(fn: number): CallNode | null {
    const { recent } = this;
    if (recent !== null && recent.fn === fn) return recent;
    const child = this.children?.get(fn) ?? null;
    if (child !== null) this.recent = child;
    return child;
  }

  add(child: CallNode): void {
    this.children ??= new Map();
    this.children.set(child.fn, child);
    this.recent = child;
  }
}

/** All distinct stacks of calls, as a tree, with the instructions executed in each. Its size is bounded. */
export class CallTree {
  readonly nodes: CallNode[] = [];
  /** Instructions executed in a node itself. */
  self = new Float64Array(1024);
  readonly root: CallNode;
  /** Calls that went to `overflow` because the tree was full. */
  cut = 0;
  private readonly limit: number;
  private readonly overflowFn: number;
  private overflow: CallNode | null = null;

  /** @param overflowFn stands in for the callers of functions whose node finds no room any more. */
  constructor(limit: number, overflowFn: number) {
    this.limit = limit;
    this.overflowFn = overflowFn;
    this.root = this.make(-1, null);
  }

  /** The node of `fn` called from `parent`. */
  child(parent: CallNode, fn: number): CallNode {
    const known = parent.find(fn);
    if (known !== null) return known;
    if (this.nodes.length < this.limit) return this.make(fn, parent);
    this.cut++;
    this.overflow ??= this.make(this.overflowFn, this.root);
    return this.overflow.find(fn) ?? this.make(fn, this.overflow);
  }

  /** The node of `fn` in the place of `node`: it jumped there. */
  sibling(node: CallNode, fn: number): CallNode {
    return this.child(node.parent ?? this.root, fn);
  }

  private make(fn: number, parent: CallNode | null): CallNode {
    const node = new CallNode(fn, parent, this.nodes.length);
    this.nodes.push(node);
    parent?.add(node);
    if (node.index === this.self.length) {
      const grown = new Float64Array(2 * node.index);
      grown.set(this.self);
      this.self = grown;
    }
    return node;
  }
}
