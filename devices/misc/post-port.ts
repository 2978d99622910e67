import type { IoHandlers, PortSpace } from '../../src/core/bus.js';

const DELAY: IoHandlers = { name: 'post', maxSize: 1, read: () => 0xff, write: () => {} };

/** The POST code port 0x80: swallows what is written (guests use it as a delay) and reads all ones. */
export function mapPostPort(ports: PortSpace): void {
  ports.map(0x80, 1, DELAY);
}

/** Port 0xf0: a write clears the x87's pending error towards the processor (IGNNE#). */
export function mapFpuErrorPort(ports: PortSpace, ignoreError: () => void): void {
  ports.map(0xf0, 1, { name: 'fpu error', maxSize: 1, read: () => 0xff, write: () => ignoreError() });
}
