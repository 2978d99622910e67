import type { IoHandlers, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';

/** A port whose writing ends the machine with exit status (value << 1) | 1. */
export class IsaDebugExit implements Device {
  readonly schema: StateSchema = { name: 'isa-debug-exit', version: 1, fields: {} };

  /** @param count ports from `port` on. @param exit receives the process exit status (0-255). */
  constructor(ports: PortSpace, port: number, count: number, exit: (status: number) => void) {
    const io: IoHandlers = {
      name: 'isa-debug-exit',
      read: () => 0,
      write: (_offset, value) => exit(((value << 1) | 1) & 0xff),
    };
    ports.map(port, count, io);
  }

  reset(): void {}
}
