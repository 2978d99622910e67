/** What a machine may learn from outside besides its clocks, in the forms devices see. Devices cannot tell whether it is live or replayed. */

/** Input events as QEMU's log has them (LOG format section "input"). */
export type InputEvent =
  | { kind: 'key-number'; number: bigint; down: boolean }
  | { kind: 'key'; qcode: number; down: boolean }
  | { kind: 'button'; button: number; down: boolean }
  | { kind: 'rel'; axis: number; value: number }
  | { kind: 'abs'; axis: number; value: number }
  | { kind: 'mtt'; type: number; slot: number; trackingId: number; axis: number; value: number }
  | { kind: 'unknown'; code: number };

/** The host end of a character device (serial port, debug console). */
export interface CharBackend {
  /** Sends bytes out; returns the number accepted (a CHAR_WRITE event). */
  write(bytes: Uint8Array): number;
}

/** The guest end: what asynchronous CHAR_READ events feed. */
export interface CharFrontend {
  /** How many bytes the device can take now. */
  canReceive(): number;
  receive(bytes: Uint8Array): void;
}

/** Receivers of recorded input events. */
export interface InputSink {
  event(event: InputEvent): void;
  /** End of a group of events: devices deliver what they gathered. */
  sync(): void;
}
