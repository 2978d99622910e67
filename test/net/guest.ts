import { ARP_REPLY, ARP_REQUEST, makeArp, parseArp } from '../../src/net/arp.js';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, makeFrame, parseFrame } from '../../src/net/ethernet.js';
import { makeIpv4, PROTOCOL_TCP, parseIpv4Packet } from '../../src/net/ipv4.js';
import { parseIpv4 } from '../../src/net/ipv4-address.js';
import { makeTcp, parseTcp, type TcpSegment } from '../../src/net/tcp-segment.js';
import { UserNetwork } from '../../src/net/user-network.js';
import type { UserNetworkConfig } from '../../src/net/user-network-config.js';
import { FakeHost } from './fake-host.js';

export const MAC = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
export const GUEST = parseIpv4('10.0.2.15')!;
export const HOST = parseIpv4('10.0.2.2')!;
export const DNS = parseIpv4('10.0.2.3')!;
export const GATEWAY_MAC = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);

export const USER: UserNetworkConfig = {
  network: '10.0.2.0',
  prefix: 24,
  host: '10.0.2.2',
  dns: '10.0.2.3',
  dhcpStart: '10.0.2.15',
  restrict: false,
  hostname: null,
  domain: null,
  forwards: [],
};

/** A guest that puts packets on its wire by hand. */
export class Guest {
  readonly host = new FakeHost();
  readonly frames: Uint8Array[] = [];
  readonly network: UserNetwork;
  private id = 1;

  constructor(config: Partial<UserNetworkConfig> = {}) {
    this.network = new UserNetwork({ ...USER, ...config }, this.host, (frame) => void this.frames.push(frame));
  }

  /** The frames since the last call. */
  taken(): Uint8Array[] {
    return this.frames.splice(0);
  }

  ipv4(protocol: number, destination: number, payload: Uint8Array, source = GUEST): void {
    for (const packet of makeIpv4({ source, destination, protocol, payload }, this.id++))
      this.network.input(makeFrame(GATEWAY_MAC, MAC, ETHERTYPE_IPV4, packet));
  }

  /** Packets of a protocol since the last call, answering requests for our address. */
  packets(protocol: number): { source: number; destination: number; payload: Uint8Array; mac: Uint8Array }[] {
    return this.taken().flatMap((bytes) => {
      const frame = parseFrame(bytes)!;
      if (frame.type === ETHERTYPE_ARP) {
        const arp = parseArp(frame.payload)!;
        if (arp.operation === ARP_REQUEST && arp.target === GUEST) {
          const reply = makeArp({ operation: ARP_REPLY, senderMac: MAC, sender: GUEST, targetMac: arp.senderMac, target: arp.sender });
          this.network.input(makeFrame(GATEWAY_MAC, MAC, ETHERTYPE_ARP, reply));
          return this.packets(protocol);
        }
        return [];
      }
      const ip = parseIpv4Packet(frame.payload);
      return ip === null || ip.protocol !== protocol ? [] : [{ ...ip, mac: bytes.subarray(0, 6) }];
    });
  }

  tcp(segment: Partial<TcpSegment> & Pick<TcpSegment, 'flags' | 'sequence'>, destination = HOST): void {
    const whole = { sourcePort: 40000, destinationPort: 80, acknowledgment: 0, window: 65535, payload: new Uint8Array(0), ...segment };
    this.ipv4(PROTOCOL_TCP, destination, makeTcp(GUEST, destination, whole));
  }

  segments(): TcpSegment[] {
    return this.packets(PROTOCOL_TCP).map((packet) => parseTcp({ ...packet, protocol: PROTOCOL_TCP })!);
  }
}
