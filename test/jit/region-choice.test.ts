// Oracle: Intel SDM (where the code jumps; which TBs make a region is ours)
import { describe, expect, it } from 'vitest';
import type { Block } from '../../jit/x86/block.js';
import type { BlockCache } from '../../jit/x86/blocks.js';
import { Engine } from '../../jit/x86/engine.js';
import { formRegion } from '../../jit/x86/region.js';
import { EIP } from '../../jit/x86/regs.js';
import { LARGE, type RegionNode } from '../../jit/x86/translate/region-node.js';
import { bytesOf } from '../x86/tiny-board.js';
import { TestMachine } from './two-machines.js';

const CODE = 0x1000;

/** The code at CODE, decoded at the places given, each with so many executions. */
function decoded(code: string, executions: Record<number, number>): { blocks: BlockCache; at: (offset: number) => Block } {
  const machine = new TestMachine();
  machine.memory.u8.set(bytesOf(code), CODE);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { blocks } = new Engine(machine.cpu, { jit: 'off' });
  const at = (offset: number): Block => {
    machine.cpu.r[EIP] = CODE + offset;
    return blocks.find();
  };
  for (const [offset, n] of Object.entries(executions)) at(Number(offset)).hits = n;
  return { blocks, at };
}

function eips(nodes: readonly RegionNode[]): number[] {
  return nodes.map(({ tb }) => tb.eip - CODE);
}

describe('the region of a TB', () => {
  it('keeps the body of its loop, whose executions inside translations nobody counts, beside a TB that is entered often from elsewhere', () => {
    // 0: test eax,eax; jz 8   4: dec eax; jmp 0; nop   8: jmp 8
    const { blocks, at } = decoded('85 c0 74 04 48 eb f9 90 eb fe', { 0: 2000, 4: 2000, 8: 3_000_000 });
    expect(eips(formRegion(blocks, at(0), LARGE, 250)).sort()).toEqual([0, 4, 8]);
  });

  it('goes on in the copy of a function that is there when there is no room for another', () => {
    // 0: call 12   5: call 12   10: jmp 0   12: ret
    const { blocks, at } = decoded('e8 07 00 00 00 e8 02 00 00 00 eb f4 c3', { 0: 2000, 5: 2000, 10: 2000, 12: 4000 });
    const whole = formRegion(blocks, at(0), LARGE, 250);
    expect(eips(whole)).toEqual([0, 12, 5, 12, 10]);
    const narrow = formRegion(blocks, at(0), { ...LARGE, nodes: 3 }, 250);
    expect(eips(narrow)).toEqual([0, 12, 5]);
    expect(narrow[2]!.ways).toEqual([{ eip: CODE + 12, to: 1 }]);
  });
});
