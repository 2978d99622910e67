/** What a user network asks of the host. Addresses are dotted. One implementation has the host's sockets, another is a test's. */
export interface HostSockets {
  /** Milliseconds, not going back. */
  nowMs(): number;
  /** Calls back once; the function returned keeps it from that. */
  after(milliseconds: number, callback: () => void): () => void;
  /** 32 bits that a stranger cannot guess. */
  random(): number;
  /** Where names are asked for. */
  nameServer(): string;
  connect(address: string, port: number, events: HostStreamEvents): HostStream;
  /** Rejects when the port cannot be had. @param accept gives what is to be told of the stream; null: it is not wanted */
  listen(
    address: string,
    port: number,
    accept: (stream: HostStream, peer: { readonly address: string; readonly port: number }) => HostStreamEvents | null,
  ): Promise<HostPort>;
  /** A socket for datagrams, at a port of the host's choice. */
  datagrams(received: DatagramTaker): HostDatagrams;
  /** Rejects when the port cannot be had. */
  bindDatagrams(address: string, port: number, received: DatagramTaker): Promise<HostDatagrams>;
}

export type DatagramTaker = (bytes: Uint8Array, address: string, port: number) => void;

/** A TCP connection of the host's. */
export interface HostStream {
  write(bytes: Uint8Array): void;
  /** Bytes written that the other end has not been sent. */
  readonly unsent: number;
  /** No more is written. */
  end(): void;
  /** Stops and goes on with `received`. */
  pause(): void;
  resume(): void;
  /** Both ways at once; nothing is told after that. */
  destroy(): void;
}

export interface HostStreamEvents {
  connected(): void;
  received(bytes: Uint8Array): void;
  /** `unsent` is 0 again. */
  drained(): void;
  /** The other end writes no more. */
  ended(): void;
  /** The connection is gone, or never came about. */
  failed(reason: 'refused' | 'unreachable' | 'reset'): void;
}

export interface HostDatagrams {
  send(bytes: Uint8Array, address: string, port: number): void;
  close(): void;
}

export interface HostPort {
  readonly port: number;
  close(): void;
}
