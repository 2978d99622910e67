import type { Block } from './blocks.js';
import type { Cpu } from './cpu.js';
import { END_NONE } from './insn.js';
import { MODE_CS32 } from './mode.js';
import { EIP, LEFT } from './regs.js';

/**
 * Executes the instructions `from` up to `count` of a block, EIP being at the first of them; stops behind one that set Cpu.breakBlock. At most as many as LEFT allows.
 * Throws what an instruction throws: a guest fault with Cpu.insnEip at the instruction, and LEFT counting it.
 */
export function interpret(cpu: Cpu, block: Block, count: number, from = 0): void {
  const { r } = cpu;
  const { insns } = block;
  const end = Math.min(count, from + r[LEFT]);
  let k = from;
  do {
    const insn = insns[k++];
    const eip = r[EIP];
    cpu.insnEip = eip;
    r[EIP] = eip + insn.length;
    r[LEFT]--;
    insn.exec(cpu, insn);
  } while (k < end && !cpu.breakBlock);
  // QEMU cuts EIP to the code segment's size where a TB ends without a jump.
  if ((block.mode & MODE_CS32) === 0 && insns[k - 1].end === END_NONE) r[EIP] &= 0xffff;
}
