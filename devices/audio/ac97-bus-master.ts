import type { AccessSize, DmaMemory } from '../../src/core/bus.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import {
  Ac97Channel,
  CR_COMPLETE_INTERRUPT,
  CR_LAST_INTERRUPT,
  CR_RESET,
  CR_RUN,
  SR_BUFFER_COMPLETE,
  SR_CURRENT_IS_LAST,
  SR_HALTED,
  SR_INTERRUPTS,
  SR_LAST_BUFFER,
} from './ac97-channel.js';
import { CAPTURE_STREAM, MIC_IN, PCM_IN, PCM_OUT } from './ac97-mixer.js';
import type { AudioEngine } from './audio-engine.js';

/** Offsets within a channel's sixteen ports. */
const BDBAR = 0x0;
const CIV = 0x4;
const LVI = 0x5;
const SR = 0x6;
const PICB = 0x8;
const PIV = 0xa;
const CR = 0xb;
/** Offsets of what all channels share. */
const GLOB_CNT = 0x2c;
const GLOB_STA = 0x30;
const CAS = 0x34;

const CONTROL_BITS = 0x3f;
/** Cold and warm reset. */
const CONTROL_RESETS = 0x06;
/** Secondary codec, primary codec resume, GPI: cleared by writing ones. */
const STATUS_WRITE_1_CLEAR = 0x8c01;
/** MD3 and AD3. */
const STATUS_WRITABLE = 0x30000;
/** The primary codec is ready. */
const STATUS_CODEC_READY = 0x100;
/** Interrupt bits of PCM in, PCM out, microphone in GLOB_STA. */
const STATUS_INTERRUPT = [0x20, 0x40, 0x80];

/** Interrupt on completion; the last sample is repeated when the list has ended. */
const ON_COMPLETION = 0x80000000;
const REPEAT_LAST = 0x40000000;

/** `underrun`: what is played then is settled; it is the last sample, not silence. */
const SETTLED = 1;
const LAST_SAMPLE = 2;

const PIECE_BYTES = 4096;
const SILENCE_BYTES = 128;

export interface Ac97BusMasterOptions {
  readonly audio: AudioEngine;
  readonly memory: DmaMemory;
  /** PCI command register bit 2. */
  readonly mayMaster: () => boolean;
  readonly setIrq: (level: boolean) => void;
  readonly setActive: (voice: number, on: boolean) => void;
}

/**
 * Native audio bus master (82801AA data sheet, section 13.2): three channels that walk lists of descriptors in memory. The registers behave as QEMU 7.2's, also
 * where the data sheet has it otherwise: one channel without interrupts lowers the line of all.
 */
