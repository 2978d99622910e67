import type { Ipv4Fragment, Ipv4Packet } from './ipv4.js';

const MOST_DATAGRAMS = 16;
const MOST_FRAGMENTS = 64;
const LONGEST_PAYLOAD = 65515;
/** RFC 791 has 15 s at least, RFC 1122 a minute. */
const LIFETIME_MS = 30_000;

interface Datagram {
  readonly begunMs: number;
  readonly parts: Ipv4Fragment[];
}

/** Puts fragmented packets together (RFC 791, section 3.2). What is incomplete for long, or one of too many, is dropped; so is what overlaps. */
export class Reassembly {
  private readonly datagrams = new Map<string, Datagram>();

  /** A packet that is whole with this fragment; null: there is more to come, or it is dropped. */
  add(fragment: Ipv4Fragment, nowMs: number): Ipv4Packet | null {
    if (!fragment.more && fragment.offset === 0) return fragment;
    const { source, destination, protocol, id, offset, payload } = fragment;
    const key = `${source} ${destination} ${protocol} ${id}`;
    for (const [other, { begunMs }] of this.datagrams) if (nowMs - begunMs > LIFETIME_MS) this.datagrams.delete(other);
    const datagram = this.datagrams.get(key) ?? { begunMs: nowMs, parts: [] };
    const again = datagram.parts.some((p) => p.offset === offset && p.payload.length === payload.length);
    if (again) return null;
    const overlaps = datagram.parts.some((p) => offset < p.offset + p.payload.length && p.offset < offset + payload.length);
    if (overlaps || payload.length === 0 || offset + payload.length > LONGEST_PAYLOAD || datagram.parts.length >= MOST_FRAGMENTS) {
      this.datagrams.delete(key);
      return null;
    }
    datagram.parts.push({ ...fragment, payload: payload.slice() });
    this.datagrams.set(key, datagram);
    const whole = joined(datagram.parts);
    if (whole !== null) this.datagrams.delete(key);
    else if (this.datagrams.size > MOST_DATAGRAMS) this.datagrams.delete(this.datagrams.keys().next().value!);
    return whole === null ? null : { source, destination, protocol, payload: whole };
  }
}

function joined(parts: readonly Ipv4Fragment[]): Uint8Array | null {
  const inOrder = [...parts].sort((a, b) => a.offset - b.offset);
  const last = inOrder.at(-1)!;
  if (last.more) return null;
  const payload = new Uint8Array(last.offset + last.payload.length);
  let end = 0;
  for (const part of inOrder) {
    if (part.offset !== end) return null;
    payload.set(part.payload, end);
    end += part.payload.length;
  }
  return payload;
}
