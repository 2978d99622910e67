import { checksum, onesSum, pseudoSum } from './checksum.js';
import { type Ipv4Packet, PROTOCOL_UDP } from './ipv4.js';

const HEADER_BYTES = 8;
export const LONGEST_UDP_PAYLOAD = 65507;

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** UDP (RFC 768). Null: cut off or damaged. */
export function parseUdp({ source, destination, payload }: Ipv4Packet): UdpDatagram | null {
  if (payload.length < HEADER_BYTES) return null;
  const view = new DataView(payload.buffer, payload.byteOffset);
  const length = view.getUint16(4);
  if (length < HEADER_BYTES || length > payload.length) return null;
  const datagram = payload.subarray(0, length);
  if (view.getUint16(6) !== 0 && onesSum(datagram, pseudoSum(source, destination, PROTOCOL_UDP, length)) !== 0xffff) return null;
  return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), payload: datagram.subarray(HEADER_BYTES) };
}

/** The payload of an IPv4 packet. */
export function makeUdp(source: number, destination: number, { sourcePort, destinationPort, payload }: UdpDatagram): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(payload, HEADER_BYTES);
  view.setUint16(6, checksum(bytes, pseudoSum(source, destination, PROTOCOL_UDP, bytes.length)) || 0xffff);
  return bytes;
}