export class Ac97BusMaster implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'ac97-bus-master',
    version: 1,
    fields: {
      globalControl: 'u32',
      globalStatus: 'u32',
      semaphore: 'bool',
      underrun: 'u8',
      lastSample: 'u32',
      silence: 'u32',
      channels: 'parts',
    },
  };
  globalControl = 0;
  globalStatus = 0;
  /** CAS: somebody uses the codec. */
  semaphore = false;
  underrun = 0;
  /** The last frame of the buffer that ended last. */
  lastSample = 0;
  /** The frame that is played behind the end of the list. */
  silence = 0;
  readonly channels: readonly Ac97Channel[] = [new Ac97Channel(), new Ac97Channel(), new Ac97Channel()];
  private readonly options: Ac97BusMasterOptions;

  constructor(options: Ac97BusMasterOptions) {
    this.options = options;
    const { playback, capture } = options.audio;
    playback.onRoom = (bytes) => this.transfer(PCM_OUT, bytes);
    for (const voice of [PCM_IN, MIC_IN]) capture.streams[CAPTURE_STREAM[voice]!]!.onFrames = (bytes) => this.transfer(voice, bytes);
  }

  /** What is shared stays, as in QEMU. */
  reset(): void {
    for (const voice of [PCM_IN, PCM_OUT, MIC_IN]) this.resetChannel(voice);
  }

  read(offset: number, size: AccessSize): number {
    if (size === 4) return this.readLong(offset);
    const channel = this.channels[offset >> 4];
    if (size === 1 && offset === CAS) {
      const value = this.semaphore ? 1 : 0;
      this.semaphore = true;
      return value;
    }
    if (channel === undefined) return 0xffff;
    return (size === 1 ? readByte(channel, offset & 0xf) : readWord(channel, offset & 0xf)) ?? 0xffff;
  }

  private readLong(offset: number): number {
    if (offset === GLOB_CNT) return this.globalControl;
    if (offset === GLOB_STA) return this.globalStatus | STATUS_CODEC_READY;
    const channel = this.channels[offset >> 4];
    switch (channel === undefined ? null : offset & 0xf) {
      case BDBAR:
        return channel!.base;
      case CIV:
        return (channel!.current | (channel!.last << 8) | (channel!.status << 16)) >>> 0;
      case PICB:
        return (channel!.left | (channel!.prefetched << 16) | (channel!.control << 24)) >>> 0;
      default:
        return 0xffffffff;
    }
  }

  write(offset: number, value: number, size: AccessSize): void {
    const voice = offset >> 4;
    const channel = this.channels[voice];
    const register = offset & 0xf;
    if (size === 4 && offset === GLOB_CNT) {
      if ((value & CONTROL_RESETS) === 0) this.globalControl = value & CONTROL_BITS;
    } else if (size === 4 && offset === GLOB_STA)
      this.globalStatus = ((this.globalStatus & ~(value & STATUS_WRITE_1_CLEAR)) | (value & STATUS_WRITABLE)) >>> 0;
    else if (channel === undefined) return;
    else if (size === 4 && register === BDBAR) channel.base = (value & ~3) >>> 0;
    else if (size !== 4 && register === SR) this.writeStatus(voice, value);
    else if (size === 1 && register === LVI) this.writeLast(channel, value);
    else if (size === 1 && register === CR) this.writeControl(voice, value);
  }

  private writeStatus(voice: number, value: number): void {
    const channel = this.channels[voice]!;
    channel.status |= value & ~(SR_INTERRUPTS | SR_CURRENT_IS_LAST | SR_HALTED);
    this.updateStatus(voice, channel.status & ~(value & SR_INTERRUPTS));
  }

  /** A halted channel goes on with the list. */
  private writeLast(channel: Ac97Channel, value: number): void {
    if (channel.control & CR_RUN && channel.status & SR_HALTED) {
      channel.status &= ~(SR_HALTED | SR_CURRENT_IS_LAST);
      channel.advance(this.descriptor);
    }
    channel.last = value % 32;
  }

  private writeControl(voice: number, value: number): void {
    const channel = this.channels[voice]!;
    if (value & CR_RESET) return this.resetChannel(voice);
    channel.control = value & 0x1f;
    if ((value & CR_RUN) === 0) {
      this.options.setActive(voice, false);
      channel.status |= SR_HALTED;
      return;
    }
    channel.advance(this.descriptor);
    channel.status &= ~SR_HALTED;
    this.options.setActive(voice, true);
  }

  private resetChannel(voice: number): void {
    this.updateStatus(voice, SR_HALTED);
    this.channels[voice]!.reset();
    this.options.setActive(voice, false);
    this.silence = 0;
  }

  /** Sets SR, and the interrupt by what changed. */
  private updateStatus(voice: number, status: number): void {
    const channel = this.channels[voice]!;
    const causes = status & SR_INTERRUPTS;
    const changed = causes !== (channel.status & SR_INTERRUPTS);
    channel.status = status;
    if (!changed) return;
    const { control } = channel;
    const last = (causes & SR_LAST_BUFFER) !== 0 && (control & CR_LAST_INTERRUPT) !== 0;
    const complete = (causes & SR_BUFFER_COMPLETE) !== 0 && (control & CR_COMPLETE_INTERRUPT) !== 0;
    if (causes !== 0 && !last && !complete) return;
    const bit = STATUS_INTERRUPT[voice]!;
    this.globalStatus = (causes === 0 ? this.globalStatus & ~bit : this.globalStatus | bit) >>> 0;
    this.options.setIrq(causes !== 0);
  }

  private readonly descriptor = (paddr: number): DataView => new DataView(this.readMemory(paddr, 8).buffer);

  /** Zeros when the function may not read memory. */
  private readMemory(paddr: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    if (this.options.mayMaster()) this.options.memory.readBytes(paddr, bytes);
    return bytes;
  }

  /** The engine has room for so many bytes, or has them recorded. */
  private transfer(voice: number, bytes: number): void {
    const channel = this.channels[voice]!;
    if (channel.status & SR_HALTED) {
      if (voice === PCM_OUT && channel.control & CR_RUN) this.playOn(bytes);
      return;
    }
    for (let left = bytes; left >= 2; ) {
      if (!channel.fetched) channel.fetch(this.descriptor);
      if (channel.left === 0) return this.skipEmpty(channel);
      const wanted = Math.min(channel.left * 2, left);
      const moved = voice === PCM_OUT ? this.play(channel, wanted) : this.record(voice, channel, wanted);
      left -= moved;
      channel.left -= moved >> 1;
      const ended = channel.left === 0 && this.endBuffer(voice);
      if (ended || moved < wanted) return;
    }
  }

  /** A buffer of no samples. */
  private skipEmpty(channel: Ac97Channel): void {
    if (channel.current === channel.last) {
      channel.status |= SR_HALTED;
      this.underrun = 0;
      return;
    }
    channel.status &= ~SR_CURRENT_IS_LAST;
    channel.advance(this.descriptor);
  }

  /** @returns the list is at its end */
  private endBuffer(voice: number): boolean {
    const channel = this.channels[voice]!;
    let status = channel.status & ~SR_CURRENT_IS_LAST;
    if (channel.length & ON_COMPLETION) status |= SR_BUFFER_COMPLETE;
    const last = channel.current === channel.last;
    if (last) {
      status |= SR_LAST_BUFFER | SR_HALTED | SR_CURRENT_IS_LAST;
      this.underrun = channel.length & REPEAT_LAST ? LAST_SAMPLE : 0;
    } else channel.advance(this.descriptor);
    this.updateStatus(voice, status);
    return last;
  }

  /** @returns bytes played */
  private play(channel: Ac97Channel, wanted: number): number {
    let done = 0;
    while (done < wanted) {
      const piece = this.readMemory(channel.address, Math.min(wanted - done, PIECE_BYTES));
      const taken = this.options.audio.playback.write(piece);
      if (taken === 0) break;
      done += taken;
      channel.address = (channel.address + taken) >>> 0;
      if (done === wanted) this.lastSample = piece.length < 4 ? 0 : new DataView(piece.buffer).getUint32(piece.length - 4, true);
    }
    return done;
  }

  /** @returns bytes recorded */
  private record(voice: number, channel: Ac97Channel, wanted: number): number {
    const { audio, memory, mayMaster } = this.options;
    let done = 0;
    while (done < wanted) {
      const piece = audio.capture.read(CAPTURE_STREAM[voice]!, Math.min(wanted - done, PIECE_BYTES));
      if (piece.length === 0) break;
      if (mayMaster()) memory.writeBytes(channel.address, piece);
      done += piece.length;
      channel.address = (channel.address + piece.length) >>> 0;
    }
    return done;
  }

  /** Behind the end of the list: silence, or the last sample. */
  private playOn(bytes: number): void {
    if ((this.underrun & SETTLED) === 0) {
      this.silence = this.underrun & LAST_SAMPLE ? this.lastSample : 0;
      this.underrun |= SETTLED;
    }
    const frames = new Uint8Array(new Uint32Array(SILENCE_BYTES / 4).fill(this.silence).buffer);
    for (let left = bytes; left > 0; ) {
      const taken = this.options.audio.playback.write(frames.subarray(0, Math.min(left, SILENCE_BYTES)));
      if (taken === 0) return;
      left -= taken;
    }
  }
}

function readByte(channel: Ac97Channel, register: number): number | null {
  switch (register) {
    case CIV:
      return channel.current;
    case LVI:
      return channel.last;
    case SR:
      return channel.status & 0xff;
    case PIV:
      return channel.prefetched;
    case CR:
      return channel.control;
    default:
      return null;
  }
}

function readWord(channel: Ac97Channel, register: number): number | null {
  return register === SR ? channel.status : register === PICB ? channel.left : null;
}
