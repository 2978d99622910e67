import type { StatefulPart, StateSchema } from '../../src/core/state.js';

/** Status register (82801AA data sheet, section 13.2.4). */
export const SR_FIFO_ERROR = 0x10;
export const SR_BUFFER_COMPLETE = 0x08;
export const SR_LAST_BUFFER = 0x04;
export const SR_CURRENT_IS_LAST = 0x02;
export const SR_HALTED = 0x01;
export const SR_INTERRUPTS = SR_FIFO_ERROR | SR_BUFFER_COMPLETE | SR_LAST_BUFFER;

/** Control register (section 13.2.7). */
export const CR_COMPLETE_INTERRUPT = 0x10;
export const CR_FIFO_INTERRUPT = 0x08;
export const CR_LAST_INTERRUPT = 0x04;
export const CR_RESET = 0x02;
export const CR_RUN = 0x01;

/** Descriptors in a list. */
const LIST_LENGTH = 32;

/** Registers of one bus master channel, and the descriptor it is at: eight bytes, an address and a length in samples with two flags. */
export class Ac97Channel implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'ac97-channel',
    version: 1,
    fields: {
      base: 'u32',
      current: 'u8',
      last: 'u8',
      status: 'u16',
      left: 'u16',
      prefetched: 'u8',
      control: 'u8',
      fetched: 'bool',
      address: 'u32',
      length: 'u32',
    },
  };
  /** BDBAR: the list of descriptors. */
  base = 0;
  /** CIV. */
  current = 0;
  /** LVI: the last descriptor that may be used. */
  last = 0;
  /** SR. */
  status = 0;
  /** PICB: samples left in the buffer. */
  left = 0;
  /** PIV: the descriptor after this one. */
  prefetched = 0;
  /** CR. */
  control = 0;
  /** `address` and `length` are of descriptor `current`. */
  fetched = false;
  /** Of the next sample in the buffer. */
  address = 0;
  /** As in the descriptor: flags, and samples in the low half. */
  length = 0;

  /** What a reset by CR_RESET leaves; SR is the bus master's affair. */
  reset(): void {
    this.base = 0;
    this.current = 0;
    this.last = 0;
    this.left = 0;
    this.prefetched = 0;
    this.control &= CR_COMPLETE_INTERRUPT | CR_FIFO_INTERRUPT | CR_LAST_INTERRUPT;
    this.fetched = false;
  }

  /** Goes on to the prefetched descriptor. @param read eight bytes of guest memory */
  advance(read: (paddr: number) => DataView): void {
    this.current = this.prefetched;
    this.prefetched = (this.prefetched + 1) % LIST_LENGTH;
    this.fetch(read);
  }

  fetch(read: (paddr: number) => DataView): void {
    const descriptor = read((this.base + this.current * 8) >>> 0);
    this.fetched = true;
    this.address = (descriptor.getUint32(0, true) & ~3) >>> 0;
    this.length = descriptor.getUint32(4, true);
    this.left = this.length & 0xffff;
  }
}
