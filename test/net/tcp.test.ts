// Oracle: manual (RFC 9293, 6298, 5681) and self-consistency: every byte arrives once and in order, whatever the wire loses, repeats or exchanges
import { describe, expect, it } from 'vitest';
import { PROTOCOL_ICMP, PROTOCOL_TCP } from '../../src/net/ipv4.js';
import { TcpConnection, type TcpOwner } from '../../src/net/tcp-connection.js';
import { ACK, FIN, PSH, RST, SYN, type TcpSegment } from '../../src/net/tcp-segment.js';
import { Random } from '../devices/random-script.js';
import { FakeHost } from './fake-host.js';
import { Guest, HOST } from './guest.js';

function connected(): { guest: Guest; theirs: number } {
  const guest = new Guest();
  guest.tcp({ flags: SYN, sequence: 1000 });
  expect(guest.segments()).toEqual([]);
  const [stream] = guest.host.streams;
  expect([stream!.address, stream!.port]).toEqual(['127.0.0.1', 80]);
  stream!.events.connected();
  const [answer] = guest.segments();
  expect([answer!.flags, answer!.acknowledgment, answer!.mss]).toEqual([SYN | ACK, 1001, 1460]);
  const theirs = (answer!.sequence + 1) >>> 0;
  guest.tcp({ flags: ACK, sequence: 1001, acknowledgment: theirs });
  return { guest, theirs };
}

