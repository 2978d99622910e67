import type { CallNode } from '../../jit/x86/profile/call-tree.js';
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
  const stacks = stackTree(profiler);
  const instructions = stacks.self.reduce((a, b) => a + b, 0);
  const { self, total } = functionTotals(stacks, profiler.functions.length);
  const functions = profiler.functions.map(
    (f, k): ProfiledFunctionLine => ({
      name: names.function(f),
      address: f.address >>> 0,
      kind: f.kind,
      user: f.user,
      calls: f.calls,
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
    cut: { stacks: profiler.tree.cut, blocks: profiler.blocksCut },
  };
}

function stackTree({ tree }: Profiler): StackTree {
  const { nodes, self } = tree;
  return {
    parent: Int32Array.from(nodes, (n: CallNode) => n.parent?.index ?? -1),
    fn: Int32Array.from(nodes, (n: CallNode) => n.fn),
    self: self.slice(0, nodes.length),
  };
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
