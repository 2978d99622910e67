import type { HostDatagrams, HostSockets } from './host-sockets.js';
import { type Ipv4Packet, PROTOCOL_UDP } from './ipv4.js';
import { parseIpv4 } from './ipv4-address.js';
import { LONGEST_UDP_PAYLOAD, makeUdp, type UdpDatagram } from './udp.js';
import type { PortForward } from './user-network-config.js';
import type { Wire } from './wire.js';

/** Sockets at a time; the one that was silent for longest goes when there are more. */
const MOST_SOCKETS = 256;
/** As long as routers keep them (RFC 4787, section 4.3: two minutes at least). */
const LIFETIME_MS = 240_000;
const SWEEP_MS = 30_000;

interface Flow {
  readonly socket: HostDatagrams;
  readonly forwarded: boolean;
  usedMs: number;
  /** Names were asked for: the name server's address as the guest has it, by its real one. */
  readonly aliases: Map<string, number>;
}

/** UDP between guest and host: a socket for each port of the guest's, to which anybody may answer. */
export class UdpFlows {
  /** By the guest's address and port; the most recently used last. */
  private readonly flows = new Map<string, Flow>();
  private readonly wire: Wire;
  private readonly sockets: HostSockets;
  private cancelSweep: (() => void) | null = null;

  constructor(wire: Wire, sockets: HostSockets) {
    this.wire = wire;
    this.sockets = sockets;
  }

  /** A datagram from the guest. */
  input({ source, destination }: Ipv4Packet, { sourcePort, destinationPort, payload }: UdpDatagram): void {
    const address = this.wire.outside(destination);
    if (address === null || destinationPort === 0) return;
    const key = `${source}:${sourcePort}`;
    const flow = this.flows.get(key) ?? this.open(source, sourcePort);
    flow.usedMs = this.sockets.nowMs();
    this.flows.delete(key);
    this.flows.set(key, flow);
    if (this.wire.inside(address) !== destination) flow.aliases.set(`${address}:${destinationPort}`, destination);
    flow.socket.send(payload.slice(), address, destinationPort);
    this.limit();
  }

  /** Opens a port of the host's that leads to the guest. Rejects when it cannot be had. */
  async forward({ hostAddress, hostPort, guestAddress, guestPort }: PortForward): Promise<void> {
    const guest = parseIpv4(guestAddress)!;
    const aliases = new Map<string, number>();
    const socket = await this.sockets.bindDatagrams(hostAddress, hostPort, (bytes, address, port) =>
      this.toGuest(bytes, address, port, { guest, guestPort, aliases }),
    );
    this.flows.set(`${guest}:${guestPort}`, { socket, forwarded: true, usedMs: 0, aliases });
  }

  close(): void {
    this.cancelSweep?.();
    for (const { socket } of this.flows.values()) socket.close();
    this.flows.clear();
  }

  private open(guest: number, guestPort: number): Flow {
    const aliases = new Map<string, number>();
    const socket = this.sockets.datagrams((bytes, address, port) => this.toGuest(bytes, address, port, { guest, guestPort, aliases }));
    this.cancelSweep ??= this.sockets.after(SWEEP_MS, () => this.sweep());
    return { socket, forwarded: false, usedMs: 0, aliases };
  }

  private toGuest(
    bytes: Uint8Array,
    address: string,
    port: number,
    to: { readonly guest: number; readonly guestPort: number; readonly aliases: ReadonlyMap<string, number> },
  ): void {
    if (bytes.length > LONGEST_UDP_PAYLOAD) return;
    const source = to.aliases.get(`${address}:${port}`) ?? this.wire.inside(address);
    const payload = makeUdp(source, to.guest, { sourcePort: port, destinationPort: to.guestPort, payload: bytes });
    this.wire.send({ source, destination: to.guest, protocol: PROTOCOL_UDP, payload });
  }

  private limit(): void {
    if (this.flows.size <= MOST_SOCKETS) return;
    const oldest = [...this.flows].find(([, flow]) => !flow.forwarded);
    if (oldest !== undefined) this.remove(...oldest);
  }

  private sweep(): void {
    const now = this.sockets.nowMs();
    for (const [key, flow] of this.flows) if (!flow.forwarded && now - flow.usedMs > LIFETIME_MS) this.remove(key, flow);
    this.cancelSweep = [...this.flows.values()].some((flow) => !flow.forwarded) ? this.sockets.after(SWEEP_MS, () => this.sweep()) : null;
  }

  private remove(key: string, flow: Flow): void {
    flow.socket.close();
    this.flows.delete(key);
  }
}
