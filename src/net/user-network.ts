import { ARP_REPLY, ARP_REQUEST, makeArp, parseArp } from './arp.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpServer } from './dhcp.js';
import { BROADCAST_MAC, ETHERTYPE_ARP, ETHERTYPE_IPV4, makeFrame, parseFrame } from './ethernet.js';
import type { HostSockets } from './host-sockets.js';
import { echoReply, NET_UNREACHABLE, unreachable } from './icmp.js';
import { type Ipv4Fragment, type Ipv4Packet, makeIpv4, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, parseIpv4Packet } from './ipv4.js';
import { formatIpv4, parseIpv4, prefixMask } from './ipv4-address.js';
import { Reassembly } from './reassembly.js';
import { TcpFlows } from './tcp-flows.js';
import { makeUdp, parseUdp } from './udp.js';
import { UdpFlows } from './udp-flows.js';
import type { UserNetworkConfig } from './user-network-config.js';
import type { Wire } from './wire.js';

const LOOPBACK = '127.0.0.1';
const BROADCAST = 0xffffffff;
const FIRST_MULTICAST = 0xe0000000;
/** Stations whose Ethernet address is known, and packets that wait for one. */
const MOST_STATIONS = 256;
const MOST_WAITING = 16;
/** Our Ethernet addresses: these and the IPv4 address. */
const MAC_PREFIX = [0x52, 0x55];
const NO_MAC = new Uint8Array(6);

/**
 * A network of the guest's own, with a host on it that is gateway, DHCP server, name server and door to the outside: what QEMU calls a user network. It only needs the host's
 * sockets. The guest's TCP and UDP end here, and go on from the host's own.
 */
export class UserNetwork implements Wire {
  readonly hostAddress: number;
  private readonly config: UserNetworkConfig;
  private readonly sockets: HostSockets;
  private readonly emit: (frame: Uint8Array) => void;
  private readonly network: number;
  private readonly mask: number;
  private readonly dns: number;
  private readonly dhcp: DhcpServer;
  private readonly reassembly = new Reassembly();
  private readonly tcp: TcpFlows;
  private readonly udp: UdpFlows;
  private readonly stations = new Map<number, Uint8Array>();
  private waiting: { readonly to: number; readonly packet: Uint8Array }[] = [];
  private nextId = 1;

  /** @param emit takes the frames for the guest */
  constructor(config: UserNetworkConfig, sockets: HostSockets, emit: (frame: Uint8Array) => void) {
    this.config = config;
    this.sockets = sockets;
    this.emit = emit;
    this.network = parseIpv4(config.network)!;
    this.mask = prefixMask(config.prefix);
    this.hostAddress = parseIpv4(config.host)!;
    this.dns = parseIpv4(config.dns)!;
    const { restrict, hostname, domain } = config;
    this.dhcp = new DhcpServer({
      mask: this.mask,
      server: this.hostAddress,
      router: restrict ? null : this.hostAddress,
      dns: restrict ? null : this.dns,
      first: parseIpv4(config.dhcpStart)!,
      hostname,
      domain,
    });
    this.tcp = new TcpFlows(this, sockets);
    this.udp = new UdpFlows(this, sockets);
  }

  /** Opens the forwarded ports. Rejects with what the host says when one cannot be had. */
  async start(): Promise<void> {
    for (const forward of this.config.forwards) {
      if (forward.protocol === 'tcp') await this.tcp.forward(forward);
      else await this.udp.forward(forward);
    }
  }

  close(): void {
    this.tcp.close();
    this.udp.close();
  }

  /** A frame from the guest. What makes no sense is dropped. */
  input(bytes: Uint8Array): void {
    const frame = parseFrame(bytes);
    if (frame === null) return;
    if (frame.type === ETHERTYPE_ARP) this.arp(frame.payload);
    else if (frame.type === ETHERTYPE_IPV4) this.ipv4(frame.source, frame.payload);
  }

  send(packet: Ipv4Packet): void {
    const id = this.nextId;
    this.nextId = (this.nextId + 1) & 0xffff;
    for (const bytes of makeIpv4(packet, id)) this.deliver(packet.destination, bytes);
  }

  refuse(packet: Ipv4Fragment, code: number): void {
    const payload = unreachable(packet, code);
    if (payload !== null) this.send({ source: this.hostAddress, destination: packet.source, protocol: PROTOCOL_ICMP, payload });
  }

  outside(destination: number): string | null {
    if (this.config.restrict) return null;
    if (destination === this.hostAddress) return LOOPBACK;
    if (destination === this.dns) return this.sockets.nameServer();
    if (this.isInside(destination) || destination >= FIRST_MULTICAST || destination >>> 24 === 0) return null;
    return formatIpv4(destination);
  }

