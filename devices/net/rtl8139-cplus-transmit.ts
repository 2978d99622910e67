import { dmaAddress, type Rtl8139 } from './rtl8139.js';
import * as reg from './rtl8139-registers.js';
import { OFFLOAD_MASK, offload } from './transmit-offload.js';

/** Transmit descriptor (data sheet, section 6.3.1): first doubleword. */
const OWN = 0x80000000;
const END_OF_RING = 0x40000000;
const FIRST_SEGMENT = 0x20000000;
const LAST_SEGMENT = 0x10000000;
/** Underrun, error summary, out-of-window collision, link failure, excessive collisions. */
const ERRORS = 0x02f00000;
const SIZE_MASK = 0xffff;
/** Second doubleword. */
const ADD_TAG = 0x20000;

const DESCRIPTOR_BYTES = 16;
const DESCRIPTORS = 64;
const BUFFER_BYTES = 0x10000;

/** C+ mode: sends what the normal priority ring has, at most 64 descriptors. */
export function transmitRing(card: Rtl8139): void {
  let count = 0;
  while (count < DESCRIPTORS && transmitNext(card)) count++;
  if (count > 0) card.raise(reg.INT_TX_OK);
}

function transmitNext(card: Rtl8139): boolean {
  if ((card.chipCommand & reg.COMMAND_TX_ENABLE) === 0 || (card.cplusCommand & reg.CPLUS_TX_ENABLE) === 0) return false;
  const at = dmaAddress(card.txAddress[0]!, card.txAddress[1]!, DESCRIPTOR_BYTES * card.cplusTxDescriptor);
  const descriptor = new DataView(card.readDma(at, DESCRIPTOR_BYTES).buffer);
  const control = descriptor.getUint32(0, true);
  const tag = descriptor.getUint32(4, true);
  if ((control & OWN) === 0) return false;
  const before = control & FIRST_SEGMENT ? new Uint8Array(0) : card.assembled;
  const size = Math.min(control & SIZE_MASK, BUFFER_BYTES - before.length);
  const segment = card.readDma(dmaAddress(descriptor.getUint32(8, true), descriptor.getUint32(12, true)), size);
  card.assembled = joined(before, segment);
  card.cplusTxDescriptor = control & END_OF_RING ? 0 : (card.cplusTxDescriptor + 1) % DESCRIPTORS;
  const status = new Uint8Array(4);
  new DataView(status.buffer).setUint32(0, (control & ~OWN & ~ERRORS) >>> 0, true);
  card.writeDma(at, status);
  if (control & LAST_SEGMENT) send(card, control, tag);
  return true;
}

function send(card: Rtl8139, control: number, tag: number): void {
  const frame = card.assembled;
  card.assembled = new Uint8Array(0);
  const transfer = (ready: Uint8Array): void => card.transfer(ready, tag & ADD_TAG ? tag & 0xffff : null);
  const left = control & OFFLOAD_MASK ? offload(frame, control, transfer) : frame;
  card.tally.txOk++;
  if (left !== null) transfer(left);
}

function joined(before: Uint8Array, segment: Uint8Array): Uint8Array {
  if (before.length === 0) return segment;
  const all = new Uint8Array(before.length + segment.length);
  all.set(before);
  all.set(segment, before.length);
  return all;
}