describe('a connection to the host', () => {
  it('carries bytes both ways and ends in good order', () => {
    const { guest, theirs } = connected();
    const stream = guest.host.streams[0]!;
    guest.tcp({ flags: ACK | PSH, sequence: 1001, acknowledgment: theirs, payload: Buffer.from('GET /') });
    expect(guest.segments().map((s) => s.acknowledgment)).toEqual([1006]);
    expect(stream.text.toString()).toBe('GET /');
    stream.events.received(Buffer.from('answer'));
    stream.events.ended();
    const [data, fin] = guest.segments();
    expect([Buffer.from(data!.payload).toString(), data!.sequence, fin!.flags & FIN]).toEqual(['answer', theirs, FIN]);
    const end = (theirs + 7) >>> 0;
    guest.tcp({ flags: ACK | FIN, sequence: 1006, acknowledgment: end });
    expect(guest.segments().at(-1)).toMatchObject({ flags: ACK, acknowledgment: 1007 });
    expect([stream.ended, stream.destroyed]).toEqual([true, false]);
    // A FIN that is repeated is answered; a new connection may take the place of the old.
    guest.tcp({ flags: ACK | FIN, sequence: 1006, acknowledgment: end });
    expect(guest.segments()).toMatchObject([{ flags: ACK, acknowledgment: 1007 }]);
    guest.host.advance(20_000);
    expect([stream.destroyed, guest.host.pendingTimers]).toEqual([true, 0]);
    guest.tcp({ flags: SYN, sequence: 5000 });
    expect(guest.host.streams.length).toBe(2);
  });

  it('is refused when nobody listens, and when there is no way', () => {
    for (const [reason, seen] of [
      ['refused', [1, 0]],
      ['unreachable', [0, 1]],
    ] as const) {
      const guest = new Guest();
      guest.tcp({ flags: SYN, sequence: 7 });
      guest.host.streams[0]!.events.failed(reason);
      const frames = guest.frames.slice();
      const resets = guest.segments().filter((s) => s.flags & RST && s.acknowledgment === 8).length;
      guest.frames.push(...frames);
      expect([resets, guest.packets(PROTOCOL_ICMP).length], reason).toEqual(seen);
    }
  });

  it('answers a segment of no connection with a reset', () => {
    const guest = new Guest();
    guest.tcp({ flags: ACK, sequence: 5, acknowledgment: 77 });
    guest.tcp({ flags: FIN, sequence: 5 });
    guest.tcp({ flags: RST, sequence: 5 });
    expect(guest.segments()).toMatchObject([
      { flags: RST, sequence: 77 },
      { flags: RST | ACK, acknowledgment: 6 },
    ]);
  });

  it('sends again what is not acknowledged, ever more seldom, and gives up in the end', () => {
    const { guest } = connected();
    const stream = guest.host.streams[0]!;
    stream.events.received(Buffer.from('x'));
    const times: number[] = [];
    while (!stream.destroyed && guest.host.now < 3_600_000) {
      guest.host.advance(100);
      for (const s of guest.segments()) if (s.payload.length > 0) times.push(guest.host.now);
    }
    const gaps = times.slice(1).map((t, i) => t - times[i]!);
    expect(gaps.slice(1, 6).every((gap, i) => gap >= 1.8 * gaps[i]!)).toBe(true);
    expect([times.length, stream.destroyed, guest.host.pendingTimers]).toEqual([16, true, 0]);
  });

  it('fills the window that the guest gives, and asks whether a closed one has opened', () => {
    const { guest, theirs } = connected();
    const stream = guest.host.streams[0]!;
    guest.segments();
    guest.tcp({ flags: ACK, sequence: 1001, acknowledgment: theirs, window: 3000 });
    const data = Uint8Array.from({ length: 300_000 }, (_, i) => i);
    stream.events.received(data);
    expect(stream.paused).toBe(true);
    const first = guest.segments();
    expect(first.reduce((sum, s) => sum + s.payload.length, 0)).toBe(2920);
    guest.tcp({ flags: ACK, sequence: 1001, acknowledgment: (theirs + 2920) >>> 0, window: 0 });
    expect(guest.segments()).toEqual([]);
    guest.host.advance(10_000);
    const probes = guest.segments();
    expect(probes.length).toBeGreaterThan(1);
    expect(probes.every((s) => s.payload.length === 1 && s.sequence === (theirs + 2920) >>> 0)).toBe(true);
    guest.tcp({ flags: ACK, sequence: 1001, acknowledgment: (theirs + 2920) >>> 0, window: 5000 });
    expect(guest.segments()[0]).toMatchObject({ sequence: (theirs + 2920) >>> 0, payload: { length: 1460 } });
  });

  it('takes no more than the host has room for', () => {
    const { guest, theirs } = connected();
    const stream = guest.host.streams[0]!;
    stream.unsent = 65_535;
    let sequence = 1001;
    let window = 65_535;
    for (let i = 0; i < 200 && window > 0; i++) {
      const payload = new Uint8Array(Math.min(1460, window));
      guest.tcp({ flags: ACK, sequence, acknowledgment: theirs, payload });
      sequence += payload.length;
      window = guest.segments().at(-1)!.window;
    }
    expect([sequence - 1001, window]).toEqual([65_535, 0]);
    guest.tcp({ flags: ACK, sequence, acknowledgment: theirs, payload: Uint8Array.of(1) });
    expect(guest.segments().at(-1)).toMatchObject({ acknowledgment: sequence, window: 0 });
    stream.unsent = 0;
    stream.events.drained();
    expect(guest.segments()).toMatchObject([{ acknowledgment: sequence, window: 65_535 }]);
  });

  it('is there for somebody outside who comes by a forwarded port', async () => {
    const forward = { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestAddress: '10.0.2.15', guestPort: 22 } as const;
    const guest = new Guest({ forwards: [forward] });
    await guest.network.start();
    const stream = guest.host.connect('', 0, {} as never);
    const events = guest.host.accept!(stream, { address: '127.0.0.1', port: 50_000 })!;
    const [syn] = guest.segments();
    expect([syn!.flags, syn!.sourcePort, syn!.destinationPort]).toEqual([SYN, 50_000, 22]);
    const ends = { sourcePort: 22, destinationPort: 50_000 };
    guest.tcp({ ...ends, flags: SYN | ACK, sequence: 9, acknowledgment: (syn!.sequence + 1) >>> 0 }, HOST);
    events.received(Buffer.from('SSH'));
    expect(guest.segments().map((s) => Buffer.from(s.payload).toString())).toEqual(['', 'SSH']);
    guest.tcp({ ...ends, flags: ACK, sequence: 10, acknowledgment: (syn!.sequence + 4) >>> 0, payload: Buffer.from('hi') }, HOST);
    expect(guest.host.streams[0]!.text.toString()).toBe('hi');
  });
});