  inside(address: string): number {
    const number = parseIpv4(address);
    return number === null || number >>> 24 === 127 || this.isInside(number) ? this.hostAddress : number;
  }

  private isInside(address: number): boolean {
    return (address & this.mask) >>> 0 === this.network;
  }

  private isOurs(address: number): boolean {
    return address === this.hostAddress || address === this.dns;
  }

  private arp(payload: Uint8Array): void {
    const arp = parseArp(payload);
    if (arp === null) return;
    this.learn(arp.sender, arp.senderMac);
    if (arp.operation !== ARP_REQUEST || !this.isOurs(arp.target) || arp.target === arp.sender) return;
    const senderMac = macOf(arp.target);
    const targetMac = arp.senderMac.slice();
    const reply = makeArp({ operation: ARP_REPLY, senderMac, sender: arp.target, targetMac, target: arp.sender });
    this.emit(makeFrame(targetMac, senderMac, ETHERTYPE_ARP, reply));
  }

  private learn(address: number, mac: Uint8Array): void {
    const groups = mac[0]! & 1;
    if (!this.isInside(address) || this.isOurs(address) || groups !== 0) return;
    this.stations.delete(address);
    this.stations.set(address, mac.slice());
    if (this.stations.size > MOST_STATIONS) this.stations.delete(this.stations.keys().next().value!);
    const ready = this.waiting.filter(({ to }) => to === address);
    if (ready.length === 0) return;
    this.waiting = this.waiting.filter(({ to }) => to !== address);
    for (const { to, packet } of ready) this.deliver(to, packet);
  }

  private ipv4(mac: Uint8Array, payload: Uint8Array): void {
    const ip = parseIpv4Packet(payload);
    if (ip === null) return;
    const known = this.isInside(ip.source);
    if (known) this.learn(ip.source, mac);
    const packet = this.reassembly.add(ip, this.sockets.nowMs());
    if (packet === null) return;
    if (packet.protocol === PROTOCOL_UDP) this.udpPacket(packet);
    // Who has no address yet can only ask for one.
    else if (!known || this.isOurs(ip.source)) return;
    else if (packet.protocol === PROTOCOL_TCP) this.tcp.input(packet, ip);
    else if (packet.protocol === PROTOCOL_ICMP) this.icmp(packet, ip);
  }

  private udpPacket(packet: Ipv4Packet): void {
    const datagram = parseUdp(packet);
    if (datagram === null) return;
    const { source, destination } = packet;
    if (datagram.destinationPort === DHCP_SERVER_PORT && (destination === this.hostAddress || destination === BROADCAST))
      this.answerDhcp(datagram.payload);
    else if (this.isInside(source) && !this.isOurs(source)) this.udp.input(packet, datagram);
  }

  /** The client may not have its address yet: the answer goes to everybody. */
  private answerDhcp(message: Uint8Array): void {
    const answer = this.dhcp.answer(message);
    if (answer === null) return;
    if (answer.address !== null) this.learn(answer.address, answer.mac);
    const source = this.hostAddress;
    const ports = { sourcePort: DHCP_SERVER_PORT, destinationPort: DHCP_CLIENT_PORT };
    const payload = makeUdp(source, BROADCAST, { ...ports, payload: answer.reply });
    this.send({ source, destination: BROADCAST, protocol: PROTOCOL_UDP, payload });
  }

  /** Only the host itself can be asked: the host's programs may not send echo requests. */
  private icmp(packet: Ipv4Packet, ip: Ipv4Fragment): void {
    const { source, destination } = packet;
    const reply = echoReply(packet.payload);
    if (reply === null) return;
    if (this.isOurs(destination)) this.send({ source: destination, destination: source, protocol: PROTOCOL_ICMP, payload: reply });
    else if (this.outside(destination) !== null) this.refuse(ip, NET_UNREACHABLE);
  }

  /** Puts a packet into a frame, once it is known whose. */
  private deliver(to: number, packet: Uint8Array): void {
    const mac = to === BROADCAST ? BROADCAST_MAC : this.stations.get(to);
    const source = macOf(this.hostAddress);
    if (mac !== undefined) return this.emit(makeFrame(mac, source, ETHERTYPE_IPV4, packet));
    if (!this.isInside(to)) return;
    this.waiting.push({ to, packet });
    if (this.waiting.length > MOST_WAITING) this.waiting.shift();
    const request = makeArp({ operation: ARP_REQUEST, senderMac: source, sender: this.hostAddress, targetMac: NO_MAC, target: to });
    this.emit(makeFrame(BROADCAST_MAC, source, ETHERTYPE_ARP, request));
  }
}

function macOf(address: number): Uint8Array {
  return Uint8Array.of(...MAC_PREFIX, address >>> 24, (address >>> 16) & 0xff, (address >>> 8) & 0xff, address & 0xff);
}
