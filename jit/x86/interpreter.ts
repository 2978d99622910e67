import type { Block } from './block.js';
import type { Cpu } from './cpu.js';
import { condition } from './flags.js';
import { END_NONE } from './insn.js';
import { MODE_CS32 } from './mode.js';
import { EIP, LEFT } from './regs.js';

/**
 * Executes the instructions `from` up to `count` of a block, EIP being at the first of them; stops behind one that set Cpu.breakBlock. At most as many as LEFT allows.
 * Throws what an instruction throws: a guest fault with Cpu.insnEip at the instruction, and LEFT counting it.
 */
export function interpret(cpu: Cpu, block: Block, count: number, from = 0): void {
  const { r } = cpu;
  const { insns, straight } = block;
  const end = Math.min(count, from + r[LEFT]);
  const last = end <= straight ? end : straight;
  let k = from;
  while (k < last) {
    const insn = insns[k++];
    const eip = r[EIP];
    cpu.insnEip = eip;
    r[EIP] = eip + insn.length;
    r[LEFT]--;
    insn.exec(cpu, insn);
    if (cpu.breakBlock) {
      cutEip(cpu, block, k);
      return;
    }
  }
  if (end === last) {
    cutEip(cpu, block, k);
    return;
  }
  // A relative jump at the end, half of all blocks: no call, and the next EIP does not wait for this one.
  r[LEFT]--;
  r[EIP] = block.cc < 0 || condition(cpu, block.cc) ? block.takenEip : block.behindEip;
}

/** QEMU cuts EIP to the code segment's size where a TB ends without a jump. */
function cutEip(cpu: Cpu, block: Block, executed: number): void {
  if ((block.mode & MODE_CS32) === 0 && block.insns[executed - 1].end === END_NONE) cpu.r[EIP] &= 0xffff;
}
