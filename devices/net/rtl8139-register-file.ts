import type { AccessSize } from '../../src/core/bus.js';
import { dmaAddress, type Rtl8139 } from './rtl8139.js';
import { transmitDescriptor } from './rtl8139-c-transmit.js';
import { transmitRing } from './rtl8139-cplus-transmit.js';
import * as reg from './rtl8139-registers.js';

const CONFIG_WRITE = 0xc0;
const EEPROM_ACCESS = 0x80;
const AUTO_LOAD = 0x40;
const EECS = 0x08;
const EESK = 0x04;
const EEDI = 0x02;
const EEDO = 0x01;
const PHY_RESET = 0x8000;
const POLL_NORMAL = 0x40;
const DUMP = 0x08;
const HALT = 0x48;
const RUN = 0x52;
const ALL_BITS = 0xffffffff;

/** `written` where `fixed` has no bits, `before` where it has. */
function masked(written: number, fixed: number, before: number): number {
  return ((written & ~fixed) | (before & fixed)) >>> 0;
}

/** Reads a register of the card, aligned to its size: each answers to its own widths only, as QEMU's do. Unsigned. */
export function readRegister(card: Rtl8139, at: number, size: AccessSize): number {
  const value = size === 1 ? readByte(card, at) : size === 2 ? readWord(card, at) : readDword(card, at);
  return (value & (ALL_BITS >>> (32 - size * 8))) >>> 0;
}

export function writeRegister(card: Rtl8139, at: number, value: number, size: AccessSize): void {
  if (size === 1) writeByte(card, at, value & 0xff);
  else if (size === 2) writeWord(card, at, value & 0xffff);
  else writeDword(card, at, value >>> 0);
}

function readByte(card: Rtl8139, at: number): number {
  if (at < 6) return card.station[at]!;
  if (at >= reg.MAR0 && at < reg.MAR0 + 8) return card.multicast[at - reg.MAR0]!;
  if (at >= reg.TSD0 && at < reg.TSD0 + 16) return card.txStatus[(at - reg.TSD0) >> 2]! >>> ((at & 3) * 8);
  switch (at) {
    case reg.CR:
      return card.chipCommand | (ringEmpty(card) ? reg.COMMAND_RX_EMPTY : 0);
    case reg.CR9346:
      return readEeprom(card);
    case reg.CONFIG0:
      return card.config0;
    case reg.CONFIG1:
      return card.config1;
    case reg.CONFIG3:
      return card.config3;
    case reg.CONFIG4:
      return card.config4;
    case reg.CONFIG5:
      return card.config5;
    case reg.MSR:
      // 100 Mbps; bit 2 is the link's, inverted.
      return 0xd0 | (~card.basicModeStatus & 0x04);
    case reg.HLTCLK:
      return card.clockEnabled ? 1 : 0;
    case reg.RERID:
      return reg.REVISION;
    case reg.ETTHR:
      return card.txThreshold;
    case reg.TCR + 3:
      return card.txConfig >>> 24;
    default:
      return 0;
  }
}

function readWord(card: Rtl8139, at: number): number {
  if (at >= reg.TSAD0 && at < reg.TSAD0 + 16) return card.txAddress[(at - reg.TSAD0) >> 2]! >>> ((at & 3) * 8);
  switch (at) {
    case reg.IMR:
      return card.interruptMask;
    case reg.ISR:
      return card.interruptStatus;
    case reg.MULINT:
      return card.multiInterrupt;
    case reg.CAPR:
      return card.rxReadAt - 0x10;
    case reg.CBR:
      return card.rxWriteAt;
    case reg.BMCR:
      return card.basicModeControl;
    case reg.BMSR:
      return card.basicModeStatus;
    case reg.ANAR:
      return card.nwayAdvert;
    case reg.ANLPAR:
      return card.nwayPartner;
    case reg.ANER:
      return card.nwayExpansion;
    case reg.CPCR:
      return card.cplusCommand;
    case reg.INT_MITIGATE:
      return 0;
    case reg.TSAD:
      return statusOfAll(card);
    case reg.CSCR:
      return card.cscr;
    default:
      return (readByte(card, at) & 0xff) | ((readByte(card, at + 1) & 0xff) << 8);
  }
}

