import type { Block } from './block.js';

/**
 * Somebody who watches the engine block by block, such as a profiler. With one there are no regions and no chains of translations: every block is announced. What the
 * guest does, and the instruction count, stay the same. LEFT and EIP in Cpu.r are exact in all calls.
 */
export interface BlockObserver {
  /** The block at EIP is about to be executed; by a translation perhaps many times, when it jumps to itself. */
  before(block: Block): void;
  /** It was executed without a fault, perhaps only in part (slice used up, device touched). */
  after(block: Block): void;
  /** A fault, INT, interrupt, NMI, SMI or INIT was delivered: EIP is where it leads. Behind a fault there is no `after`. */
  delivered(): void;
  /** The slice ends. */
  sliceEnded(): void;
}
