const REFLECTED = 0xedb88320;
const FORWARD = 0x04c11db6;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ REFLECTED : crc >>> 1;
  return crc;
});

/** The frame check sequence of an Ethernet frame (IEEE 802.3, section 3.2.9): unsigned, low byte first on the wire. */
export function frameCheckSequence(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The CRC by which network cards hash multicast addresses: bits leave at the top, and nothing is inverted at the end. Unsigned. */
export function addressHash(address: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of address)
    for (let bit = 0; bit < 8; bit++) {
      const carry = (crc >>> 31) ^ ((byte >> bit) & 1);
      crc = (crc << 1) >>> 0;
      if (carry) crc = ((crc ^ FORWARD) | carry) >>> 0;
    }
  return crc;
}
