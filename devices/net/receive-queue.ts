import type { StatefulPart, StateSchema } from '../../src/core/state.js';

const MOST_FRAMES = 10_000;
/** What a state may hold; frames of an Ethernet come to less. */
const MOST_BYTES = 0xf0_0000;
/** As QEMU's NET_BUFSIZE. */
const LONGEST_FRAME = 4096 + 65536;
const LENGTH_BYTES = 4;

/** The card's end of a ReceiveQueue. */
export interface FrameTaker {
  canReceive(): boolean;
  /** False: it could not take the frame now. */
  receive(frame: Uint8Array): boolean;
}

/**
 * Frames on their way into a network card, as QEMU keeps them: one that cannot be taken waits, and all others behind it, until the card says that it has room again.
 * There are at most 10,000; further ones are lost.
 */
export class ReceiveQueue implements StatefulPart {
  readonly schema: StateSchema = { name: 'receive-queue', version: 1, fields: { disabled: 'bool', waiting: 'blob' } };
  /** The card refused a frame, and has not said since that it has room. */
  disabled = false;
  private frames: Uint8Array[] = [];
  private bytes = 0;
  private readonly taker: FrameTaker;
  private delivering = false;

  constructor(taker: FrameTaker) {
    this.taker = taker;
  }

  /** The frames that wait, each behind its length (32 bits, little-endian). */
  get waiting(): Uint8Array {
    const all = new Uint8Array(this.bytes + this.frames.length * LENGTH_BYTES);
    const view = new DataView(all.buffer);
    let at = 0;
    for (const frame of this.frames) {
      view.setUint32(at, frame.length, true);
      all.set(frame, at + LENGTH_BYTES);
      at += LENGTH_BYTES + frame.length;
    }
    return all;
  }

  /** The bytes may be a stranger's: what they cut off is left out. */
  set waiting(all: Uint8Array) {
    this.frames = [];
    this.bytes = 0;
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    for (let at = 0; at + LENGTH_BYTES <= all.length; ) {
      const length = view.getUint32(at, true);
      at += LENGTH_BYTES;
      if (length > all.length - at) return;
      this.append(all.slice(at, at + length));
      at += length;
    }
  }

  /** A frame from outside. */
  send(frame: Uint8Array): void {
    if (frame.length > LONGEST_FRAME) return;
    if (this.delivering || !this.canReceive()) this.append(frame);
    else if (this.deliver(frame)) this.flush();
    else this.append(frame);
  }

  /** A frame that the card sends to itself: lost if it cannot be taken now. */
  loopBack(frame: Uint8Array): void {
    if (this.canReceive() && !this.delivering) this.deliver(frame);
  }

  /** The card has room again. */
  roomAgain(): void {
    this.disabled = false;
    this.flush();
  }

  private canReceive(): boolean {
    return !this.disabled && this.taker.canReceive();
  }

  private append(frame: Uint8Array): void {
    if (this.frames.length >= MOST_FRAMES || this.bytes + frame.length > MOST_BYTES) return;
    this.frames.push(frame);
    this.bytes += frame.length;
  }

  private flush(): void {
    if (this.delivering) return;
    let taken = 0;
    while (taken < this.frames.length && this.deliver(this.frames[taken]!)) this.bytes -= this.frames[taken++]!.length;
    this.frames.splice(0, taken);
  }

  private deliver(frame: Uint8Array): boolean {
    if (this.disabled) return false;
    this.delivering = true;
    const taken = this.taker.receive(frame);
    this.delivering = false;
    if (!taken) this.disabled = true;
    return taken;
  }
}
