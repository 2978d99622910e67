import type { IoHandlers, PortSpace } from '../../src/core/bus.js';
import type { Device, StateSchema } from '../../src/core/state.js';

const RESET = 1;
const A20 = 2;

/** System control port A (0x92): bit 1 is the fast A20 gate, a rising bit 0 resets the machine. */
export class Port92 implements Device {
  readonly schema: StateSchema = { name: 'port-92', version: 1, fields: { value: 'u8' } };
  value = 0;

  constructor(ports: PortSpace, setA20: (open: boolean) => void, requestReset: () => void) {
    const io: IoHandlers = {
      name: 'port 92',
      maxSize: 1,
      read: () => this.value,
      write: (_offset, value) => {
        const old = this.value;
        this.value = value;
        setA20((value & A20) !== 0);
        if (value & ~old & RESET) requestReset();
      },
    };
    ports.map(0x92, 1, io);
  }

  /** The A20 bit stays as it was. */
  reset(): void {
    this.value &= ~RESET;
  }
}
