import { addressHash, frameCheckSequence } from './crc32.js';
import { dmaAddress, type Rtl8139 } from './rtl8139.js';
import * as reg from './rtl8139-registers.js';

const ADDRESS_BYTES = 6;
const SMALLEST_FRAME = 60;
const CRC_BYTES = 4;
const VLAN_BYTES = 4;
const VLAN_AT = 12;
/** Room that a frame must find in the ring, besides the header. */
const LARGEST_FRAME = 1514;
const LARGEST_RING = 65536;
const DESCRIPTOR_BYTES = 16;

/** Receive descriptor (data sheet, section 6.3.2): first doubleword. */
const OWN = 0x80000000;
const END_OF_RING = 0x40000000;
const FIRST_AND_LAST = 0x30000000;
const MULTICAST = 0x04000000;
const PHYSICAL = 0x02000000;
const BROADCAST = 0x01000000;
const LENGTH_MASK = 0x1fff;
/** Second doubleword. */
const TAG_AVAILABLE = 0x10000;

/** Whether a frame from outside is given to the card now, to be received or dropped. */
export function canReceive(card: Rtl8139): boolean {
  if (!card.clockEnabled || !enabled(card)) return true;
  if (card.cplusCommand & reg.CPLUS_RX_ENABLE && hasRing(card)) return true;
  const room = freeBytes(card);
  return room === 0 || room >= LARGEST_FRAME || (card.interruptMask & reg.INT_RX_OVERFLOW) !== 0;
}

/** Receives a frame (without its check sequence), or drops it. False: the ring has no room; the frame may come again. */
export function receiveFrame(card: Rtl8139, frame: Uint8Array): boolean {
  if (!card.clockEnabled || !enabled(card)) return true;
  // What is no frame at all counts as not taken.
  const taken = frame.length > 0;
  const kind = accepted(card, frame);
  if (kind === null) return taken;
  if ((card.cplusCommand & reg.CPLUS_RX_ENABLE) === 0) return intoRing(card, frame, kind) && taken;
  if (hasRing(card)) intoDescriptor(card, frame, kind);
  return taken;
}

function enabled(card: Rtl8139): boolean {
  return (card.chipCommand & reg.COMMAND_RX_ENABLE) !== 0;
}

/** Linux enables the receiver before it has given it descriptors. */
function hasRing(card: Rtl8139): boolean {
  return card.rxRingLow !== 0 || card.rxRingHigh !== 0;
}

/** 0: the ring is empty. */
function freeBytes({ rxBufferSize, rxReadAt, rxWriteAt }: Rtl8139): number {
  return (rxBufferSize + rxReadAt - rxWriteAt) & (rxBufferSize - 1);
}

/** The status bits for the kind of address; null: the frame is not for us. */
function accepted(card: Rtl8139, frame: Uint8Array): number | null {
  const { rxConfig, tally } = card;
  if (rxConfig & reg.ACCEPT_ALL) return 0;
  const address = new Uint8Array(ADDRESS_BYTES);
  address.set(frame.subarray(0, ADDRESS_BYTES));
  if (address.every((b) => b === 0xff)) {
    if (rxConfig & reg.ACCEPT_BROADCAST) {
      tally.rxOkBrd++;
      return reg.RX_BROADCAST;
    }
  } else if (address[0]! & 1) {
    const hash = addressHash(address) >>> 26;
    if (rxConfig & reg.ACCEPT_MULTICAST && card.multicast[hash >> 3]! & (1 << (hash & 7))) {
      tally.rxOkMul = (tally.rxOkMul + 1) >>> 0;
      return reg.RX_MULTICAST;
    }
  } else if (rxConfig & reg.ACCEPT_MINE && address.every((b, i) => b === card.station[i])) {
    tally.rxOkPhy++;
    return reg.RX_PHYSICAL;
  }
  tally.rejected();
  return null;
}

function lengthened(frame: Uint8Array, length: number): Uint8Array {
  if (frame.length >= length) return frame;
  const whole = new Uint8Array(length);
  whole.set(frame);
  return whole;
}

