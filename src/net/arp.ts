import { MAC_BYTES } from './ethernet.js';

/** Address resolution for Ethernet and IPv4 (RFC 826). */
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
const PACKET_BYTES = 28;
/** Ethernet, IPv4, lengths 6 and 4. */
const KIND = [0, 1, 8, 0, 6, 4];

export interface Arp {
  readonly operation: number;
  readonly senderMac: Uint8Array;
  readonly sender: number;
  readonly targetMac: Uint8Array;
  readonly target: number;
}

/** Null: not of this kind, or cut off. */
export function parseArp(bytes: Uint8Array): Arp | null {
  if (bytes.length < PACKET_BYTES || KIND.some((byte, i) => bytes[i] !== byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    operation: view.getUint16(6),
    senderMac: bytes.subarray(8, 8 + MAC_BYTES),
    sender: view.getUint32(14),
    targetMac: bytes.subarray(18, 18 + MAC_BYTES),
    target: view.getUint32(24),
  };
}

export function makeArp({ operation, senderMac, sender, targetMac, target }: Arp): Uint8Array {
  const bytes = new Uint8Array(PACKET_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(KIND);
  view.setUint16(6, operation);
  bytes.set(senderMac, 8);
  view.setUint32(14, sender);
  bytes.set(targetMac, 18);
  view.setUint32(24, target);
  return bytes;
}
