import type { InputEvent } from '../src/core/nondet.js';

/** What the outside asks of a live machine. */
export type HostRequest =
  | { kind: 'input'; event: InputEvent }
  | { kind: 'input-sync' }
  /** Characters for a character device, by its index. */
  | { kind: 'chars'; device: number; bytes: Uint8Array }
  /** An Ethernet frame without its check sequence, from a network, by its number. */
  | { kind: 'packet'; network: number; frame: Uint8Array }
  /** A monitor's system_reset. */
  | { kind: 'reset' }
  /** Somebody presses the power button (a monitor's system_powerdown). */
  | { kind: 'power-button' }
  /** End the run in good order (Ctrl-C). */
  | { kind: 'stop' };

/** The real world, as far as a recording session may touch it. Implemented by the worker that runs the machine; scripted in tests. */
export interface HostEnvironment {
  /** UTC nanoseconds since 1970. */
  wallNs(): bigint;
  /** Nanoseconds since the machine started, not going back. */
  monotonicNs(): number;
  random(lengthBytes: number): Uint8Array;
  /** Requests since the last call, oldest first; cheap when there are none. */
  poll(icount: number): HostRequest[];
  /** Sleeps for that many nanoseconds (null: for ever) or until there is a request. */
  wait(ns: number | null): void;
}
