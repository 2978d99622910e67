import { PAGE_SHIFT, PAGE_SIZE } from '../../../src/memory/physical.js';
import type { Block } from '../block.js';
import type { Cpu } from '../cpu.js';

const NONE = new Uint8Array(0);

/** The bytes of a block, copied; none, when it does not lie in memory. */
export function codeOf(cpu: Cpu, block: Block): Uint8Array {
  const { paddr, lengthBytes, secondPage } = block;
  if (paddr < 0) return NONE;
  const { u8 } = cpu.memory;
  const room = PAGE_SIZE - (paddr & (PAGE_SIZE - 1));
  if (lengthBytes <= room) return u8.slice(paddr, paddr + lengthBytes);
  // The second half lies in device registers.
  if (secondPage < 0) return NONE;
  const code = new Uint8Array(lengthBytes);
  code.set(u8.subarray(paddr, paddr + room));
  code.set(u8.subarray(secondPage << PAGE_SHIFT, (secondPage << PAGE_SHIFT) + lengthBytes - room), room);
  return code;
}
