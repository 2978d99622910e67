/** Bits of the first doubleword of a C+ transmit descriptor (RTL8139C+ data sheet, section 6.3.1): what the card does to the frame. */
const LARGE_SEND = 0x08000000;
const IP_CHECKSUM = 0x00040000;
const UDP_CHECKSUM = 0x00020000;
const TCP_CHECKSUM = 0x00010000;
export const OFFLOAD_MASK = LARGE_SEND | IP_CHECKSUM | UDP_CHECKSUM | TCP_CHECKSUM;
const MSS_SHIFT = 16;
const MSS_MASK = 0x7ff;

const ETHERNET_BYTES = 14;
const IP_BYTES = 20;
const TCP_BYTES = 20;
const TCP = 6;
const UDP = 17;
const TCP_CHECKSUM_AT = 16;
const UDP_CHECKSUM_AT = 6;
/** A checksum is written where it belongs even when the packet ends before. */
const SPARE_BYTES = 64;
const PUSH_AND_FIN = 0x09;

/** An IPv4 packet in a frame. */
interface Packet {
  /** The frame and SPARE_BYTES. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly headerBytes: number;
  readonly protocol: number;
  /** Behind the IP header. */
  readonly dataBytes: number;
}

/**
 * Computes checksums and cuts large TCP segments, as the descriptor says; what is not IPv4 stays as it is.
 * @param transfer sends one piece of a large segment
 * @returns the frame to be sent; null: it was sent in pieces
 */
export function offload(frame: Uint8Array, control: number, transfer: (frame: Uint8Array) => void): Uint8Array | null {
  const packet = parse(frame);
  if (packet === null) return frame;
  const whole = packet.bytes.subarray(0, frame.length);
  if (control & LARGE_SEND) {
    if (packet.protocol !== TCP) return whole;
    return segment(packet, (control >>> MSS_SHIFT) & MSS_MASK, transfer) ? null : whole;
  }
  const { protocol, dataBytes } = packet;
  if (control & IP_CHECKSUM) setHeaderChecksum(packet);
  if (control & TCP_CHECKSUM && protocol === TCP) setDataChecksum(packet, TCP_CHECKSUM_AT, dataBytes);
  else if (control & UDP_CHECKSUM && protocol === UDP) setDataChecksum(packet, UDP_CHECKSUM_AT, dataBytes);
  return whole;
}

/** Puts an IEEE 802.1Q tag into a frame. @param tag as in the descriptor: bytes swapped */
export function withTag(frame: Uint8Array, tag: number): Uint8Array {
  if (frame.length < 12) return frame;
  const tagged = new Uint8Array(frame.length + 4);
  tagged.set(frame.subarray(0, 12));
  tagged.set([0x81, 0x00, tag & 0xff, tag >>> 8], 12);
  tagged.set(frame.subarray(12), 16);
  return tagged;
}

function parse(frame: Uint8Array): Packet | null {
  if (frame.length < ETHERNET_BYTES + IP_BYTES || frame[12] !== 0x08 || frame[13] !== 0x00) return null;
  const there = frame.length - ETHERNET_BYTES;
  const headerBytes = (frame[ETHERNET_BYTES]! & 0xf) * 4;
  const totalBytes = (frame[ETHERNET_BYTES + 2]! << 8) | frame[ETHERNET_BYTES + 3]!;
  if (frame[ETHERNET_BYTES]! >> 4 !== 4 || headerBytes < IP_BYTES || headerBytes > there) return null;
  if (totalBytes < headerBytes || totalBytes > there) return null;
  const bytes = new Uint8Array(frame.length + SPARE_BYTES);
  bytes.set(frame);
  const protocol = frame[ETHERNET_BYTES + 9]!;
  return { bytes, view: new DataView(bytes.buffer), headerBytes, protocol, dataBytes: totalBytes - headerBytes };
}

/** Sum of 16-bit words as ones' complement arithmetic has it (RFC 1071), from `sum` on. */
function onesSum(bytes: Uint8Array, sum: number): number {
  let total = sum;
  for (let i = 0; i < bytes.length; i++) total += i & 1 ? bytes[i]! : bytes[i]! << 8;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

function setHeaderChecksum({ bytes, view, headerBytes }: Packet): void {
  const at = ETHERNET_BYTES + 10;
  view.setUint16(at, 0);
  view.setUint16(at, ~onesSum(bytes.subarray(ETHERNET_BYTES, ETHERNET_BYTES + headerBytes), 0));
}

/** Over the pseudo header and so many bytes behind the IP header. */
function setDataChecksum({ bytes, view, headerBytes, protocol }: Packet, checksumAt: number, dataBytes: number): void {
  const start = ETHERNET_BYTES + headerBytes;
  view.setUint16(start + checksumAt, 0);
  const addresses = bytes.subarray(ETHERNET_BYTES + 12, ETHERNET_BYTES + 20);
  const sum = onesSum(bytes.subarray(start, start + dataBytes), onesSum(addresses, protocol + dataBytes));
  view.setUint16(start + checksumAt, ~sum);
}

/**
 * Cuts a TCP segment. As QEMU's card does, FIN and PSH are taken out of the first piece's header, and so of all that follow it. False: it is none.
 */
function segment(packet: Packet, mss: number, transfer: (frame: Uint8Array) => void): boolean {
  const { bytes, view, headerBytes, dataBytes } = packet;
  const tcp = ETHERNET_BYTES + headerBytes;
  if (dataBytes < TCP_BYTES || mss === 0) return false;
  const tcpHeaderBytes = (bytes[tcp + 12]! >> 4) * 4;
  if (tcpHeaderBytes < TCP_BYTES || tcpHeaderBytes > dataBytes) return false;
  const data = tcp + tcpHeaderBytes;
  const total = dataBytes - tcpHeaderBytes;
  const id = view.getUint16(ETHERNET_BYTES + 4);
  for (let sent = 0; sent < total; sent += mss) {
    const last = sent + mss >= total;
    const size = last ? total - sent : mss;
    if (sent > 0) bytes.copyWithin(data, data + sent, data + sent + size);
    if (!last) bytes[tcp + 13]! &= ~PUSH_AND_FIN;
    setDataChecksum(packet, TCP_CHECKSUM_AT, tcpHeaderBytes + size);
    view.setUint16(ETHERNET_BYTES + 2, headerBytes + tcpHeaderBytes + size);
    view.setUint16(ETHERNET_BYTES + 4, id + sent / mss);
    setHeaderChecksum(packet);
    transfer(bytes.slice(0, data + size));
    view.setUint32(tcp + 4, view.getUint32(tcp + 4) + size);
  }
  return true;
}