/** C+ mode: one descriptor has the whole frame. */
function intoDescriptor(card: Rtl8139, frame: Uint8Array, kind: number): void {
  // With what is left behind when a VLAN tag goes.
  const whole = lengthened(frame, SMALLEST_FRAME + VLAN_BYTES);
  let size = Math.max(frame.length, SMALLEST_FRAME);
  const at = dmaAddress(card.rxRingLow, card.rxRingHigh, DESCRIPTOR_BYTES * card.cplusRxDescriptor);
  const descriptor = new DataView(card.readDma(at, DESCRIPTOR_BYTES).buffer);
  const status = descriptor.getUint32(0, true);
  let tag = descriptor.getUint32(4, true);
  const tagged = (card.cplusCommand & reg.CPLUS_RX_VLAN) !== 0 && whole[VLAN_AT] === 0x81 && whole[VLAN_AT + 1] === 0x00;
  if (status & OWN) {
    if (tagged) size = Math.max(size - VLAN_BYTES, SMALLEST_FRAME);
    tag = tagged ? (tag & 0xffff0000) | TAG_AVAILABLE | whole[VLAN_AT + 2]! | (whole[VLAN_AT + 3]! << 8) : tag & ~TAG_AVAILABLE;
  }
  if ((status & OWN) === 0 || size + CRC_BYTES > (status & LENGTH_MASK)) {
    card.rxMissed = (card.rxMissed + 1) >>> 0;
    card.tally.missed();
    return card.raise(reg.INT_RX_OVERFLOW);
  }
  const data = new Uint8Array(size + CRC_BYTES);
  if (tagged) {
    data.set(whole.subarray(0, VLAN_AT));
    data.set(whole.subarray(VLAN_AT + VLAN_BYTES, VLAN_AT + VLAN_BYTES + size - VLAN_AT), VLAN_AT);
  } else data.set(whole.subarray(0, size));
  new DataView(data.buffer).setUint32(size, frameCheckSequence(frame), true);
  card.writeDma(dmaAddress(descriptor.getUint32(8, true), descriptor.getUint32(12, true)), data);
  const address = kind === reg.RX_BROADCAST ? BROADCAST : kind === reg.RX_MULTICAST ? MULTICAST : kind === reg.RX_PHYSICAL ? PHYSICAL : 0;
  const done = new DataView(new ArrayBuffer(8));
  done.setUint32(0, ((status & ~OWN & ~LENGTH_MASK) | FIRST_AND_LAST | address | (size + CRC_BYTES)) >>> 0, true);
  done.setUint32(4, tag >>> 0, true);
  card.writeDma(at, new Uint8Array(done.buffer));
  card.tally.rxOk++;
  card.cplusRxDescriptor = status & END_OF_RING ? 0 : (card.cplusRxDescriptor + 1) >>> 0;
  card.raise(reg.INT_RX_OK);
}

/** C mode: header, frame and check sequence behind each other, the next one at a multiple of 4. */
function intoRing(card: Rtl8139, frame: Uint8Array, kind: number): boolean {
  const whole = lengthened(frame, SMALLEST_FRAME);
  const room = freeBytes(card);
  if (room !== 0 && ((whole.length + 8 + 3) & ~3) >= room) {
    card.rxMissed = (card.rxMissed + 1) >>> 0;
    card.raise(reg.INT_RX_OVERFLOW);
    return false;
  }
  intoBuffer(card, little32((kind | reg.RX_OK | ((whole.length + CRC_BYTES) << 16)) >>> 0));
  intoBuffer(card, whole);
  intoBuffer(card, little32(frameCheckSequence(whole)));
  card.rxWriteAt = (card.rxWriteAt + 3) & ~3 & (card.rxBufferSize - 1);
  card.raise(reg.INT_RX_OK);
  return true;
}

function intoBuffer(card: Rtl8139, bytes: Uint8Array): void {
  const { rxBuffer, rxBufferSize, rxWriteAt } = card;
  const end = rxWriteAt + bytes.length;
  const behind = end > rxBufferSize ? end & (rxBufferSize - 1) : 0;
  const wraps = rxBufferSize >= LARGEST_RING || (card.rxConfig & reg.RX_NO_WRAP) === 0;
  if (behind === 0 || !wraps) {
    card.writeDma((rxBuffer + rxWriteAt) >>> 0, bytes);
    card.rxWriteAt = end;
    return;
  }
  const first = bytes.length - behind;
  if (first > 0) card.writeDma((rxBuffer + rxWriteAt) >>> 0, bytes.subarray(0, first));
  card.writeDma(rxBuffer, bytes.subarray(first));
  card.rxWriteAt = behind;
}

function little32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
