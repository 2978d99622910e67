/** Children that are looked for one by one: most nodes have few. */
const FEW = 8;

/** A function in the context of those that called it. */
export class CallNode {
  /** Index of the function; of the root: -1. */
  readonly fn: number;
  readonly parent: CallNode | null;
  /** Index of its own instructions in CallTree.self. */
  readonly index: number;
  /** The child found last. */
  private recent: CallNode | null = null;
  private first: CallNode | null = null;
  private next: CallNode | null = null;
  private count = 0;
  /** All children by function, when they are not few. */
  private many: Map<number, CallNode> | null = null;

  constructor(fn: number, parent: CallNode | null, index: number) {
    this.fn = fn;
    this.parent = parent;
    this.index = index;
  }

  /** The node of `fn` called from here; null: there is none yet. */
  find(fn: number): CallNode | null {
    const { recent } = this;
    if (recent !== null && recent.fn === fn) return recent;
    const child = this.many === null ? this.among(fn) : (this.many.get(fn) ?? null);
    if (child !== null) this.recent = child;
    return child;
  }

  private among(fn: number): CallNode | null {
    let child = this.first;
    while (child !== null && child.fn !== fn) child = child.next;
    return child;
  }

  add(child: CallNode): void {
    child.next = this.first;
    this.first = child;
    this.recent = child;
    this.count++;
    if (this.many !== null) this.many.set(child.fn, child);
    else if (this.count > FEW) {
      this.many = new Map();
      for (let c: CallNode | null = child; c !== null; c = c.next) this.many.set(c.fn, c);
    }
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
