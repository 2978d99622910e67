import { checksum, onesSum, pseudoSum } from './checksum.js';
import { type Ipv4Packet, MTU, PROTOCOL_TCP } from './ipv4.js';

/** TCP segments (RFC 9293, section 3.1). */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
const HEADER_BYTES = 20;
const OPTION_END = 0;
const OPTION_NOTHING = 1;
const OPTION_MSS = 2;
/** Data of the largest segment. */
export const LARGEST_SEGMENT = MTU - 40;
/** What a peer takes that does not say. */
const DEFAULT_MSS = 536;
const SMALLEST_MSS = 64;

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  readonly payload: Uint8Array;
  /** Data that its sender takes in one segment; of a SYN. */
  readonly mss: number;
}

/** Null: cut off or damaged. */
export function parseTcp({ source, destination, payload }: Ipv4Packet): TcpSegment | null {
  if (payload.length < HEADER_BYTES) return null;
  const view = new DataView(payload.buffer, payload.byteOffset);
  const headerBytes = (payload[12]! >> 4) * 4;
  if (headerBytes < HEADER_BYTES || headerBytes > payload.length) return null;
  if (onesSum(payload, pseudoSum(source, destination, PROTOCOL_TCP, payload.length)) !== 0xffff) return null;
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: payload[13]!,
    window: view.getUint16(14),
    payload: payload.subarray(headerBytes),
    mss: mssOf(payload.subarray(HEADER_BYTES, headerBytes)),
  };
}

function mssOf(options: Uint8Array): number {
  for (let at = 0; at < options.length && options[at] !== OPTION_END; ) {
    if (options[at] === OPTION_NOTHING) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) break;
    if (options[at] === OPTION_MSS && length === 4)
      return Math.min(LARGEST_SEGMENT, Math.max(SMALLEST_MSS, (options[at + 2]! << 8) | options[at + 3]!));
    at += length;
  }
  return DEFAULT_MSS;
}

/** The payload of an IPv4 packet. A SYN says what we take. */
export function makeTcp(source: number, destination: number, segment: Omit<TcpSegment, 'mss'>): Uint8Array {
  const { sourcePort, destinationPort, sequence, acknowledgment, flags, window, payload } = segment;
  const headerBytes = flags & SYN ? HEADER_BYTES + 4 : HEADER_BYTES;
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint32(4, sequence);
  view.setUint32(8, acknowledgment);
  bytes[12] = (headerBytes / 4) << 4;
  bytes[13] = flags;
  view.setUint16(14, window);
  if (flags & SYN) bytes.set([OPTION_MSS, 4, LARGEST_SEGMENT >> 8, LARGEST_SEGMENT & 0xff], HEADER_BYTES);
  bytes.set(payload, headerBytes);
  view.setUint16(16, checksum(bytes, pseudoSum(source, destination, PROTOCOL_TCP, bytes.length)));
  return bytes;
}
