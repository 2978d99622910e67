import type { IoHandlers, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';
import type { Pit8254 } from '../timer/pit-8254.js';

const GATE = 0x01;
const SPEAKER = 0x02;
const REFRESH = 0x10;
const OUTPUT = 0x20;
const SPEAKER_CHANNEL = 2;

/** System control port B (0x61): gate and output of PIT channel 2, speaker data. The refresh bit toggles at every read. */
export class Port61 implements Device {
  readonly schema: StateSchema = { name: 'port-61', version: 1, fields: { speakerOn: 'bool', refresh: 'bool' } };
  speakerOn = false;
  refresh = false;

  constructor(ports: PortSpace, pit: Pit8254) {
    const io: IoHandlers = {
      name: 'port 61',
      maxSize: 1,
      read: () => {
        this.refresh = !this.refresh;
        const gate = pit.channels[SPEAKER_CHANNEL]!.gate ? GATE : 0;
        const out = pit.output(SPEAKER_CHANNEL) ? OUTPUT : 0;
        return gate | out | (this.speakerOn ? SPEAKER : 0) | (this.refresh ? REFRESH : 0);
      },
      write: (_offset, value) => {
        this.speakerOn = (value & SPEAKER) !== 0;
        pit.setGate(SPEAKER_CHANNEL, (value & GATE) !== 0);
      },
    };
    ports.map(0x61, 1, io);
  }

  /** Nothing: the port has no reset. */
  reset(): void {}
}