interface End {
  readonly connection: TcpConnection;
  readonly received: Uint8Array[];
  ended: boolean;
  closed: boolean;
}

/** Two of our own ends, joined by a wire that loses, repeats and exchanges segments. */
function bothEnds(host: FakeHost, r: Random, loss: number): [End, End] {
  const ends: End[] = [];
  const owner = (mine: number): TcpOwner => ({
    transmit: (segment) => {
      const copies = r.below(100) < loss ? 0 : r.below(100) < loss ? 2 : 1;
      const whole: TcpSegment = { ...segment, payload: segment.payload.slice(), sourcePort: 1, destinationPort: 2, mss: 1460 };
      for (let i = 0; i < copies; i++)
        host.after(1 + (r.below(100) < loss ? r.below(40) : 0), () => ends[1 - mine]?.connection.input(whole));
    },
    received: (bytes) => void ends[mine]!.received.push(bytes.slice()),
    unsent: 0,
    ended: () => {
      ends[mine]!.ended = true;
    },
    roomAgain: () => {},
    closed: () => {
      ends[mine]!.closed = true;
    },
  });
  const add = (connection: TcpConnection): void => void ends.push({ connection, received: [], ended: false, closed: false });
  let syn: TcpSegment | null = null;
  const first = owner(0);
  const opening = {
    ...first,
    transmit: (s: Parameters<TcpOwner['transmit']>[0]) => {
      if (s.flags === SYN && syn === null) syn = { ...s, sourcePort: 1, destinationPort: 2, mss: 1460 };
      else first.transmit(s);
    },
  };
  add(TcpConnection.toGuest(opening, host));
  add(TcpConnection.fromGuest(owner(1), host, syn!));
  ends[1]!.connection.hostConnected();
  return ends as [End, End];
}

describe('over a bad wire', () => {
  it.each([
    [1, 0],
    [2, 5],
    [3, 15],
    [4, 30],
  ])('everything arrives (seed %i, %i in 100 lost)', (seed, loss) => {
    const host = new FakeHost();
    const r = new Random(seed);
    const [a, b] = bothEnds(host, r, loss);
    const data = [a, b].map((_, n) => Uint8Array.from({ length: 200_000 }, (_, i) => (i * (n + 3)) ^ (i >> 8)));
    const sent = [0, 0];
    for (let turn = 0; turn < 200_000 && !(a.closed && b.closed); turn++) {
      [a, b].forEach(({ connection }, n) => {
        if (sent[n]! < 200_000 && r.below(3) === 0) {
          const size = 1 + r.below(9000);
          connection.send(data[n]!.subarray(sent[n]!, sent[n]! + size));
          sent[n]! += size;
          if (sent[n]! >= 200_000) connection.end();
        }
      });
      host.advance(20);
    }
    for (const [n, end] of [b, a].entries()) {
      expect(Buffer.compare(Buffer.concat(end.received), Buffer.from(data[n]!)), `direction ${n}`).toBe(0);
      expect(end.ended).toBe(true);
    }
    expect([a.closed, b.closed, host.pendingTimers]).toEqual([true, true, 0]);
  });

  it('checks every segment', () => {
    const guest = new Guest();
    const bytes = new Uint8Array(20);
    bytes.set([0, 1, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 0xff, 0xff, 0x12, 0x34]);
    guest.ipv4(PROTOCOL_TCP, HOST, bytes);
    expect(guest.host.streams.length).toBe(0);
  });
});
