import type { Profiler } from '../../jit/x86/profile/profiler.js';
import { blockGraph } from './block-graph.js';
import { hotLoops } from './hot-loops.js';
import { Names } from './names.js';
import type { HotBlock, HotLoop, ProfileData, ProfiledFunctionLine, StackTree } from './profile-data.js';
import { functionTotals } from './stack-totals.js';
import type { SymbolTable } from './symbol-table.js';

/** Of all instructions, the share below which loops are not looked for. */
const LEAST_LOOP = 1e-4;

/**
 * What a profiler counted, with names.
 * @param top how many TBs and loops at most.
 */
export function buildProfile(profiler: Profiler, symbols: SymbolTable | null, top: number): ProfileData {
  const names = new Names(profiler, symbols);
  const known = sameFunctions(profiler, symbols);
  const stacks = stackTree(profiler, known);
  const instructions = stacks.self.reduce((a, b) => a + b, 0);
  const { self, total } = functionTotals(stacks, profiler.functions.length);
  const calls = new Float64Array(known.length);
  for (const [k, f] of profiler.functions.entries()) calls[known[k]!]! += f.calls;
  const functions = profiler.functions.map(
    (f, k): ProfiledFunctionLine => ({
      name: names.function(f),
      address: f.address >>> 0,
      kind: f.kind,
      user: f.user,
      calls: calls[k]!,
      self: self[k]!,
      total: total[k]!,
    }),
  );
  return {
    instructions,
    functions,
    stacks,
    blocks: hotBlocks(profiler, names, top),
    loops: loops(profiler, names, top, instructions * LEAST_LOOP),
    blockCount: profiler.blocks.length,
    symbols: symbols === null ? null : { located: symbols.located, moved: symbols.moved },
    cut: { stacks: profiler.tree.cut, blocks: profiler.blocksCut },
  };
}

/** The stacks, with functions replaced by those they turned out to be part of. */
function stackTree({ tree, functions }: Profiler, known: Int32Array): StackTree {
  const { nodes, self } = tree;
  const at = new Int32Array(nodes.length);
  const parent: number[] = [-1];
  const fn: number[] = [-1];
  const sums: number[] = [self[0]!];
  const made = new Map<number, number>();
  for (const node of nodes) {
    if (node.parent === null) continue;
    const [above, is] = [at[node.parent.index]!, known[node.fn]!];
    const key = above * functions.length + is;
    let k = made.get(key);
    if (k === undefined) {
      k = parent.push(above) - 1;
      fn.push(is);
      sums.push(0);
      made.set(key, k);
    }
    at[node.index] = k;
    sums[k]! += self[node.index]!;
  }
  return { parent: Int32Array.from(parent), fn: Int32Array.from(fn), self: Float64Array.from(sums) };
}

/** By function, the one that stands for it: what was called before the symbols were located may lie inside a function that they name. */
function sameFunctions({ functions }: Profiler, symbols: SymbolTable | null): Int32Array {
  const byStart = new Map<number, number>();
  return Int32Array.from(functions, (f, k) => {
    const start = f.user || f.kind === 'program' || f.kind === 'cut' ? null : (symbols?.startOf(f.address) ?? null);
    if (start === null) return k;
    const first = byStart.get(start);
    if (first === undefined) byStart.set(start, k);
    return first ?? k;
  });
}

function hotBlocks({ blocks, counts }: Profiler, names: Names, top: number): HotBlock[] {
  const hottest = blocks.toSorted((a, b) => counts[b.at]! - counts[a.at]! || a.at - b.at).slice(0, top);
  return hottest.map((b) => ({
    address: b.laddr >>> 0,
    where: names.block(b),
    bits: b.bits,
    bytes: b.bytes,
    executions: counts[b.at + 1]!,
    instructions: counts[b.at]!,
  }));
}

function loops(profiler: Profiler, names: Names, top: number, least: number): HotLoop[] {
  const { blocks } = profiler;
  return hotLoops(blockGraph(profiler), Math.max(least, 1))
    .slice(0, top)
    .map((l) => ({
      address: blocks[l.header]!.laddr >>> 0,
      where: names.block(blocks[l.header]!),
      entered: l.entered,
      iterations: l.iterations,
      instructions: l.instructions,
      blocks: l.members.map((k) => blocks[k]!.laddr >>> 0).sort((a, b) => a - b),
      depth: l.depth,
    }));
}
