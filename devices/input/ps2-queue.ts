import type { IrqLine } from '../../src/core/bus.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';

/** Bytes a PS/2 device buffers; replies to keyboard commands go in front of them. */
const CAPACITY = 16;
/** Size of the ring behind it, a power of two. */
const RING = 256;

/**
 * Output queue of a PS/2 device. Replies to keyboard commands overtake scan codes (`reply`), and a new command drops the replies still unread.
 * A read of the empty queue gives the last byte again.
 */
export class Ps2Queue implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'ps2-queue',
    version: 1,
    fields: { ring: 'bytes', readAt: 'u8', writeAt: 'u8', repliesEnd: 'int', count: 'u16' },
  };
  readonly ring = new Uint8Array(RING);
  readAt = 0;
  writeAt = 0;
  /** Where the unread command replies end; null: there are none. */
  repliesEnd: number | null = null;
  count = 0;
  private readonly irq: IrqLine;
  private readonly repliesOvertake: boolean;

  /** @param irq high while there is something to read. @param repliesOvertake false: replies queue up like everything else (QEMU before 6.0). */
  constructor(irq: IrqLine, repliesOvertake = true) {
    this.irq = irq;
    this.repliesOvertake = repliesOvertake;
  }

  /** Empties the queue; the interrupt line stays as it is. */
  clear(): void {
    this.readAt = 0;
    this.writeAt = 0;
    this.repliesEnd = null;
    this.count = 0;
  }

  reset(): void {
    this.clear();
    this.irq.set(false);
  }

  get free(): number {
    return CAPACITY - this.count;
  }

  /** Appends all bytes, or none when they do not fit. */
  push(...bytes: readonly number[]): void {
    if (this.free < bytes.length) return;
    for (const byte of bytes) {
      this.ring[this.writeAt] = byte;
      this.writeAt = (this.writeAt + 1) & (RING - 1);
    }
    this.count += bytes.length;
    this.irq.set(true);
  }

  /** Puts a command's reply in front of everything. */
  reply(...bytes: readonly number[]): void {
    if (!this.repliesOvertake) {
      this.push(...bytes);
      return;
    }
    this.readAt = (this.readAt - bytes.length) & (RING - 1);
    bytes.forEach((byte, i) => {
      this.ring[(this.readAt + i) & (RING - 1)] = byte;
    });
    this.repliesEnd = (this.readAt + bytes.length) & (RING - 1);
    this.count += bytes.length;
    this.irq.set(true);
  }

  /** Forgets replies that were not read. */
  dropReplies(): void {
    if (this.repliesEnd === null) return;
    this.count -= (this.repliesEnd - this.readAt) & (RING - 1);
    this.readAt = this.repliesEnd;
    this.repliesEnd = null;
  }

  read(): number {
    if (this.count === 0) return this.ring[(this.readAt - 1) & (RING - 1)]!;
    const byte = this.ring[this.readAt]!;
    this.readAt = (this.readAt + 1) & (RING - 1);
    this.count--;
    if (this.readAt === this.repliesEnd) this.repliesEnd = null;
    this.irq.set(false);
    if (this.count > 0) this.irq.set(true);
    return byte;
  }
}
