import { checksum, onesSum } from './checksum.js';
import type { Ipv4Fragment } from './ipv4.js';

/** ICMP (RFC 792). */
const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const ECHO = 8;
const HEADER_BYTES = 8;
/** Of the packet that could not be delivered. */
const QUOTED_BYTES = 8;
export const NET_UNREACHABLE = 0;
export const HOST_UNREACHABLE = 1;

/** The answer to an echo request; null: it is none. */
export function echoReply(payload: Uint8Array): Uint8Array | null {
  if (payload.length < HEADER_BYTES || payload[0] !== ECHO || payload[1] !== 0 || onesSum(payload) !== 0xffff) return null;
  const reply = payload.slice();
  reply[0] = ECHO_REPLY;
  return sealed(reply);
}

/** Says that a packet was not delivered; null for those of which nothing is said. */
export function unreachable(packet: Ipv4Fragment, code: number): Uint8Array | null {
  if (packet.offset !== 0) return null;
  const quoted = packet.payload.subarray(0, QUOTED_BYTES);
  const message = new Uint8Array(HEADER_BYTES + packet.header.length + quoted.length);
  message[0] = UNREACHABLE;
  message[1] = code;
  message.set(packet.header, HEADER_BYTES);
  message.set(quoted, HEADER_BYTES + packet.header.length);
  return sealed(message);
}

function sealed(message: Uint8Array): Uint8Array {
  message[2] = message[3] = 0;
  new DataView(message.buffer).setUint16(2, checksum(message));
  return message;
}
