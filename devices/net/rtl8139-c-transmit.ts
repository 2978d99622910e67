import type { Rtl8139 } from './rtl8139.js';
import * as reg from './rtl8139-registers.js';

const SIZE_MASK = 0x1fff;
const DESCRIPTORS = 4;

/** C mode: sends from the next of the four descriptors, if it is the card's (data sheet, section 6.1, TSD0-3). */
export function transmitDescriptor(card: Rtl8139): void {
  const { txStatus, txAddress, txDescriptor } = card;
  const status = txStatus[txDescriptor]!;
  if ((card.chipCommand & reg.COMMAND_TX_ENABLE) === 0 || status & reg.TX_HOST_OWNS) return;
  const frame = card.readDma(txAddress[txDescriptor]!, status & SIZE_MASK);
  txStatus[txDescriptor] = status | reg.TX_HOST_OWNS | reg.TX_OK;
  card.transfer(frame);
  card.raise(reg.INT_TX_OK);
  card.txDescriptor = (card.txDescriptor + 1) % DESCRIPTORS;
}
