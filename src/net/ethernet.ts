/** Ethernet frames (IEEE 802.3) without their check sequence. */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const BROADCAST_MAC = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
export const MAC_BYTES = 6;
const HEADER_BYTES = 14;
const SMALLEST_FRAME = 60;

export interface Frame {
  readonly source: Uint8Array;
  readonly type: number;
  readonly payload: Uint8Array;
}

/** Null: too short to be one. */
export function parseFrame(bytes: Uint8Array): Frame | null {
  if (bytes.length < HEADER_BYTES) return null;
  return {
    source: bytes.subarray(MAC_BYTES, 2 * MAC_BYTES),
    type: (bytes[12]! << 8) | bytes[13]!,
    payload: bytes.subarray(HEADER_BYTES),
  };
}

/** A frame, filled up to the shortest that there is. */
export function makeFrame(destination: Uint8Array, source: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(Math.max(HEADER_BYTES + payload.length, SMALLEST_FRAME));
  frame.set(destination);
  frame.set(source, MAC_BYTES);
  frame.set([type >> 8, type & 0xff], 12);
  frame.set(payload, HEADER_BYTES);
  return frame;
}
