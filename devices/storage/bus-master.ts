import type { AccessSize, DmaMemory } from '../../src/core/bus.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';

const START = 0x01;
const COMMAND_BITS = 0x09;
const STATUS_ACTIVE = 0x01;
const STATUS_INTERRUPT = 0x04;
/** The table must not cross 64 KiB; QEMU gives up after a page. */
const MAX_TABLE_BYTES = 4096;
const LAST = 0x80000000;

/** A piece of guest memory. */
export interface DmaSegment {
  readonly paddr: number;
  readonly length: number;
}

export interface BusMasterOwner {
  readonly memory: DmaMemory;
  /** PCI command register bit 2. */
  mayMaster(): boolean;
  /** The start bit was set while a command waits for it. */
  dmaStart(): void;
  /** The start bit was cleared. */
  dmaCancel(): void;
}

/** Bus master of one IDE channel (Intel 82371SB data sheet, section 2.5; "Programming Interface for Bus Master IDE Controller" 1.0). */
export class BusMaster implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'ide-bus-master',
    version: 1,
    fields: {
      command: 'u8',
      status: 'u8',
      table: 'u32',
      tableAt: 'u32',
      prdLast: 'bool',
      prdAddress: 'u32',
      prdLength: 'u32',
      waiting: 'bool',
    },
  };
  command = 0;
  status = 0;
  /** Descriptor table pointer. */
  table = 0;
  /** The next descriptor. */
  tableAt = 0;
  prdLast = false;
  prdAddress = 0;
  prdLength = 0;
  /** A DMA command is under way, or waits for the start bit. */
  waiting = false;
  private readonly owner: BusMasterOwner;

  constructor(owner: BusMasterOwner) {
    this.owner = owner;
  }

  reset(): void {
    this.command = 0;
    this.status = 0;
    this.table = 0;
    this.tableAt = 0;
    this.prdLast = false;
    this.prdAddress = 0;
    this.prdLength = 0;
    this.waiting = false;
  }

  /** Reads one of the eight ports of the channel. */
  read(offset: number, size: AccessSize): number {
    const ones = 0xffffffff >>> (32 - size * 8);
    if (offset >= 4) return ((this.table >>> ((offset - 4) * 8)) & ones) >>> 0;
    if (size !== 1) return ones;
    return offset === 0 ? this.command : offset === 2 ? this.status : 0xff;
  }

  write(offset: number, value: number, size: AccessSize): void {
    if (offset >= 4) {
      const shift = (offset - 4) * 8;
      const mask = (0xffffffff >>> (32 - size * 8)) << shift;
      this.table = ((this.table & ~mask) | ((value << shift) & mask & ~3)) >>> 0;
    } else if (size === 1 && offset === 0) this.writeCommand(value);
    else if (size === 1 && offset === 2) this.status = (value & 0x60) | (this.status & STATUS_ACTIVE) | (this.status & ~value & 0x06);
  }

  private writeCommand(value: number): void {
    if ((value ^ this.command) & START) {
      if ((value & START) === 0) {
        this.owner.dmaCancel();
        this.status &= ~STATUS_ACTIVE;
      } else {
        this.tableAt = this.table;
        if ((this.status & STATUS_ACTIVE) === 0) {
          this.status |= STATUS_ACTIVE;
          if (this.waiting) this.owner.dmaStart();
        }
      }
    }
    this.command = value & COMMAND_BITS;
  }

  /** A DMA command begins; true when the start bit is set already. */
  begin(): boolean {
    this.waiting = true;
    this.prdLast = false;
    this.prdAddress = 0;
    this.prdLength = 0;
    return (this.status & STATUS_ACTIVE) !== 0;
  }

  /** The command is over; `more`: the descriptors were not used up, the active bit stays. */
  end(more: boolean): void {
    this.waiting = false;
    if (more) this.status |= STATUS_ACTIVE;
    else this.status &= ~STATUS_ACTIVE;
  }

  noteInterrupt(): void {
    this.status |= STATUS_INTERRUPT;
  }

  /** Walks the descriptors to the end of the table: the segments of the first `limit` bytes, and how many bytes all describe. */
  segments(limit: number): { segments: DmaSegment[]; used: number; described: number } {
    const segments: DmaSegment[] = [];
    let used = 0;
    let described = 0;
    for (;;) {
      if (this.prdLength === 0) {
        if (this.prdLast || (this.tableAt - this.table) >>> 0 >= MAX_TABLE_BYTES) return { segments, used, described };
        this.fetch();
      }
      const length = Math.min(limit - used, this.prdLength);
      if (length > 0) segments.push({ paddr: this.prdAddress, length });
      used += length;
      described += this.prdLength;
      this.prdAddress = (this.prdAddress + this.prdLength) >>> 0;
      this.prdLength = 0;
    }
  }

  private fetch(): void {
    const descriptor = new Uint8Array(8);
    if (this.owner.mayMaster()) this.owner.memory.readBytes(this.tableAt, descriptor);
    this.tableAt = (this.tableAt + 8) >>> 0;
    const view = new DataView(descriptor.buffer);
    const word = view.getUint32(4, true);
    this.prdAddress = view.getUint32(0, true);
    this.prdLength = word & 0xfffe || 0x10000;
    this.prdLast = (word & LAST) !== 0;
  }
}
