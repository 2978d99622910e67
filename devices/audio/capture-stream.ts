import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { RateConverter, ratio } from './rate-converter.js';
import { Volume } from './volume.js';

const TWO_32 = 0x100000000;

/** One of a card's recording voices (16-bit stereo at its own rate), which all read the same ring of recorded frames. */
export class CaptureStream implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'audio-capture-stream',
    version: 1,
    fields: { rateHz: 'int', active: 'bool', acquired: 'int', volume: 'part', converter: 'part' },
  };
  /** Of the card's frames; 0: the voice is closed. */
  rateHz = 0;
  active = false;
  /** How many recorded frames it has read, counted as `Capture.captured` is. */
  acquired = 0;
  readonly volume = new Volume();
  readonly converter = new RateConverter();
  /** Tells the card of so many bytes. */
  onFrames: (bytes: number) => void = () => {};
  private readonly inHz: number;

  /** @param inHz frames per second of the ring */
  constructor(inHz: number) {
    this.inHz = inHz;
  }

  /** Begins with another rate; inactive. */
  start(rateHz: number): void {
    this.rateHz = rateHz;
    this.active = false;
    this.converter.start(this.inHz, rateHz);
    this.volume.reset();
  }

  /** How many of the card's frames are made of `frames` in the ring. */
  cardFrames(frames: number): number {
    return Math.floor((frames * ratio(this.rateHz, this.inHz)) / TWO_32);
  }
}
