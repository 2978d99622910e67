import type { DmaMemory, IoHandlers, PortSpace } from '../../src/core/bus.js';
import type { Device, StatefulPart, StateSchema } from '../../src/core/state.js';

/** Mode register. */
const MODE_TRANSFER = 0x0c;
const MODE_AUTO_INIT = 0x10;
const MODE_DECREMENT = 0x20;

/** Command bits that do nothing here make the whole command be ignored, as QEMU. */
const COMMAND_UNSUPPORTED = 0xfb;

/** Channel of the page register at each port offset; -1: none. */
const PAGE_CHANNELS = [-1, 2, 3, 1, -1, -1, -1, 0];

/** Moves data for a channel: from byte `position` on, up to `length`; returns the new position. */
export type DmaTransfer = (position: number, length: number) => number;

class DmaChannel implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'dma-channel',
    version: 1,
    fields: { baseAddress: 'u16', baseCount: 'u16', address: 'u32', done: 'u32', mode: 'u8', page: 'u8' },
  };
  baseAddress = 0;
  baseCount = 0;
  /** Byte address within the page at which the block starts. */
  address = 0;
  /** Bytes moved of the block. */
  done = 0;
  mode = 0;
  page = 0;
  /** Devices that use the channel set this; an unused channel makes no progress. */
  transfer: DmaTransfer = (position) => position;

  /** @param shift 1 on the controller that counts words. */
  load(shift: number): void {
    this.address = this.baseAddress << shift;
    this.done = 0;
  }
}

/** Ports of one 8237A and its page registers. */
export interface Dma8237Options {
  readonly ports: PortSpace;
  readonly memory: DmaMemory;
  readonly port: number;
  readonly pagePort: number;
  /** 0: byte transfers, registers at every port; 1: word transfers, registers at every second port. */
  readonly shift: 0 | 1;
  /** A channel is requested and unmasked: `run` wants to be called again soon. */
  readonly onBusy: () => void;
}

/** One 8237A DMA controller (Intel data sheet). A requested channel moves as much at once as its device offers. */
export class Dma8237 implements Device {
  readonly schema: StateSchema = {
    name: 'i8237',
    version: 1,
    fields: { channels: 'parts', command: 'u8', mask: 'u8', status: 'u8', highByte: 'bool', running: 'bool' },
  };
  readonly channels: readonly DmaChannel[] = [new DmaChannel(), new DmaChannel(), new DmaChannel(), new DmaChannel()];
  command = 0;
  mask = 0;
  /** Bits 0-3 terminal count reached, 4-7 request. */
  status = 0;
  /** The byte flip-flop. */
  highByte = false;
  running = false;
  private readonly shift: number;
  private readonly memory: DmaMemory;
  private readonly onBusy: () => void;

  constructor(options: Dma8237Options) {
    const { ports, port, pagePort, shift } = options;
    this.shift = shift;
    this.memory = options.memory;
    this.onBusy = options.onBusy;
    const channelRegisters: IoHandlers = {
      name: 'dma channels',
      maxSize: 1,
      read: (offset) => this.readChannel((offset >> shift) & 0xf),
      write: (offset, value) => this.writeChannel((offset >> shift) & 0xf, value),
    };
    const control: IoHandlers = {
      name: 'dma control',
      maxSize: 1,
      read: (offset) => this.readControl((offset >> shift) & 0xf),
      write: (offset, value) => this.writeControl((offset >> shift) & 0xf, value),
    };
    ports.map(port, 8 << shift, channelRegisters);
    ports.map(pagePort + 1, 3, this.pages(1, 3));
    ports.map(pagePort + 7, 1, this.pages(7, 1));
    ports.map(port + (8 << shift), 8 << shift, control);
  }

  /** @param first offset of the first of `count` page registers. */
  private pages(first: number, count: number): IoHandlers {
    const channel = (offset: number): DmaChannel | undefined => this.channels[PAGE_CHANNELS[(first + offset) & 7]!];
    const read = (offset: number): number => (offset < count ? (channel(offset)?.page ?? 0) : 0xff);
    const write = (offset: number, value: number): void => {
      const target = offset < count ? channel(offset) : undefined;
      if (target !== undefined) target.page = value & 0xff;
    };
    // Two ports at once at any address, as QEMU's lists of old ISA ports; four read all ones.
    return {
      name: 'dma pages',
      unaligned: true,
      read: (offset, size) => (size === 1 ? read(offset) : size === 2 ? read(offset) | (read(offset + 1) << 8) : 0xffffffff),
      write: (offset, value, size) => {
        if (size <= 2) write(offset, value);
        if (size === 2) write(offset + 1, value >>> 8);
      },
    };
  }

