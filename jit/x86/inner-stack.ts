import type { Cpu } from './cpu.js';
import { DESC_CODE, DESC_P, DESC_RW, DESC_S, descriptor, dplOf, readDescriptor, typeOf } from './descriptors.js';
import { raiseFault, TS } from './fault.js';
import { loadSys16, loadSys32 } from './mmu.js';
import { TR } from './regs.js';

/** Stack for a more privileged level, as found in the TSS and checked. */
export const innerStack = { selector: 0, pointer: 0, low: 0, high: 0 };

/** Reads SS:ESP for privilege level `dpl` from the TSS and checks the segment (SDM Vol. 3A 5.8.5), all failures being #TS. */
export function readInnerStack(cpu: Cpu, dpl: number): void {
  const type = typeOf(cpu.attributes[TR]);
  const wide = type >> 3;
  const index = (dpl * 4 + 2) << wide;
  const trError = cpu.selector[TR] & 0xfffc;
  // QEMU gives up on a TR without a TSS; no guest gets there on purpose.
  if ((cpu.attributes[TR] & DESC_P) === 0 || (type & 7) !== 1) raiseFault(TS, trError);
  if (index + (4 << wide) - 1 > cpu.limit[TR] >>> 0) raiseFault(TS, trError);
  const at = (cpu.trBase + index) | 0;
  innerStack.pointer = wide ? loadSys32(cpu, at) : loadSys16(cpu, at);
  const selector = loadSys16(cpu, wide ? at + 4 : at + 2);
  innerStack.selector = selector;
  const error = selector & 0xfffc;
  if (error === 0 || (selector & 3) !== dpl || !readDescriptor(cpu, selector)) raiseFault(TS, error);
  const { high } = descriptor;
  if (dplOf(high) !== dpl || (high & (DESC_S | DESC_CODE | DESC_RW)) !== (DESC_S | DESC_RW) || (high & DESC_P) === 0) raiseFault(TS, error);
  innerStack.low = descriptor.low;
  innerStack.high = high;
}
