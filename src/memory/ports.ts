import type { AccessSize, IoHandlers, PortMapping, PortSpace } from '../core/bus.js';
import { splitRead, splitWrite } from './physical.js';

interface Entry {
  readonly base: number;
  readonly io: IoHandlers;
}

/** The 64 Ki I/O ports. Unclaimed reads give all ones, unclaimed writes vanish. */
export class PortMap implements PortSpace {
  private readonly stacks: (Entry[] | undefined)[] = new Array(0x10000);

  map(firstPort: number, count: number, io: IoHandlers): PortMapping {
    const entry = { base: firstPort, io };
    for (let p = firstPort; p < firstPort + count && p < 0x10000; p++) {
      const stack = this.stacks[p];
      if (stack === undefined) this.stacks[p] = [entry];
      else stack.push(entry);
    }
    return {
      unmap: () => {
        for (let p = firstPort; p < firstPort + count && p < 0x10000; p++) {
          const stack = this.stacks[p];
          if (stack !== undefined) this.stacks[p] = stack.filter((e) => e !== entry);
        }
      },
    };
  }

  /** Reads 1, 2 or 4 bytes from consecutive ports; unsigned. */
  read(port: number, size: AccessSize): number {
    const entry = this.top(port);
    if (entry === undefined) return this.readHole(port, size);
    return splitRead(entry.io, port - entry.base, size);
  }

  /** A hole can end inside a wide access: the parts behind it still answer. */
  private readHole(port: number, size: AccessSize): number {
    if (size === 1) return 0xff;
    const half = (size >> 1) as AccessSize;
    const low = this.read(port, half);
    const high = this.read((port + half) & 0xffff, half);
    return (low | (high << (half * 8))) >>> 0;
  }

  write(port: number, value: number, size: AccessSize): void {
    const entry = this.top(port);
    if (entry !== undefined) {
      splitWrite(entry.io, port - entry.base, value >>> 0, size);
      return;
    }
    if (size === 1) return;
    const half = (size >> 1) as AccessSize;
    this.write(port, half === 1 ? value & 0xff : value & 0xffff, half);
    this.write((port + half) & 0xffff, half === 1 ? (value >>> 8) & 0xff : value >>> 16, half);
  }

  private top(port: number): Entry | undefined {
    const stack = this.stacks[port];
    return stack === undefined ? undefined : stack[stack.length - 1];
  }
}
