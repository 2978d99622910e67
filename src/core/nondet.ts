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

/** The network end of a network card: where frames go that the guest sends. */
export interface PacketBackend {
  /** An Ethernet frame without its check sequence; the array is the taker's. */
  send(frame: Uint8Array): void;
}

/** The guest end: what asynchronous NET events feed. */
export interface PacketFrontend {
  receive(frame: Uint8Array): void;
}

/** Receivers of recorded input events. */
export interface InputSink {
  event(event: InputEvent): void;
  /** End of a group of events: devices deliver what they gathered. */
  sync(): void;
}

/** The host end of a sound card: frames of two 16-bit samples, left before right. */
export interface AudioBackend {
  /** Frames per second that it plays. */
  readonly outHz: number;
  /** Frames per second that it records; null: it cannot record. */
  readonly inHz: number | null;
  /** How often it is served, in nanoseconds of virtual time. */
  readonly periodNs: number;
  /** Playing begins with frame 0; what was played before is over. */
  begin(): void;
  /** Plays frames (4 bytes each, little-endian) as those from `frame` on. May be told the same twice. */
  play(frame: number, bytes: Uint8Array): void;
}

/** How a sound card hands frames to the host, and gets some: its AUDIO_OUT and AUDIO_IN events. */
export interface AudioDoors {
  /** In one audio tick `frames` go to the back-end. @returns how many it takes */
  out(frames: number): number;
  /** In one audio tick the back-end has `frames` frames from `frame` on. @returns what was recorded */
  in(request: AudioInRequest): RecordedFrames;
}

export interface RecordedFrames {
  readonly count: number;
  /** Left and right sample in turn, 32 bits each; none: the ring keeps what it had (a log does not say what a whole ring was). */
  readonly samples: Int32Array;
}

export interface AudioInRequest {
  /** Frames that the back-end recorded. */
  readonly frames: number;
  /** Which the first of them is, counted from the beginning of recording. */
  readonly frame: number;
  /** Where they go in the ring of recorded frames, how many it holds, and how many have room. */
  readonly position: number;
  readonly ringFrames: number;
  readonly room: number;
}
