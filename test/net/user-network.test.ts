// Oracle: manual (RFC 826, 768, 791, 792, 2131): what a station on the network is answered
import { describe, expect, it } from 'vitest';
import { ARP_REPLY, ARP_REQUEST, makeArp, parseArp } from '../../src/net/arp.js';
import { onesSum } from '../../src/net/checksum.js';
import { BROADCAST_MAC, ETHERTYPE_ARP, makeFrame, parseFrame } from '../../src/net/ethernet.js';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../src/net/ipv4.js';
import { formatIpv4, parseIpv4 } from '../../src/net/ipv4-address.js';
import { ACK, FIN, RST, SYN } from '../../src/net/tcp-segment.js';
import { makeUdp, parseUdp } from '../../src/net/udp.js';
import { Random } from '../devices/random-script.js';
import { DNS, GATEWAY_MAC, GUEST, Guest, HOST, MAC } from './guest.js';

const NOBODY = 0;
const BROADCAST = 0xffffffff;

function echoRequest(data: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + data.length);
  message[0] = 8;
  message.set(data, 8);
  new DataView(message.buffer).setUint16(2, ~onesSum(message));
  return message;
}

function dhcp(type: number, options: readonly number[] = [], mac = MAC): Uint8Array {
  const message = new Uint8Array(300);
  message.set([1, 1, 6, 0, 0xaa, 0xbb, 0xcc, 0xdd]);
  message.set(mac, 28);
  message.set([0x63, 0x82, 0x53, 0x63, 53, 1, type, ...options, 255], 236);
  return message;
}

/** Type of the message, address given, options by number. */
function answer(guest: Guest): { type: number; address: string; options: Map<number, number[]> } | null {
  const [packet] = guest.packets(PROTOCOL_UDP);
  if (packet === undefined) return null;
  expect([...packet.mac]).toEqual([...BROADCAST_MAC]);
  const { payload } = parseUdp({ ...packet, protocol: PROTOCOL_UDP })!;
  const options = new Map<number, number[]>();
  for (let at = 240; payload[at] !== 255; at += 2 + payload[at + 1]!)
    options.set(payload[at]!, [...payload.subarray(at + 2, at + 2 + payload[at + 1]!)]);
  const address = formatIpv4(new DataView(payload.buffer, payload.byteOffset).getUint32(16));
  return { type: options.get(53)![0]!, address, options };
}

const udp = (guest: Guest, source: number, to: number, port: number, payload: Uint8Array, from = 68): void =>
  guest.ipv4(PROTOCOL_UDP, to, makeUdp(source, to, { sourcePort: from, destinationPort: port, payload }), source);

describe('the host on the network', () => {
  it('answers who it is, and nobody else', () => {
    const guest = new Guest();
    for (const target of [HOST, DNS, GUEST, parseIpv4('10.0.2.77')!]) {
      const request = makeArp({ operation: ARP_REQUEST, senderMac: MAC, sender: GUEST, targetMac: new Uint8Array(6), target });
      guest.network.input(makeFrame(BROADCAST_MAC, MAC, ETHERTYPE_ARP, request));
    }
    const replies = guest.taken().map((frame) => ({ length: frame.length, arp: parseArp(parseFrame(frame)!.payload)! }));
    expect(replies.map(({ length, arp }) => [length, arp.operation, arp.sender])).toEqual([
      [60, ARP_REPLY, HOST],
      [60, ARP_REPLY, DNS],
    ]);
    expect([...replies[0]!.arp.senderMac]).toEqual([...GATEWAY_MAC]);
  });

  it("gives the first address, keeps it for its station, and refuses what is another one's", () => {
    const guest = new Guest({ hostname: 'box', domain: 'example.org' });
    const ask = (message: Uint8Array): ReturnType<typeof answer> => {
      udp(guest, NOBODY, BROADCAST, 67, message);
      return answer(guest);
    };
    expect(ask(dhcp(1))).toMatchObject({ type: 2, address: '10.0.2.15' });
    const granted = ask(dhcp(3, [50, 4, 10, 0, 2, 15]))!;
    expect(granted).toMatchObject({ type: 5, address: '10.0.2.15' });
    expect(granted.options.get(1)).toEqual([255, 255, 255, 0]);
    expect(granted.options.get(3)).toEqual([10, 0, 2, 2]);
    expect(granted.options.get(6)).toEqual([10, 0, 2, 3]);
    expect(granted.options.get(51)).toEqual([0, 1, 0x51, 0x80]);
    expect(Buffer.from(granted.options.get(12)!).toString()).toBe('box');
    expect(Buffer.from(granted.options.get(15)!).toString()).toBe('example.org');
    const other = Uint8Array.of(2, 0, 0, 0, 0, 1);
    expect(ask(dhcp(3, [50, 4, 10, 0, 2, 15], other))).toMatchObject({ type: 6, address: '0.0.0.0' });
    expect(ask(dhcp(1, [50, 4, 10, 0, 2, 20], other))).toMatchObject({ type: 2, address: '10.0.2.20' });
    expect(ask(dhcp(3, [], MAC))).toMatchObject({ type: 5, address: '10.0.2.15' });
    expect(ask(dhcp(8))).toBeNull();
  });

  it('answers an echo request in fragments with one in fragments', () => {
    const guest = new Guest();
    const data = Uint8Array.from({ length: 4000 }, (_, i) => i * 7);
    guest.ipv4(PROTOCOL_ICMP, HOST, echoRequest(data));
    const parts = guest.packets(PROTOCOL_ICMP);
    expect(parts.map(({ payload }) => payload.length)).toEqual([1480, 1480, 1048]);
    const whole = Buffer.concat(parts.map(({ payload }) => payload));
    expect([whole[0], onesSum(whole), whole.subarray(8).equals(data)]).toEqual([0, 0xffff, true]);
    guest.ipv4(PROTOCOL_ICMP, parseIpv4('192.0.2.9')!, echoRequest(data.subarray(0, 20)));
    expect(guest.packets(PROTOCOL_ICMP).map(({ payload }) => [payload[0], payload[1]])).toEqual([[3, 0]]);
  });

  it('carries datagrams out and back, to its loopback and its name server as well', () => {
    const guest = new Guest();
    const data = Uint8Array.of(1, 2, 3);
    for (const [to, port] of [
      [HOST, 7],
      [DNS, 53],
      [parseIpv4('198.51.100.4')!, 99],
      [parseIpv4('10.0.2.77')!, 7],
    ] as const)
      udp(guest, GUEST, to, port, data, 5000);
    expect(guest.host.sent.map(({ address, port }) => `${address}:${port}`)).toEqual(['127.0.0.1:7', '192.0.2.53:53', '198.51.100.4:99']);
    expect(guest.host.takers.length).toBe(1);
    for (const [address, port] of [
      ['127.0.0.1', 7],
      ['192.0.2.53', 53],
      ['203.0.113.1', 44],
    ] as const)
      guest.host.takers[0]!(Uint8Array.of(9), address, port);
    const back = guest
      .packets(PROTOCOL_UDP)
      .map((p) => [formatIpv4(p.source), parseUdp({ ...p, protocol: PROTOCOL_UDP })!.destinationPort]);
    expect(back).toEqual([
      ['10.0.2.2', 5000],
      ['10.0.2.3', 5000],
      ['203.0.113.1', 5000],
    ]);
  });

  it('lets nobody out of a restricted network, but in by forwarded ports', async () => {
    const forward = { protocol: 'udp', hostAddress: '127.0.0.1', hostPort: 5, guestAddress: '10.0.2.15', guestPort: 6 } as const;
    const guest = new Guest({ restrict: true, forwards: [forward] });
    await guest.network.start();
    udp(guest, GUEST, HOST, 7, Uint8Array.of(1), 5000);
    guest.tcp({ flags: SYN, sequence: 1 });
    expect([guest.host.sent.length, guest.host.streams.length, guest.segments().length]).toEqual([0, 0, 0]);
    guest.host.takers[0]!(Uint8Array.of(9), '127.0.0.1', 1234);
    expect(guest.packets(PROTOCOL_UDP).length).toBe(1);
  });
});

