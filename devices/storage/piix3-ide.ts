import type { BlockDevice } from '../../src/block/block-device.js';
import type { DmaMemory, IrqLine, PortSpace } from '../../src/core/bus.js';
import type { StateSchema } from '../../src/core/state.js';
import { PCI_FIELDS, PciDevice } from '../pci/pci-device.js';
import { AtaChannel } from './ata-channel.js';

const BUS_MASTER_PORTS = 16;

export interface Piix3IdeOptions {
  readonly ports: PortSpace;
  readonly memory: DmaMemory;
  /** ISA interrupts 14 and 15. */
  readonly irqs: readonly [IrqLine, IrqLine];
  /** Primary master, primary slave, secondary master, secondary slave. */
  readonly drives: readonly [BlockDevice | null, BlockDevice | null, BlockDevice | null, BlockDevice | null];
  /** A request of drive 0-3 has been made: `complete(drive)` must be called once, later or at once, in the order of the requests of a drive. */
  readonly onRequest: (drive: number) => void;
  /** The guest resets channel 0 or 1 by software: `performReset(channel)` must be called once, later or at once. */
  readonly onSoftwareReset: (channel: number) => void;
}

/** 82371SB (PIIX3) function 1: two ATA channels at the old PC addresses, with bus masters behind BAR 4. */
export class Piix3Ide extends PciDevice {
  readonly schema: StateSchema = { name: 'piix3-ide', version: 1, fields: { ...PCI_FIELDS, channels: 'parts' } };
  readonly channels: readonly [AtaChannel, AtaChannel];

  constructor(options: Piix3IdeOptions) {
    super({ vendorId: 0x8086, deviceId: 0x7010, revision: 0, classCode: 0x010180 });
    const { ports, memory, irqs, drives } = options;
    const channel = (n: 0 | 1): AtaChannel =>
      new AtaChannel({
        ports,
        commandPort: n === 0 ? 0x1f0 : 0x170,
        controlPort: n === 0 ? 0x3f6 : 0x376,
        irq: irqs[n],
        memory,
        mayMaster: () => this.busMaster,
        media: n === 0 ? [drives[0], drives[1]] : [drives[2], drives[3]],
        firstNumber: n * 2 + 1,
        onRequest: (unit) => options.onRequest(n * 2 + unit),
        onSoftwareReset: () => options.onSoftwareReset(n),
      });
    this.channels = [channel(0), channel(1)];
    this.setWord(0x06, 0x0280);
    this.addBar({
      index: 4,
      type: 1,
      sizeBytes: BUS_MASTER_PORTS,
      map: (address) =>
        ports.map(address, BUS_MASTER_PORTS, {
          name: 'ide-bus-master',
          read: (offset, size) => this.channels[(offset >> 3) as 0 | 1].busMaster.read(offset & 7, size),
          write: (offset, value, size) => this.channels[(offset >> 3) as 0 | 1].busMaster.write(offset & 7, value, size),
        }),
    });
  }

  reset(): void {
    for (const channel of this.channels) channel.reset();
    this.setWord(0x04, 0);
    this.setWord(0x06, 0x0280);
  }

  /** The oldest request of drive 0-3 is done. */
  complete(drive: number): void {
    this.channels[drive >> 1]?.complete(drive & 1);
  }

  /** Carries out a software reset of a channel. */
  performReset(channel: number): void {
    this.channels[channel]?.performReset();
  }
}
