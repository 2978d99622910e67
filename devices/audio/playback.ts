import type { Clock } from '../../src/core/clock.js';
import { UserError } from '../../src/core/errors.js';
import type { AudioBackend, AudioDoors } from '../../src/core/nondet.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { RateControl } from './rate-control.js';
import { RateConverter, ratio } from './rate-converter.js';
import { clip, sampleAt } from './samples.js';
import { Volume } from './volume.js';

/** Frames in the mixing buffer, and in the one behind it from which the back-end takes. */
const BUFFER_FRAMES = 1024;
const FRAME_BYTES = 4;
const TWO_32 = 0x100000000;

/** What playback needs from the rest of the engine. */
export interface PlaybackOptions {
  readonly clock: Clock;
  readonly backend: AudioBackend;
  readonly doors: AudioDoors;
  /** The voice was switched on. */
  readonly onEnable: () => void;
}

/**
 * A card's one playback voice and the back-end's: what the card writes (16-bit stereo at its own rate) becomes the back-end's rate in the mixing buffer, moves on to the
 * queue once in each audio tick, and leaves that at the pace of virtual time. How many frames there is room for is what a guest sees of it: QEMU's numbers.
 */
export class Playback implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'audio-playback',
    version: 1,
    fields: {
      rateHz: 'int',
      active: 'bool',
      enabled: 'bool',
      endsWhenEmpty: 'bool',
      mixed: 'int',
      position: 'int',
      mixing: 'f64s',
      queue: 'bytes',
      queueEnd: 'int',
      queued: 'int',
      played: 'int',
      volume: 'part',
      converter: 'part',
      pace: 'part',
    },
  };
  /** Of the card's frames; 0: the voice is closed. */
  rateHz = 0;
  /** The card plays. */
  active = false;
  /** The voice is served, which goes on until all has been played. */
  enabled = false;
  endsWhenEmpty = false;
  /** Frames in the mixing buffer, from `position` on. */
  mixed = 0;
  position = 0;
  /** Sums: they may be larger than samples. */
  readonly mixing = new Float64Array(BUFFER_FRAMES * 2);
  readonly queue = new Uint8Array(BUFFER_FRAMES * FRAME_BYTES);
  queueEnd = 0;
  queued = 0;
  /** Frames that the back-end took since the voice was opened. */
  played = 0;
  readonly volume = new Volume();
  readonly converter = new RateConverter();
  readonly pace: RateControl;
  /** Asks the card for up to that many bytes. */
  onRoom: (bytes: number) => void = () => {};
  private readonly options: PlaybackOptions;

  constructor(options: PlaybackOptions) {
    this.options = options;
    this.pace = new RateControl(options.backend.outHz);
  }

  /** Opens the voice, or gives it another rate, which stops the card's playing. @param rateHz 1 to 65535; too low for one frame in the buffer closes it */
  open(rateHz: number): void {
    if (rateHz === this.rateHz) return;
    const { backend, clock } = this.options;
    if (this.rateHz === 0) {
      this.position = 0;
      this.mixing.fill(0);
      this.queue.fill(0);
      this.queueEnd = 0;
      this.queued = 0;
      this.played = 0;
      this.enabled = false;
      this.endsWhenEmpty = false;
      this.pace.start(clock.nowNs());
      backend.begin();
    }
    this.rateHz = rateHz;
    this.active = false;
    this.mixed = 0;
    this.converter.start(rateHz, backend.outHz);
    this.volume.reset();
    if (this.cardFrames(BUFFER_FRAMES) === 0) this.close();
  }

  close(): void {
    this.rateHz = 0;
    this.active = false;
    this.enabled = false;
  }

  setActive(on: boolean): void {
    if (this.rateHz === 0 || this.active === on) return;
    this.active = on;
    this.endsWhenEmpty = !on && this.enabled;
    if (!on || this.enabled) return;
    this.enabled = true;
    this.pace.start(this.options.clock.nowNs());
    this.options.onEnable();
  }

  setVolume(mute: boolean, left: number, right: number): void {
    if (this.rateHz !== 0) this.volume.set(mute, left, right);
  }

  /** Takes frames from the card. @returns the bytes taken, a multiple of four */
  write(bytes: Uint8Array): number {
    if (!this.enabled) return 0;
    const room = Math.min(BUFFER_FRAMES - this.mixed, this.room);
    const frames = Math.min(this.cardFrames(room), Math.floor(bytes.length / FRAME_BYTES));
    const samples = new Int32Array(frames * 2);
    for (let i = 0; i < samples.length; i++) samples[i] = sampleAt(bytes, i * 2) << 16;
    this.volume.apply(samples, frames);
    return this.mix(samples, frames) * FRAME_BYTES;
  }

  private mix(samples: Int32Array, frames: number): number {
    let done = 0;
    while (done < frames && this.mixed < BUFFER_FRAMES) {
      const at = (this.position + this.mixed) % BUFFER_FRAMES;
      const count = Math.min(BUFFER_FRAMES - this.mixed, BUFFER_FRAMES - at);
      const input = { frames: samples, at: done, count: frames - done };
      const { consumed, produced } = this.converter.flow(input, { frames: this.mixing, at, count }, true);
      done += consumed;
      this.mixed += produced;
    }
    return done;
  }

  /** One audio tick. */
  run(): void {
    const { room } = this;
    if (this.active && room > 0) {
      const frames = this.cardFrames(Math.min(BUFFER_FRAMES - this.mixed, room));
      if (frames > 0) this.onRoom(frames * FRAME_BYTES);
    }
    if (this.endsWhenEmpty && !this.active && this.mixed === 0) {
      this.enabled = false;
      this.endsWhenEmpty = false;
      return;
    }
    if (this.mixed > 0) this.moveOn(this.options.doors.out(Math.min(this.mixed, BUFFER_FRAMES - this.queued)));
    this.drain();
  }

  /** Room in the queue beyond what is mixed already. */
  private get room(): number {
    return Math.max(0, BUFFER_FRAMES - this.queued - this.mixed);
  }

  /** How many of the card's frames make `frames` of the back-end's. */
  private cardFrames(frames: number): number {
    return Math.floor((frames * TWO_32) / ratio(this.options.backend.outHz, this.rateHz));
  }

  /** The first mixed frames go into the queue. */
  private moveOn(frames: number): void {
    for (let i = 0; i < frames; i++) {
      for (const side of [0, 1]) {
        const from = this.position * 2 + side;
        const sample = clip(this.mixing[from]!);
        const to = this.queueEnd * FRAME_BYTES + side * 2;
        this.queue[to] = sample;
        this.queue[to + 1] = sample >> 8;
        this.mixing[from] = 0;
      }
      this.position = (this.position + 1) % BUFFER_FRAMES;
      this.queueEnd = (this.queueEnd + 1) % BUFFER_FRAMES;
    }
    this.mixed -= frames;
    this.queued += frames;
  }

  /** The back-end takes what is due. */
  private drain(): void {
    if (this.queued === 0) return;
    const { backend, clock } = this.options;
    for (let left = this.pace.take(clock.nowNs(), this.queued); left > 0; ) {
      const start = (this.queueEnd - this.queued + BUFFER_FRAMES) % BUFFER_FRAMES;
      const count = Math.min(left, BUFFER_FRAMES - start);
      backend.play(this.played, this.queue.subarray(start * FRAME_BYTES, (start + count) * FRAME_BYTES));
      this.played += count;
      this.queued -= count;
      left -= count;
    }
  }

  /** The bytes may be a stranger's. */
  afterRestore(): void {
    const { rateHz, mixed, position, queueEnd, queued, played } = this;
    const amounts = [mixed, queued].every((n) => n >= 0 && n <= BUFFER_FRAMES) && played >= 0;
    const places = [position, queueEnd].every((n) => n >= 0 && n < BUFFER_FRAMES);
    const rate = rateHz >= 0 && rateHz <= 0xffff && (rateHz > 0 || !this.enabled);
    if (!amounts || !places || !rate) throw new UserError('snapshot-corrupt', 'saved state: playing of sound makes no sense');
  }
}
