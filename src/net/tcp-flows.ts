import type { HostPort, HostSockets, HostStream, HostStreamEvents } from './host-sockets.js';
import { HOST_UNREACHABLE } from './icmp.js';
import { type Ipv4Fragment, type Ipv4Packet, PROTOCOL_TCP } from './ipv4.js';
import { parseIpv4 } from './ipv4-address.js';
import { TcpConnection, type TcpOwner } from './tcp-connection.js';
import { ACK, FIN, makeTcp, parseTcp, RST, SYN, type TcpSegment } from './tcp-segment.js';
import type { PortForward } from './user-network-config.js';
import type { Wire } from './wire.js';

/** Connections at a time; the one that was silent for longest goes when there are more. */
const MOST_CONNECTIONS = 256;
const NOTHING = new Uint8Array(0);

/** Who talks to whom; `remote` is the guest's partner as the guest sees it. */
interface Ends {
  readonly remote: number;
  readonly remotePort: number;
  readonly guest: number;
  readonly guestPort: number;
}

const keyOf = ({ remote, remotePort, guest, guestPort }: Ends): string => `${remote}:${remotePort} ${guest}:${guestPort}`;

/** The TCP connections between guest and host. */
export class TcpFlows {
  /** The most recently used last. */
  private readonly flows = new Map<string, TcpFlow>();
  private readonly ports: HostPort[] = [];
  private readonly wire: Wire;
  private readonly sockets: HostSockets;

  constructor(wire: Wire, sockets: HostSockets) {
    this.wire = wire;
    this.sockets = sockets;
  }

  /** A packet from the guest. @param ip as it came, to be quoted */
  input(packet: Ipv4Packet, ip: Ipv4Fragment): void {
    const segment = parseTcp(packet);
    if (segment === null) return;
    const ends = { remote: packet.destination, remotePort: segment.destinationPort, guest: packet.source, guestPort: segment.sourcePort };
    const key = keyOf(ends);
    const begins = (segment.flags & (SYN | ACK | RST)) === SYN;
    let flow = this.flows.get(key);
    if (flow !== undefined && begins && flow.connection.state === 'time-wait') {
      flow.connection.abandon();
      flow = undefined;
    }
    if (flow === undefined) {
      if (begins) this.begin(key, ends, segment, ip);
      else if ((segment.flags & RST) === 0) this.reset(ends, segment);
      return;
    }
    this.touch(key, flow);
    flow.connection.input(segment);
  }

  /** Opens a port of the host's that leads to the guest. @returns the port; rejects when it cannot be had */
  async forward({ hostAddress, hostPort, guestAddress, guestPort }: PortForward): Promise<number> {
    const guest = parseIpv4(guestAddress)!;
    const port = await this.sockets.listen(hostAddress, hostPort, (stream, peer) => {
      const ends = { remote: this.wire.inside(peer.address), remotePort: peer.port, guest, guestPort };
      const key = keyOf(ends);
      if (this.flows.has(key)) return null;
      const flow = new TcpFlow(ends, this.wire, () => this.flows.delete(key));
      this.add(key, flow);
      flow.stream = stream;
      flow.connection = TcpConnection.toGuest(flow, this.sockets);
      return flow.events;
    });
    this.ports.push(port);
    return port.port;
  }

  close(): void {
    for (const port of this.ports) port.close();
    for (const flow of [...this.flows.values()]) flow.connection.abandon();
  }

  private begin(key: string, ends: Ends, syn: TcpSegment, ip: Ipv4Fragment): void {
    const address = this.wire.outside(ends.remote);
    if (address === null) return;
    const quoted = { ...ip, header: ip.header.slice(), payload: ip.payload.slice(0, 8) };
    const flow = new TcpFlow(ends, this.wire, () => this.flows.delete(key), quoted);
    this.add(key, flow);
    flow.connection = TcpConnection.fromGuest(flow, this.sockets, syn);
    flow.stream = this.sockets.connect(address, ends.remotePort, flow.events);
  }

  private add(key: string, flow: TcpFlow): void {
    this.flows.set(key, flow);
    if (this.flows.size > MOST_CONNECTIONS) this.flows.values().next().value?.connection.abort();
  }

  private touch(key: string, flow: TcpFlow): void {
    this.flows.delete(key);
    this.flows.set(key, flow);
  }

  /** There is no such connection. */
  private reset({ remote, remotePort, guest, guestPort }: Ends, segment: TcpSegment): void {
    const { flags, sequence, acknowledgment, payload } = segment;
    const length = payload.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
    const answer =
      flags & ACK
        ? { sequence: acknowledgment, acknowledgment: 0, flags: RST }
        : { sequence: 0, acknowledgment: (sequence + length) >>> 0, flags: RST | ACK };
    const bytes = makeTcp(remote, guest, { sourcePort: remotePort, destinationPort: guestPort, window: 0, payload: NOTHING, ...answer });
    this.wire.send({ source: remote, destination: guest, protocol: PROTOCOL_TCP, payload: bytes });
  }
}

/** One connection: the guest's end in TCP, the host's in a stream. */
class TcpFlow implements TcpOwner {
  connection!: TcpConnection;
  stream: HostStream | null = null;
  private readonly ends: Ends;
  private readonly wire: Wire;
  private readonly gone: () => void;
  /** The guest's first packet. */
  private readonly first: Ipv4Fragment | null;

  constructor(ends: Ends, wire: Wire, gone: () => void, first: Ipv4Fragment | null = null) {
    this.ends = ends;
    this.wire = wire;
    this.gone = gone;
    this.first = first;
  }

  /** What the host's end says. */
  readonly events: HostStreamEvents = {
    connected: () => this.connection.hostConnected(),
    received: (bytes) => {
      if (!this.connection.send(bytes)) this.stream?.pause();
    },
    drained: () => this.connection.drained(),
    ended: () => this.connection.end(),
    failed: (reason) => {
      if (reason !== 'unreachable' || this.first === null || this.connection.state !== 'connecting') return this.connection.abort();
      this.wire.refuse(this.first, HOST_UNREACHABLE);
      this.connection.abandon();
    },
  };

  transmit(segment: Pick<TcpSegment, 'sequence' | 'acknowledgment' | 'flags' | 'window' | 'payload'>): void {
    const { remote, remotePort, guest, guestPort } = this.ends;
    const payload = makeTcp(remote, guest, { sourcePort: remotePort, destinationPort: guestPort, ...segment });
    this.wire.send({ source: remote, destination: guest, protocol: PROTOCOL_TCP, payload });
  }

  get unsent(): number {
    return this.stream?.unsent ?? 0;
  }

  received(bytes: Uint8Array): void {
    this.stream?.write(bytes.slice());
  }

  ended(): void {
    this.stream?.end();
  }

  roomAgain(): void {
    this.stream?.resume();
  }

  closed(): void {
    this.stream?.destroy();
    this.gone();
  }
}
