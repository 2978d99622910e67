import type { AccessSize, IoHandlers, PortMapping, PortSpace } from '../core/bus.js';
import { splitRead, splitWrite } from './physical.js';

interface Entry {
  readonly base: number;
  readonly io: IoHandlers;
}

/** The 64 Ki I/O ports. Unclaimed reads give all ones (0 when misaligned, as in QEMU), unclaimed writes vanish. */
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

  /** Reads 1, 2 or 4 bytes; unsigned. Whoever has the first port answers for all; nobody gives all ones. */
  read(port: number, size: AccessSize): number {
    const entry = this.top(port);
    if (entry === undefined) return misaligned(port, size) ? 0 : 0xffffffff >>> (32 - size * 8);
    const offset = port - entry.base;
    if (misaligned(offset, size) && !entry.io.unaligned) return 0;
    return splitRead(entry.io, offset, size);
  }

  write(port: number, value: number, size: AccessSize): void {
    const entry = this.top(port);
    if (entry === undefined) return;
    const offset = port - entry.base;
    if (misaligned(offset, size) && !entry.io.unaligned) return;
    splitWrite(entry.io, offset, value >>> 0, size);
  }

  /** Who answers where, in the order of the ports. */
  spans(): { readonly first: number; readonly last: number; readonly name: string }[] {
    const spans: { first: number; last: number; name: string }[] = [];
    let before: Entry | undefined;
    for (let port = 0; port < this.stacks.length; port++) {
      const entry = this.top(port);
      if (entry !== undefined && entry === before) spans.at(-1)!.last = port;
      else if (entry !== undefined) spans.push({ first: port, last: port, name: entry.io.name });
      before = entry;
    }
    return spans;
  }

  /** Names of all who claim a port, the first that did first. */
  claims(port: number): string[] {
    return (this.stacks[port] ?? []).map((entry) => entry.io.name);
  }

  private top(port: number): Entry | undefined {
    const stack = this.stacks[port];
    return stack === undefined ? undefined : stack[stack.length - 1];
  }
}

function misaligned(offset: number, size: AccessSize): boolean {
  return (offset & (size - 1)) !== 0;
}
