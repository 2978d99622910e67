import type { DatagramTaker, HostDatagrams, HostPort, HostSockets, HostStream, HostStreamEvents } from '../../src/net/host-sockets.js';

/** A stream of the host's that a test drives. */
export class FakeStream implements HostStream {
  readonly written: Uint8Array[] = [];
  unsent = 0;
  ended = false;
  destroyed = false;
  paused = false;
  readonly events: HostStreamEvents;
  readonly address: string;
  readonly port: number;

  constructor(events: HostStreamEvents, address: string, port: number) {
    this.events = events;
    this.address = address;
    this.port = port;
  }

  get text(): Buffer {
    return Buffer.concat(this.written);
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
  }
  end(): void {
    this.ended = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A host without sockets, whose clock stands still until `advance`. */
export class FakeHost implements HostSockets {
  now = 0;
  readonly streams: FakeStream[] = [];
  readonly sent: { bytes: Uint8Array; address: string; port: number }[] = [];
  readonly takers: DatagramTaker[] = [];
  accept: ((stream: HostStream, peer: { address: string; port: number }) => HostStreamEvents | null) | null = null;
  private timers: Timer[] = [];
  private seed = 1;

  get pendingTimers(): number {
    return this.timers.length;
  }

  nowMs(): number {
    return this.now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { atMs: this.now + milliseconds, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((t) => t !== timer);
    };
  }

  /** Lets time go by, with the timers that are due in it. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const next = this.timers.filter((t) => t.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((t) => t !== next);
      this.now = next.atMs;
      next.callback();
    }
    this.now = end;
  }

  random(): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    // Sequence numbers that soon begin anew.
    return (0xffff_0000 + (this.seed & 0xffff)) >>> 0;
  }

  nameServer(): string {
    return '192.0.2.53';
  }

  connect(address: string, port: number, events: HostStreamEvents): HostStream {
    const stream = new FakeStream(events, address, port);
    this.streams.push(stream);
    return stream;
  }

  async listen(_address: string, port: number, accept: NonNullable<FakeHost['accept']>): Promise<HostPort> {
    this.accept = accept;
    return { port, close: () => {} };
  }

  datagrams(received: DatagramTaker): HostDatagrams {
    this.takers.push(received);
    return { send: (bytes, address, port) => void this.sent.push({ bytes, address, port }), close: () => {} };
  }

  async bindDatagrams(_address: string, _port: number, received: DatagramTaker): Promise<HostDatagrams> {
    return this.datagrams(received);
  }
}
