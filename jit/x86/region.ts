import { PAGE_SHIFT } from '../../src/memory/physical.js';
import type { Block } from './block.js';
import type { BlockCache } from './blocks.js';
import { alone, type RegionNode, type RegionSize, type Way } from './translate/region-node.js';
import { callsOf, endsIndirect, returns, targetsOf } from './translate/targets.js';

/** Calls inside calls. */
const MAX_DEPTH = 6;
/** Executions beyond which a TB is no more likely than another one. */
const ENOUGH = 2000;

/** Where the functions called in the region return to, the innermost first. */
interface Calls {
  readonly returnEip: number;
  readonly outer: Calls | null;
  readonly depth: number;
}

interface Node {
  readonly tb: Block;
  readonly calls: Calls | null;
  readonly ways: Way[];
}

interface Candidate {
  readonly from: number;
  readonly eip: number;
  readonly calls: Calls | null;
  readonly weight: number;
}

/**
 * The TBs to be translated together with `entry`, node 0: those that are reached from it often, as far as they were executed at least `minHits` times or have a translation of their
 * own; along loops, branches, and calls with their returns, most likely ones first. A function stands in the region once for each place that it is called from.
 * What lies in another page than its predecessor is entered only while that page is mapped as it is now (see translateRegion).
 */
export function formRegion(cache: BlockCache, entry: Block, size: RegionSize, minHits: number): RegionNode<Block>[] {
  return mayJoin(entry) ? new Former(cache, entry, size, minHits).nodes : alone(entry);
}

class Former {
  readonly nodes: Node[] = [];
  private readonly cache: BlockCache;
  private readonly entry: Block;
  private readonly size: RegionSize;
  private readonly minHits: number;
  private insns = 0;
  private candidates: Candidate[] = [];
  /** Ways that no node of their own was made for. */
  private readonly rejected: Pick<Candidate, 'from' | 'eip'>[] = [];

  constructor(cache: BlockCache, entry: Block, size: RegionSize, minHits: number) {
    this.size = size;
    this.cache = cache;
    this.entry = entry;
    this.minHits = minHits;
    this.add(entry, null, 1);
    for (let next = this.take(); next !== null; next = this.take()) this.follow(next);
    for (const { from, eip } of this.rejected) this.link(from, eip);
  }

  /** There is no room for another node, but the TB may stand in the region for another call. What returns from there is then guessed wrong, and leaves. */
  private link(from: number, eip: number): void {
    const { ways } = this.nodes[from]!;
    const known = this.nodes.findIndex((n) => (n.tb.eip | 0) === eip);
    if (known >= 0 && ways.every((w) => w.eip !== eip)) ways.push({ eip, to: known });
  }

  private take(): Candidate | null {
    const { candidates } = this;
    if (candidates.length === 0) return null;
    let best = 0;
    for (let k = 1; k < candidates.length; k++) if (candidates[k]!.weight > candidates[best]!.weight) best = k;
    return candidates.splice(best, 1)[0]!;
  }

  private add(tb: Block, calls: Calls | null, weight: number): void {
    const from = this.nodes.length;
    this.nodes.push({ tb, calls, ways: [] });
    this.insns += tb.count;
    const offer = (eip: number, share: number, inside = calls): void => {
      this.candidates.push({ from, eip, calls: inside, weight: weight * share });
    };
    if (returns(tb) && calls !== null) {
      offer(calls.returnEip, 1, calls.outer);
      return;
    }
    const call = callsOf(tb);
    const within = call === null ? calls : { returnEip: call, outer: calls, depth: (calls?.depth ?? 0) + 1 };
    if (within !== null && within.depth > MAX_DEPTH) return;
    const targets = endsIndirect(tb) ? seen(tb).map((b) => b.eip | 0) : targetsOf(tb);
    const hits = targets.map((eip) => this.hitsAt(tb, eip));
    const all = endsIndirect(tb) ? this.executions(tb) : hits.reduce((sum, n) => sum + n, 0);
    targets.forEach((eip, k) => {
      if (hits[k]! > 0) offer(eip, Math.min(hits[k]! / all, 1), within);
    });
  }

  private follow({ from, eip, calls, weight }: Candidate): void {
    const { nodes } = this;
    const { tb, ways } = nodes[from]!;
    if (ways.some((w) => w.eip === eip)) return;
    const known = nodes.findIndex((n) => (n.tb.eip | 0) === eip && n.calls === calls);
    if (known >= 0) {
      ways.push({ eip, to: known });
      return;
    }
    const next = weight < this.size.weight || nodes.length === this.size.nodes ? null : this.find(tb, eip);
    if (next === null || this.insns + next.count > this.size.insns) {
      this.rejected.push({ from, eip });
      return;
    }
    ways.push({ eip, to: nodes.length });
    this.add(next, calls, weight);
  }

  private hitsAt(before: Block, eip: number): number {
    const block = this.find(before, eip);
    return block === null ? 0 : this.executions(block);
  }

  /** As far as they say something: what goes on inside translations is not counted, and a TB that is entered often from elsewhere would take all the weight. */
  private executions(block: Block): number {
    return Math.min(this.cache.hits(block), ENOUGH);
  }

  /** The block at `eip`, when it is fit to join. */
  private find(before: Block, eip: number): Block | null {
    const { entry } = this;
    const next = seen(before).find((b) => (b.eip | 0) === eip) ?? this.cache.recent(entry, eip) ?? this.cache.neighbour(entry, eip);
    if (next === null || next.mode !== entry.mode || !mayJoin(next)) return null;
    if (!this.size.shared && next !== entry && (next.compiled !== null || next.pending !== null)) return null;
    if (this.cache.hits(next) < this.minHits && next.compiled === null && next.pending === null) return null;
    return this.fits(next) ? next : null;
  }

  /** Its linear address goes with that of the entry, and its page is where other nodes have that page. */
  private fits(next: Block): boolean {
    const laddr = (next.eip + this.entry.laddr - this.entry.eip) | 0;
    const delta = (next.paddr - laddr) | 0;
    for (const { tb } of this.nodes) {
      const other = (tb.eip + this.entry.laddr - this.entry.eip) | 0;
      if (other >>> PAGE_SHIFT === laddr >>> PAGE_SHIFT) return ((tb.paddr - other) | 0) === delta;
    }
    return next.laddr === laddr;
  }
}

/** What came behind it lately. */
function seen(tb: Block): Block[] {
  return [tb.behind, tb.behindBefore].filter((b, k, all) => b !== tb && b.valid && all.indexOf(b) === k);
}

/** An instruction that crosses a page depends on a second address; INTO counts what is behind it in its own block; devices are better left to the interpreter. */
function mayJoin(block: Block): boolean {
  return block.paddr >= 0 && block.valid && block.secondPage < 0 && !block.meetsDevices && !block.hasInto;
}
