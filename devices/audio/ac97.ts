import type { AccessSize, DmaMemory, PortSpace } from '../../src/core/bus.js';
import type { StateSchema } from '../../src/core/state.js';
import { PCI_FIELDS, PciDevice } from '../pci/pci-device.js';
import { Ac97BusMaster } from './ac97-bus-master.js';
import { Ac97Mixer } from './ac97-mixer.js';
import type { AudioEngine } from './audio-engine.js';

const MIXER_PORTS = 1024;
const BUS_MASTER_PORTS = 256;
/** Accesses to the mixer beyond this many of their size do not reach it. */
const MIXER_ACCESSES = 256;
const BUS_MASTER_ACCESSES = 64;

export interface Ac97Options {
  readonly ports: PortSpace;
  readonly memory: DmaMemory;
  readonly audio: AudioEngine;
}

/** Intel 82801AA AC '97 audio controller with its codec (data sheet 290655, chapter 13): what QEMU calls AC97. */
export class Ac97 extends PciDevice {
  readonly schema: StateSchema = { name: 'ac97', version: 1, fields: { ...PCI_FIELDS, mixer: 'part', busMasters: 'part' } };
  readonly mixer: Ac97Mixer;
  readonly busMasters: Ac97BusMaster;

  constructor({ ports, memory, audio }: Ac97Options) {
    super({ vendorId: 0x8086, deviceId: 0x2415, revision: 1, classCode: 0x040100 });
    this.mixer = new Ac97Mixer(audio);
    this.busMasters = new Ac97BusMaster({
      audio,
      memory,
      mayMaster: () => this.busMaster,
      setIrq: (level) => this.setIrq(level),
      setActive: (voice, on) => this.mixer.setActive(voice, on),
    });
    this.setWord(0x06, 0x0280);
    this.config[0x3d] = 1;
    const mixerPorts = {
      name: 'ac97-nam',
      read: (offset: number, size: AccessSize) => this.readMixer(offset, size),
      write: (offset: number, value: number, size: AccessSize) => this.writeMixer(offset, value, size),
    };
    this.addBar({ index: 0, type: 1, sizeBytes: MIXER_PORTS, map: (address) => ports.map(address, MIXER_PORTS, mixerPorts) });
    const busMasterPorts = {
      name: 'ac97-nabm',
      read: (offset: number, size: AccessSize) => this.readBusMaster(offset, size),
      write: (offset: number, value: number, size: AccessSize) => this.writeBusMaster(offset, value, size),
    };
    this.addBar({
      index: 1,
      type: 1,
      sizeBytes: BUS_MASTER_PORTS,
      map: (address) => ports.map(address, BUS_MASTER_PORTS, busMasterPorts),
    });
    this.busMasters.reset();
    this.mixer.reset();
  }

  reset(): void {
    this.busMasters.reset();
    this.mixer.reset();
  }

  /** Only words are registers. Any access gives the codec free. */
  private readMixer(offset: number, size: AccessSize): number {
    const ones = 0xffffffff >>> (32 - size * 8);
    if (Math.floor(offset / size) > MIXER_ACCESSES) return ones;
    this.busMasters.semaphore = false;
    return size === 2 ? this.mixer.read(offset) : ones;
  }

  private writeMixer(offset: number, value: number, size: AccessSize): void {
    if (Math.floor(offset / size) > MIXER_ACCESSES) return;
    this.busMasters.semaphore = false;
    if (size === 2) this.mixer.write(offset, value);
  }

  private readBusMaster(offset: number, size: AccessSize): number {
    const ones = 0xffffffff >>> (32 - size * 8);
    const value = Math.floor(offset / size) > BUS_MASTER_ACCESSES ? ones : this.busMasters.read(offset, size);
    return (value & ones) >>> 0;
  }

  private writeBusMaster(offset: number, value: number, size: AccessSize): void {
    if (Math.floor(offset / size) <= BUS_MASTER_ACCESSES) this.busMasters.write(offset, value, size);
  }
}