function readDword(card: Rtl8139, at: number): number {
  if (at >= reg.TSD0 && at < reg.TSD0 + 16) return card.txStatus[(at - reg.TSD0) >> 2]!;
  if (at >= reg.TSAD0 && at < reg.TSAD0 + 16) return card.txAddress[(at - reg.TSAD0) >> 2]!;
  switch (at) {
    case reg.MPC:
      return card.rxMissed;
    case reg.TCR:
      return card.txConfig;
    case reg.RCR:
      return card.rxConfig;
    case reg.RBSTART:
      return card.rxBuffer;
    case reg.RDSAR_LOW:
      return card.rxRingLow;
    case reg.RDSAR_HIGH:
      return card.rxRingHigh;
    case reg.TCTR:
      return card.timerCount;
    case reg.TIMER_INT:
      return card.timerInterrupt;
    default: {
      let value = 0;
      for (let i = 0; i < 4; i++) value |= (readByte(card, at + i) & 0xff) << (i * 8);
      return value;
    }
  }
}

function writeByte(card: Rtl8139, at: number, value: number): void {
  if (at < 6) card.station[at] = value;
  else if (at >= reg.MAR0 && at < reg.MAR0 + 8) card.multicast[at - reg.MAR0] = value;
  switch (at) {
    case reg.CR:
      return writeCommand(card, value);
    case reg.CR9346:
      return writeEeprom(card, value);
    case reg.TCR:
      return writeTxConfig(card, (card.txConfig & ~0xff) | value);
    case reg.CONFIG0:
      if (configWritable(card)) card.config0 = masked(value, 0xf8, card.config0);
      return;
    case reg.CONFIG1:
      if (configWritable(card)) card.config1 = masked(value, 0x0c, card.config1);
      return;
    case reg.CONFIG3:
      if (configWritable(card)) card.config3 = masked(value, 0x8f, card.config3);
      return;
    case reg.CONFIG4:
      if (configWritable(card)) card.config4 = masked(value, 0x0a, card.config4);
      return;
    case reg.CONFIG5:
      // Never locked.
      card.config5 = masked(value, 0x80, card.config5);
      return;
    case reg.HLTCLK:
      if (value === RUN) card.clockEnabled = true;
      else if (value === HALT) card.clockEnabled = false;
      return;
    case reg.ETTHR:
      card.txThreshold = value;
      return;
    case reg.TPPOLL:
      if (value & POLL_NORMAL) transmitRing(card);
      return;
  }
}

function writeWord(card: Rtl8139, at: number, value: number): void {
  switch (at) {
    case reg.IMR:
      card.interruptMask = masked(value, 0x1e00, card.interruptMask);
      return card.updateIrq();
    case reg.ISR:
      return acknowledge(card, value);
    case reg.MULINT:
      card.multiInterrupt = masked(value, 0xf000, card.multiInterrupt);
      return;
    case reg.CAPR:
      card.rxReadAt = (value + 0x10) & (card.rxBufferSize - 1);
      return card.queue.roomAgain();
    case reg.BMCR:
      // Speed, duplex and autonegotiation are fixed.
      if (value & PHY_RESET) card.resetPhy();
      card.basicModeControl = masked(value, 0xfdff, card.basicModeControl);
      return;
    case reg.BMSR:
      card.basicModeStatus = masked(value, 0xff3f, card.basicModeStatus);
      return;
    case reg.ANAR:
      card.nwayAdvert = value;
      return;
    case reg.ANLPAR:
      return;
    case reg.ANER:
      card.nwayExpansion = value;
      return;
    case reg.CPCR:
      card.cplusEnabled = true;
      card.cplusCommand = masked(value, 0xff84, card.cplusCommand);
      return;
    case reg.INT_MITIGATE:
      return;
    default:
      writeByte(card, at, value & 0xff);
      writeByte(card, at + 1, value >>> 8);
  }
}

