import type { Block } from './block.js';
import type { BlockCache } from './blocks.js';
import { targetsOf } from './translate/targets.js';

/** V8's optimiser takes far more than twice the time for twice the code. */
const MAX_BLOCKS = 12;
const MAX_INSNS = 96;

/**
 * The blocks to be translated together with `entry`, which comes first: those of the loops through it that stay in its page, as far as they were executed at
 * least `minHits` times or have a translation of their own. In one page, so that what is true of the entry's address is true of all.
 * Only loops: elsewhere, a region saves less than its compilation costs.
 */
export function formRegion(cache: BlockCache, entry: Block, minHits: number): Block[] {
  if (!mayJoin(entry)) return [entry];
  return thoseThatReturn(reachable(cache, entry, minHits));
}

function reachable(cache: BlockCache, entry: Block, minHits: number): Block[] {
  const region = [entry];
  let insns = entry.insns.length;
  for (let k = 0; k < region.length && region.length < MAX_BLOCKS; k++) {
    for (const eip of targetsOf(region[k]!)) {
      const next = cache.neighbour(entry, eip);
      if (next === null || region.includes(next) || !mayJoin(next) || (next.hits < minHits && next.compiled === null)) continue;
      if (insns + next.insns.length > MAX_INSNS || region.length === MAX_BLOCKS) continue;
      insns += next.insns.length;
      region.push(next);
    }
  }
  return region;
}

/** Of blocks that can be reached from the first, those from which it can be reached. */
function thoseThatReturn(blocks: readonly Block[]): Block[] {
  const byEip = new Map(blocks.map((b) => [b.eip | 0, b]));
  const returning = new Set([blocks[0]]);
  for (let before = 0; before < returning.size; ) {
    before = returning.size;
    for (const b of blocks) if (targetsOf(b).some((eip) => returning.has(byEip.get(eip)!))) returning.add(b);
  }
  return blocks.filter((b) => returning.has(b));
}

/** An instruction that crosses a page depends on a second address; INTO counts what is behind it in its own block; devices are better left to the interpreter. */
function mayJoin(block: Block): boolean {
  return block.secondPage < 0 && !block.meetsDevices && !block.hasInto;
}
