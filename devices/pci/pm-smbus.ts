import type { IoHandlers } from '../../src/core/bus.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';

const HST_STS = 0;
const HST_CNT = 2;
const HST_CMD = 3;
const HST_ADD = 4;
const HST_DAT0 = 5;
const HST_DAT1 = 6;
const STS_HOST_BUSY = 0x01;
const STS_INTR = 0x02;
const STS_DEV_ERR = 0x04;
const STS_FAILED = 0x10;
const CNT_INTREN = 0x01;
const CNT_KILL = 0x02;
const CNT_START = 0x40;
const CNT_READABLE = 0x1f;
/** Eight empty memory-module EEPROMs. */
const EEPROM_FIRST = 0x50;
const EEPROM_COUNT = 8;
const PROTOCOL_QUICK = 0;
const PROTOCOL_BYTE = 1;
const PROTOCOL_BYTE_DATA = 2;
const PROTOCOL_WORD_DATA = 3;

/**
 * The SMBus host controller of PIIX4 (82371AB data sheet, section 7.2) with eight 256-byte EEPROMs at addresses 0x50 to 0x57.
 * Quick, byte, byte-data and word-data transfers; block transfers end in a device error.
 */
export class PmSmbus implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'pm-smbus',
    version: 1,
    fields: { registers: 'bytes', startOnStatusRead: 'bool', eeproms: 'bytes', eepromOffsets: 'bytes' },
  };
  /** By port offset: status, -, control, command, address, data 0, data 1. */
  readonly registers = new Uint8Array(7);
  /** The transfer waits for the guest to look at the status (QEMU does so while interrupts are off). */
  startOnStatusRead = false;
  readonly eeproms = new Uint8Array(EEPROM_COUNT * 256);
  readonly eepromOffsets = new Uint8Array(EEPROM_COUNT);
  readonly ports: IoHandlers = {
    name: 'pm-smbus',
    read: (offset, size) => (size === 1 ? this.read(offset) : 0),
    write: (offset, value, size) => {
      if (size === 1) this.write(offset, value);
    },
  };

  private read(offset: number): number {
    const value = offset < this.registers.length ? this.registers[offset]! : 0;
    if (offset === HST_CNT) return value & CNT_READABLE;
    if (offset === HST_STS && this.startOnStatusRead) {
      this.startOnStatusRead = false;
      this.registers[HST_STS]! &= ~STS_HOST_BUSY;
      this.transfer();
    }
    return value;
  }

  private write(offset: number, value: number): void {
    if (offset === HST_STS) this.registers[HST_STS]! &= ~(value & ~STS_HOST_BUSY);
    else if (offset === HST_CNT) this.writeControl(value);
    else if (offset >= HST_CMD && offset <= HST_DAT1) this.registers[offset] = value;
  }

  private writeControl(value: number): void {
    this.registers[HST_CNT] = value & ~CNT_START;
    if (value & CNT_START) {
      this.startOnStatusRead = (value & CNT_INTREN) === 0;
      if (this.startOnStatusRead) this.registers[HST_STS]! |= STS_HOST_BUSY;
      else this.transfer();
    }
    if (value & CNT_KILL) this.registers[HST_STS] = (this.registers[HST_STS]! | STS_FAILED) & ~STS_HOST_BUSY;
  }

  private transfer(): void {
    const r = this.registers;
    const eeprom = (r[HST_ADD]! >> 1) - EEPROM_FIRST;
    const done = (r[HST_STS]! & STS_DEV_ERR) === 0 && eeprom >= 0 && eeprom < EEPROM_COUNT && this.transferTo(eeprom);
    r[HST_STS]! |= done ? STS_INTR : STS_DEV_ERR;
  }

  private transferTo(eeprom: number): boolean {
    const r = this.registers;
    const read = (r[HST_ADD]! & 1) !== 0;
    const protocol = (r[HST_CNT]! >> 2) & 7;
    if (protocol === PROTOCOL_QUICK) return true;
    if (protocol > PROTOCOL_WORD_DATA) return false;
    if (!read || protocol !== PROTOCOL_BYTE) this.eepromOffsets[eeprom] = r[HST_CMD]!;
    const words = protocol === PROTOCOL_WORD_DATA ? 2 : protocol === PROTOCOL_BYTE_DATA || read ? 1 : 0;
    for (let i = 0; i < words; i++) {
      const at = eeprom * 256 + this.eepromOffsets[eeprom]!++;
      if (read) r[HST_DAT0 + i] = this.eeproms[at]!;
      else this.eeproms[at] = r[HST_DAT0 + i]!;
    }
    return true;
  }
}