  /** Master clear; addresses, counts, modes and pages stay. */
  reset(): void {
    this.highByte = false;
    this.mask = 0xff;
    this.status = 0;
    this.command = 0;
  }

  private readChannel(register: number): number {
    const channel = this.channels[register >> 1]!;
    const high = this.highByte ? 8 : 0;
    this.highByte = !this.highByte;
    const direction = channel.mode & MODE_DECREMENT ? -1 : 1;
    const value = register & 1 ? (channel.baseCount << this.shift) - channel.done : channel.address + channel.done * direction;
    return (value >> (this.shift + high)) & 0xff;
  }

  private writeChannel(register: number, value: number): void {
    const channel = this.channels[register >> 1]!;
    const merge = (old: number): number => (this.highByte ? (old & 0xff) | (value << 8) : (old & 0xff00) | value);
    if (register & 1) channel.baseCount = merge(channel.baseCount);
    else channel.baseAddress = merge(channel.baseAddress);
    if (this.highByte) channel.load(this.shift);
    this.highByte = !this.highByte;
  }

  private readControl(register: number): number {
    if (register === 1) return this.mask;
    if (register !== 0) return 0;
    const value = this.status;
    this.status &= 0xf0;
    return value;
  }

  private writeControl(register: number, value: number): void {
    const bit = 1 << (value & 3);
    const set = (value & 4) !== 0;
    switch (register) {
      case 0:
        if ((value & COMMAND_UNSUPPORTED) === 0) this.command = value;
        return;
      case 1:
        this.status = set ? this.status | (bit << 4) : this.status & ~(bit << 4);
        this.status &= ~bit;
        this.run();
        return;
      case 2:
        this.mask = set ? this.mask | bit : this.mask & ~bit;
        this.run();
        return;
      case 3:
        this.channels[value & 3]!.mode = value;
        return;
      case 4:
        this.highByte = false;
        return;
      case 5:
        this.reset();
        return;
      case 6:
        this.mask = 0;
        this.run();
        return;
      case 7:
        this.mask = value;
        this.run();
        return;
      default:
    }
  }

  /** DREQ of a channel (0-3). */
  setRequest(channel: number, level: boolean): void {
    const bit = 0x10 << channel;
    this.status = level ? this.status | bit : this.status & ~bit;
    this.run();
  }

  /** Lets every requested, unmasked channel transfer. */
  run(): void {
    if (this.running) {
      this.onBusy();
      return;
    }
    this.running = true;
    let busy = false;
    for (let i = 0; i < 4; i++) {
      if (this.mask & (1 << i) || (this.status & (0x10 << i)) === 0) continue;
      this.runChannel(i);
      busy = true;
    }
    this.running = false;
    if (busy) this.onBusy();
  }

  private runChannel(index: number): void {
    const channel = this.channels[index]!;
    const length = (channel.baseCount + 1) << this.shift;
    channel.done = channel.transfer(channel.done, length);
    if (channel.done === length) this.status |= 1 << index;
  }

  autoInitialises(channel: number): boolean {
    return (this.channels[channel]!.mode & MODE_AUTO_INIT) !== 0;
  }

  /** Reads `target.length` bytes of a channel's block from byte `position` on; a verify transfer moves nothing. */
  readMemory(index: number, target: Uint8Array, position: number): void {
    const channel = this.channels[index]!;
    if ((channel.mode & MODE_TRANSFER) === 0) return;
    const start = (channel.page << 16) | channel.address;
    if ((channel.mode & MODE_DECREMENT) === 0) {
      this.memory.readBytes(start + position, target);
      return;
    }
    this.memory.readBytes(start - position - target.length, target);
    // Only the first half is turned round: QEMU's behaviour, which no known guest depends on.
    for (let i = 0; i < target.length >> 1; i++) target[i] = target[target.length - 1 - i]!;
  }

  /** Writes into a channel's block; with decrementing addresses the bytes keep their order (as QEMU). */
  writeMemory(index: number, source: Uint8Array, position: number): void {
    const channel = this.channels[index]!;
    if ((channel.mode & MODE_TRANSFER) === 0) return;
    const start = (channel.page << 16) | channel.address;
    const at = channel.mode & MODE_DECREMENT ? start - position - source.length : start + position;
    this.memory.writeBytes(at, source);
  }
}