function writeDword(card: Rtl8139, at: number, value: number): void {
  if (at >= reg.TSD0 && at < reg.TSD0 + 16) return writeTxStatus(card, (at - reg.TSD0) >> 2, value);
  if (at >= reg.TSAD0 && at < reg.TSAD0 + 16) {
    card.txAddress[(at - reg.TSAD0) >> 2] = value;
    return;
  }
  switch (at) {
    case reg.MPC:
      card.rxMissed = 0;
      return;
    case reg.TCR:
      return writeTxConfig(card, value);
    case reg.RCR:
      card.rxConfig = masked(value, 0xf0fc0040, card.rxConfig);
      return card.resetRing(reg.SMALLEST_RING << ((card.rxConfig >>> 11) & 3));
    case reg.RBSTART:
      card.rxBuffer = value;
      return;
    case reg.RDSAR_LOW:
      card.rxRingLow = value;
      return;
    case reg.RDSAR_HIGH:
      card.rxRingHigh = value;
      return;
    case reg.TCTR:
      return card.restartTimer();
    case reg.TIMER_INT:
      if (card.timerInterrupt === value) return;
      card.timerInterrupt = value;
      return card.scheduleTimer();
    default:
      for (let i = 0; i < 4; i++) writeByte(card, at + i, (value >>> (i * 8)) & 0xff);
  }
}

function ringEmpty({ rxBufferSize, rxWriteAt, rxReadAt }: Rtl8139): boolean {
  return ((rxBufferSize + rxWriteAt - rxReadAt) & (rxBufferSize - 1)) === 0;
}

function configWritable({ cfg9346 }: Rtl8139): boolean {
  return (cfg9346 & 0xc0) === CONFIG_WRITE;
}

function writeCommand(card: Rtl8139, value: number): void {
  if (value & reg.COMMAND_RESET) card.reset();
  if (value & reg.COMMAND_RX_ENABLE) card.cplusRxDescriptor = 0;
  if (value & reg.COMMAND_TX_ENABLE) card.cplusTxDescriptor = 0;
  card.chipCommand = masked(value, 0xe3, card.chipCommand) & ~reg.COMMAND_RESET;
}

function readEeprom(card: Rtl8139): number {
  if ((card.cfg9346 & 0xc0) !== EEPROM_ACCESS) return card.cfg9346;
  return (card.cfg9346 & ~EEDO) | (card.eeprom.do ? EEDO : 0);
}

function writeEeprom(card: Rtl8139, written: number): void {
  const value = masked(written, 0x31, card.cfg9346);
  const mode = value & 0xc0;
  if (mode === EEPROM_ACCESS) card.eeprom.setWires((value & EECS) !== 0, (value & EESK) !== 0, (value & EEDI) !== 0);
  if (mode === AUTO_LOAD) card.reset();
  card.cfg9346 = mode === AUTO_LOAD ? 0 : value;
}

function writeTxConfig(card: Rtl8139, value: number): void {
  if (card.chipCommand & reg.COMMAND_TX_ENABLE) card.txConfig = masked(value, 0xfcf0f80f, card.txConfig);
}

/** Bits written as 1 go; the line goes down for a moment. */
function acknowledge(card: Rtl8139, value: number): void {
  const left = masked(card.interruptStatus & ~value, 0x1e00, card.interruptStatus);
  card.interruptStatus = 0;
  card.updateIrq();
  card.interruptStatus = left;
  card.scheduleTimer();
  card.updateIrq();
}

function writeTxStatus(card: Rtl8139, descriptor: number, value: number): void {
  const { txStatus } = card;
  if (card.cplusEnabled) {
    txStatus[descriptor] = value;
    if (descriptor !== 0 || (value & DUMP) === 0) return;
    card.writeDma(dmaAddress((value & ~0x3f) >>> 0, txStatus[1]!), card.tally.dump());
    txStatus[0] = txStatus[0]! & ~DUMP;
    return;
  }
  txStatus[descriptor] = masked(value & 0x00ff3fff, 0x00c00000, txStatus[descriptor]!);
  transmitDescriptor(card);
}

/** TSAD: one bit of each descriptor's status, four times. */
function statusOfAll({ txStatus }: Rtl8139): number {
  const bits = (mask: number, shift: number): number => {
    let found = 0;
    txStatus.forEach((status, n) => {
      if (status & mask) found |= 1 << (shift + n);
    });
    return found;
  };
  return bits(reg.TX_OK, 12) | bits(reg.TX_UNDERRUN, 8) | bits(reg.TX_ABORTED, 4) | bits(reg.TX_HOST_OWNS, 0);
}
