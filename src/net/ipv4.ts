import { checksum, onesSum } from './checksum.js';

/** IPv4 packets (RFC 791). */
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
/** Largest packet on the network. */
export const MTU = 1500;
export const IP_HEADER_BYTES = 20;
const TTL = 64;
/** Of answers to echo requests, as QEMU's. */
const ICMP_TTL = 255;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const OFFSET_UNIT = 8;

export interface Ipv4Packet {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

/** A packet as it comes: perhaps a part of one. */
export interface Ipv4Fragment extends Ipv4Packet {
  readonly id: number;
  readonly offset: number;
  readonly more: boolean;
  /** The header, with options. */
  readonly header: Uint8Array;
}

/** Null: cut off, of another version, or damaged. What follows the packet in its frame is left out. */
export function parseIpv4Packet(bytes: Uint8Array): Ipv4Fragment | null {
  if (bytes.length < IP_HEADER_BYTES || bytes[0]! >> 4 !== 4) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const headerBytes = (bytes[0]! & 0xf) * 4;
  const totalBytes = view.getUint16(2);
  if (headerBytes < IP_HEADER_BYTES || totalBytes < headerBytes || totalBytes > bytes.length) return null;
  const header = bytes.subarray(0, headerBytes);
  if (onesSum(header) !== 0xffff) return null;
  const flags = view.getUint16(6);
  return {
    id: view.getUint16(4),
    offset: (flags & OFFSET_MASK) * OFFSET_UNIT,
    more: (flags & MORE_FRAGMENTS) !== 0,
    protocol: bytes[9]!,
    source: view.getUint32(12),
    destination: view.getUint32(16),
    header,
    payload: bytes.subarray(headerBytes, totalBytes),
  };
}

/** The packets that carry a payload, of MTU bytes at most. @param id of all of them */
export function makeIpv4({ source, destination, protocol, payload }: Ipv4Packet, id: number): Uint8Array[] {
  const most = MTU - IP_HEADER_BYTES;
  const packets: Uint8Array[] = [];
  for (let offset = 0; offset === 0 || offset < payload.length; offset += most) {
    const part = payload.subarray(offset, offset + most);
    const bytes = new Uint8Array(IP_HEADER_BYTES + part.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0x4500);
    view.setUint16(2, bytes.length);
    view.setUint16(4, id);
    view.setUint16(6, offset / OFFSET_UNIT + (offset + part.length < payload.length ? MORE_FRAGMENTS : 0));
    bytes[8] = protocol === PROTOCOL_ICMP ? ICMP_TTL : TTL;
    bytes[9] = protocol;
    view.setUint32(12, source);
    view.setUint32(16, destination);
    view.setUint16(10, checksum(bytes.subarray(0, IP_HEADER_BYTES)));
    bytes.set(part, IP_HEADER_BYTES);
    packets.push(bytes);
  }
  return packets;
}
