import type { IoHandlers, PortSpace } from '../../src/core/bus.js';
import type { CharBackend } from '../../src/core/nondet.js';
import type { Device, StateSchema } from '../../src/core/state.js';

/** What a read gives, by which guests recognise the port. */
const READBACK = 0xe9;

/** Debug console at one port (0xe9, or 0x402 for SeaBIOS): every byte written goes to a character backend. */
export class Debugcon implements Device {
  readonly schema: StateSchema = { name: 'debugcon', version: 1, fields: {} };

  constructor(ports: PortSpace, port: number, backend: CharBackend) {
    // Wider accesses read 0 and are lost.
    const io: IoHandlers = {
      name: 'debugcon',
      read: (_offset, size) => (size === 1 ? READBACK : 0),
      write: (_offset, value, size) => {
        if (size === 1) backend.write(Uint8Array.of(value & 0xff));
      },
    };
    ports.map(port, 1, io);
  }

  reset(): void {}
}
