import type { Block, BlockCache } from './blocks.js';
import { targetsOf } from './translate/targets.js';

const MAX_BLOCKS = 32;
const MAX_INSNS = 256;
const INTO = 0xce;

/**
 * The blocks to be translated together with `entry`, which comes first: those it leads to by near jumps inside its page, as far as they were executed at least
 * `minHits` times or have a translation of their own. In one page, so that what is true of the entry's address is true of all.
 */
export function formRegion(cache: BlockCache, entry: Block, minHits: number): Block[] {
  const region = [entry];
  if (!mayJoin(entry)) return region;
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

/** An instruction that crosses a page depends on a second address; INTO counts what is behind it in its own block; devices are better left to the interpreter. */
function mayJoin(block: Block): boolean {
  return block.secondPage < 0 && !block.meetsDevices && !block.insns.some((i) => i.opcode === INTO && i.row.map === '1');
}
