import type { DmaMemory, IoHandlers, PortSpace } from '../../src/core/bus.js';
import type { Clock } from '../../src/core/clock.js';
import { UserError } from '../../src/core/errors.js';
import type { PacketBackend, PacketFrontend } from '../../src/core/nondet.js';
import type { StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';
import type { PhysicalMemory } from '../../src/memory/physical.js';
import type { PcMemoryMap } from '../pci/pc-memory-map.js';
import { PCI_FIELDS, PciDevice, ROM_BAR } from '../pci/pci-device.js';
import { Eeprom93c46 } from './eeprom-93c46.js';
import { ReceiveQueue } from './receive-queue.js';
import { canReceive, receiveFrame } from './rtl8139-receive.js';
import { readRegister, writeRegister } from './rtl8139-register-file.js';
import * as reg from './rtl8139-registers.js';
import { TallyCounters } from './tally-counters.js';
import { withTag } from './transmit-offload.js';

const BAR_BYTES = 0x100;
const MAX_ROM_BYTES = 1 << 20;
/** Of the PCI clock, 33 MHz, as the timer counts it. */
const TICK_NS = 30;
const TIMER_PERIOD_NS = TICK_NS * 2 ** 32;
const SMALLEST_FRAME = 60;
/** Highest address + 1 of what there is. */
const ADDRESS_SPACE = 2 ** 32;

export interface Rtl8139Options {
  readonly ports: PortSpace;
  readonly memory: PhysicalMemory;
  readonly map: PcMemoryMap;
  readonly clock: Clock;
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** The expansion ROM, or null for none; `romName` is for messages. */
  readonly rom: Uint8Array | null;
  readonly romName: string;
  /** The cable; null: nothing is plugged in. */
  readonly backend: PacketBackend | null;
}

/**
 * Realtek's RTL8139C+ Fast Ethernet controller as QEMU 7.2 has it, 10ec:8139 (RTL8139C+ data sheet, version 1.6): registers at BAR 0 (ports) and BAR 1 (memory), four transmit descriptors
 * and a receive ring (C mode), or descriptor rings with offload of checksums and segmentation (C+ mode). Frames leave at once; the link is always up.
 */
export class Rtl8139 extends PciDevice implements PacketFrontend {
  readonly schema: StateSchema = {
    name: 'rtl8139',
    version: 1,
    fields: {
      ...PCI_FIELDS,
      ...{ station: 'bytes', multicast: 'bytes', txStatus: 'u32s', txAddress: 'u32s' },
      ...{ rxBuffer: 'u32', rxBufferSize: 'u32', rxReadAt: 'u32', rxWriteAt: 'u32' },
      ...{ interruptStatus: 'u16', interruptMask: 'u16', txConfig: 'u32', rxConfig: 'u32', rxMissed: 'u32', cscr: 'u16' },
      ...{ cfg9346: 'u8', config0: 'u8', config1: 'u8', config3: 'u8', config4: 'u8', config5: 'u8' },
      ...{ clockEnabled: 'bool', chipCommand: 'u8', multiInterrupt: 'u16' },
      ...{ basicModeControl: 'u16', basicModeStatus: 'u16', nwayAdvert: 'u16', nwayPartner: 'u16', nwayExpansion: 'u16' },
      ...{ cplusCommand: 'u16', txThreshold: 'u8', txDescriptor: 'u8', cplusEnabled: 'bool' },
      ...{ cplusRxDescriptor: 'u32', cplusTxDescriptor: 'u32', rxRingLow: 'u32', rxRingHigh: 'u32', assembled: 'blob' },
      ...{ timerInterrupt: 'u32', timerBaseNs: 'int', timer: 'timer', eeprom: 'part', tally: 'part', queue: 'part' },
    },
  };
  /** ID registers: the station address. */
  readonly station = new Uint8Array(6);
  readonly multicast = new Uint8Array(8);
  /** C mode: status of the four descriptors; C+ mode: the first two are the address of the tally counters' dump. */
  readonly txStatus = new Uint32Array(4);
  /** C mode: where the frames are; C+ mode: the first two are the address of the descriptors. */
  readonly txAddress = new Uint32Array(4);
  rxBuffer = 0;
  rxBufferSize = 0;
  /** Where the driver (CAPR + 16) and the card (CBR) are in the ring. */
  rxReadAt = 0;
  rxWriteAt = 0;
  interruptStatus = 0;
  interruptMask = 0;
  txConfig = 0;
  rxConfig = 0;
  rxMissed = 0;
  cscr = 0;
  cfg9346 = 0;
  config0 = 0;
  config1 = 0;
  config3 = 0;
  config4 = 0;
  config5 = 0;
  clockEnabled = false;
  /** CR, without the bit that says that the ring is empty. */
  chipCommand = 0;
  multiInterrupt = 0;
  basicModeControl = 0;
  basicModeStatus = 0;
  nwayAdvert = 0;
  nwayPartner = 0;
  nwayExpansion = 0;
  cplusCommand = 0;
  txThreshold = 0;
  /** The next one, of four. */
  txDescriptor = 0;
  /** The C+ command register was written: TSD0 to TSD3 mean something else. */
  cplusEnabled = false;
  cplusRxDescriptor = 0;
  cplusTxDescriptor = 0;
  rxRingLow = 0;
  rxRingHigh = 0;
  /** C+ mode: what earlier descriptors have of the frame. */
  assembled: Uint8Array = new Uint8Array(0);
  timerInterrupt = 0;
  /** Virtual time at which the timer was 0. */
  timerBaseNs = 0;
  readonly timer: Timer<number>;
  readonly eeprom: Eeprom93c46;
  readonly tally = new TallyCounters();
  readonly queue: ReceiveQueue;
  private readonly options: Rtl8139Options;
  private inDma = false;

  constructor(options: Rtl8139Options) {
    super({ vendorId: 0x10ec, deviceId: 0x8139, revision: reg.REVISION, classCode: 0x020000 });
    this.options = options;
    // QEMU's card points at a capability that it does not have, and says so nowhere else.
    this.config[0x34] = 0xdc;
    this.config[0x3d] = 1;
    const { mac, clock } = options;
    this.eeprom = new Eeprom93c46([0x8129, 0x10ec, 0x8139, 0, 0, 0, 0, ...[0, 2, 4].map((i) => mac[i]! | (mac[i + 1]! << 8))]);
    this.timer = clock.timer('rtl8139', () => this.timerDue());
    this.queue = new ReceiveQueue({ canReceive: () => canReceive(this), receive: (frame) => receiveFrame(this, frame) });
    const io = this.registers();
    const { ports, memory } = options;
    this.addBar({ index: 0, type: 1, sizeBytes: BAR_BYTES, map: (address) => ports.map(address, BAR_BYTES, io) });
    this.addBar({ index: 1, type: 0, sizeBytes: BAR_BYTES, map: (address) => memory.mapIo(address, BAR_BYTES, io) });
    if (options.rom !== null) this.addRom(options.rom);
  }

  /** Hardware reset, and the one by CR or 93C46CR: what it leaves alone (receive configuration, missed frames, multicast filter) is what QEMU's does. */
  reset(): void {
    this.station.set(this.options.mac);
    this.interruptStatus = 0;
    this.interruptMask = 0;
    this.updateIrq();
    this.txStatus.fill(reg.TX_HOST_OWNS);
    this.txDescriptor = 0;
    this.cplusRxDescriptor = 0;
    this.cplusTxDescriptor = 0;
    this.rxRingLow = 0;
    this.rxRingHigh = 0;
    this.rxBuffer = 0;
    this.resetRing(reg.SMALLEST_RING);
    this.txConfig = reg.HARDWARE_VERSION;
    this.clockEnabled = true;
    this.chipCommand = reg.COMMAND_RESET;
    this.config0 = 0;
    this.config1 = 0x0c;
    this.config3 = 1;
    this.config5 = 0;
    this.cplusCommand = 0;
    this.cplusEnabled = false;
    this.basicModeControl = 0x1000;
    this.resetPhy();
    this.timerInterrupt = 0;
    this.timerBaseNs = 0;
    this.scheduleTimer();
    this.tally.clear();
  }

  /** A frame from the network. */
  receive(frame: Uint8Array): void {
    this.queue.send(frame);
  }

  /**
   * Sends a frame, or, in loopback mode, receives it.
   * @param tag VLAN tag to be put in; what loops back then lacks its last bytes, as QEMU's card has it
   */
  transfer(frame: Uint8Array, tag: number | null = null): void {
    if (frame.length === 0) return;
    const { backend } = this.options;
    const whole = tag === null ? frame : withTag(frame, tag);
    if ((this.txConfig & reg.TX_LOOPBACK) !== reg.TX_LOOPBACK) return backend?.send(whole);
    const looped = whole.subarray(0, frame.length);
    this.queue.loopBack(backend === null || looped.length >= SMALLEST_FRAME ? looped : padded(looped));
  }

  updateIrq(): void {
    this.setIrq((this.interruptStatus & this.interruptMask) !== 0);
  }

  raise(bits: number): void {
    this.interruptStatus |= bits;
    this.updateIrq();
  }

  resetRing(sizeBytes: number): void {
    this.rxBufferSize = sizeBytes;
    this.rxReadAt = 0;
    this.rxWriteAt = 0;
  }

  /** The link is up, and both ends can do everything. */
  resetPhy(): void {
    this.basicModeStatus = 0x782d;
    this.nwayAdvert = 0x05e1;
    this.nwayPartner = 0x05e1;
    this.nwayExpansion = 1;
    this.cscr = 0x0340;
  }

  /** TCTR: PCI clocks since it was written. */
  get timerCount(): number {
    return Math.floor((this.options.clock.nowNs() - this.timerBaseNs) / TICK_NS) % 2 ** 32;
  }

  restartTimer(): void {
    this.timerBaseNs = this.options.clock.nowNs();
    this.scheduleTimer();
  }

  /** The interrupt comes when TCTR is TimerInt; 0: never. */
  scheduleTimer(): void {
    const now = this.options.clock.nowNs();
    this.timerBaseNs += Math.max(0, Math.floor((now - this.timerBaseNs) / TIMER_PERIOD_NS)) * TIMER_PERIOD_NS;
    if (this.timerInterrupt === 0) return this.timer.cancel();
    const due = this.timerBaseNs + this.timerInterrupt * TICK_NS;
    this.timer.arm(due <= now ? due + TIMER_PERIOD_NS : due);
  }

  /** Reads memory as bus master. `address` from dmaAddress: where there is nothing, zeros are read. */
  readDma(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.dma(address, length, (memory, there) => memory.readBytes(address, bytes.subarray(0, there)));
    return bytes;
  }

  writeDma(address: number, bytes: Uint8Array): void {
    this.dma(address, bytes.length, (memory, there) => memory.writeBytes(address, bytes.subarray(0, there)));
  }

  /** The card does not reach its own registers. */
  private dma(address: number, length: number, access: (memory: DmaMemory, there: number) => void): void {
    const there = Math.min(length, ADDRESS_SPACE - address);
    if (!this.busMaster || there <= 0) return;
    this.inDma = true;
    access(this.options.memory, there);
    this.inDma = false;
  }

  private timerDue(): void {
    if (!this.clockEnabled) return;
    this.raise(reg.INT_TIMEOUT);
    this.scheduleTimer();
  }

  private registers(): IoHandlers {
    return {
      name: 'rtl8139',
      read: (offset, size) => (this.inDma || offset % size !== 0 ? 0 : readRegister(this, offset, size)),
      write: (offset, value, size) => {
        if (!this.inDma && offset % size === 0) writeRegister(this, offset, value, size);
      },
    };
  }

  private addRom(image: Uint8Array): void {
    const { memory, map, romName } = this.options;
    if (image.length === 0 || image.length > MAX_ROM_BYTES)
      throw new UserError('image-corrupt', `romfile=${romName}: the image has ${image.length} bytes; expected 1 to ${MAX_ROM_BYTES}`);
    let sizeBytes = 0x1000;
    while (sizeBytes < image.length) sizeBytes *= 2;
    const offset = memory.allocate(sizeBytes, 'network boot ROM');
    memory.install(offset, image);
    this.addBar({ index: ROM_BAR, type: 0, sizeBytes, map: (address) => map.addPciRegion(address, sizeBytes, offset, null) });
  }
}

/** A guest-physical address from two registers, and an offset; 2^32 stands for everything above. */
export function dmaAddress(low: number, high: number, offset = 0): number {
  const sum = low + offset;
  const upper = (high + Math.floor(sum / ADDRESS_SPACE)) >>> 0;
  return upper === 0 ? sum % ADDRESS_SPACE : ADDRESS_SPACE;
}

function padded(frame: Uint8Array): Uint8Array {
  const whole = new Uint8Array(SMALLEST_FRAME);
  whole.set(frame);
  return whole;
}
