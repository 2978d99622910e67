import type { DmaMemory, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import { Dma8237 } from './dma-8237.js';

/** The two 8237As of a PC: byte channels 0-3 and, behind the cascade, word channels 4-7. The PIIX3 has no high page registers. */
export class DmaPair implements Device {
  readonly schema: StateSchema = { name: 'dma-pair', version: 1, fields: { bytes: 'part', words: 'part' } };
  readonly bytes: Dma8237;
  readonly words: Dma8237;

  /** @param onBusy a channel keeps its request up: call `run` of both controllers again later. */
  constructor(ports: PortSpace, memory: DmaMemory, onBusy: () => void) {
    this.bytes = new Dma8237({ ports, memory, port: 0x00, pagePort: 0x80, shift: 0, onBusy });
    this.words = new Dma8237({ ports, memory, port: 0xc0, pagePort: 0x88, shift: 1, onBusy });
  }

  reset(): void {
    this.bytes.reset();
    this.words.reset();
  }

  /** The controller of a channel (0-7); within it the channel's number is `channel & 3`. */
  controllerOf(channel: number): Dma8237 {
    return channel < 4 ? this.bytes : this.words;
  }
}