/** Frames of every kind, some of them damaged, many of them of one connection. */
function hostileFrame(r: Random): (guest: Guest) => void {
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => r.byte());
  const to = r.pick([HOST, DNS, GUEST, BROADCAST, 0, 0xe0000001, r.below(0x7fffffff), parseIpv4('198.51.100.4')!]);
  switch (r.below(7)) {
    case 0:
      return (guest) => guest.network.input(bytes(r.below(1600)));
    case 1:
      return (guest) => guest.network.input(makeFrame(GATEWAY_MAC, bytes(6), r.pick([0x800, 0x806, 0x86dd]), bytes(r.below(200))));
    case 2:
      return (guest) => guest.ipv4(r.pick([1, 6, 17, r.byte()]), to, bytes(r.below(3000)), r.pick([GUEST, HOST, 0, r.below(0x7fffffff)]));
    case 3:
      return (guest) => udp(guest, r.pick([GUEST, 0]), to, r.pick([67, 53, r.below(65536)]), bytes(r.below(600)), r.below(65536));
    case 4: {
      const message = dhcp(r.byte(), [...bytes(r.below(50))]);
      for (let i = r.below(4); i > 0; i--) message[r.below(300)] = r.byte();
      return (guest) => udp(guest, 0, BROADCAST, 67, message);
    }
    default: {
      const flags = r.pick([SYN, ACK, ACK, ACK, ACK | FIN, RST, SYN | ACK, r.byte()]);
      const [sequence, acknowledgment] = [r.pick([1, 2, 3, r.below(70000), r.below(0x7fffffff)]), r.below(0x7fffffff)];
      const segment = { flags, sequence, acknowledgment, window: r.below(65536), payload: bytes(r.below(100)), sourcePort: r.below(400) };
      return (guest) => guest.tcp(segment, to);
    }
  }
}

describe('hostile frames', () => {
  it.each([1, 2, 3])('never break anything, and are forgotten in the end (seed %i)', (seed) => {
    const r = new Random(seed);
    const guest = new Guest();
    for (let i = 0; i < 8_000; i++) {
      hostileFrame(r)(guest);
      if (i % 50 === 0) guest.host.advance(r.below(500));
      for (const stream of guest.host.streams.splice(0, guest.host.streams.length > 40 ? 20 : 0)) {
        if (stream.destroyed) continue;
        r.pick([
          () => stream.events.connected(),
          () => stream.events.received(new Uint8Array(r.below(5000))),
          () => stream.events.ended(),
          () => stream.events.failed(r.pick(['refused', 'unreachable', 'reset'])),
        ])();
      }
      for (const frame of guest.taken()) expect(frame.length >= 60 && frame.length <= 1514).toBe(true);
    }
    // The network works still.
    guest.network.close();
    guest.host.advance(1e7);
    expect(guest.host.pendingTimers).toBe(0);
    const fresh = new Guest();
    fresh.ipv4(PROTOCOL_TCP, HOST, new Uint8Array(3));
    expect(fresh.taken()).toEqual([]);
  });
});
