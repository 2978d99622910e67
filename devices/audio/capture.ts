import type { Clock } from '../../src/core/clock.js';
import { UserError } from '../../src/core/errors.js';
import type { AudioBackend, AudioDoors } from '../../src/core/nondet.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { CaptureStream } from './capture-stream.js';
import { RateControl } from './rate-control.js';
import { clip } from './samples.js';

/** Frames in the ring of recorded frames, and in the back-end's buffer before it. */
const RING_FRAMES = 1024;
const FRAME_BYTES = 4;
const NOTHING = new Uint8Array(0);

/** What recording needs from the rest of the engine. */
export interface CaptureOptions {
  readonly clock: Clock;
  readonly backend: AudioBackend;
  readonly doors: AudioDoors;
  /** How many voices the card has. */
  readonly streams: number;
  /** Recording was switched on. */
  readonly onEnable: () => void;
}

/**
 * A card's recording voices and the back-end's one behind them: in each audio tick the frames that the back-end recorded at the pace of virtual time go into a ring, which
 * each voice reads at its own rate. A back-end that cannot record has no voices: they stay closed.
 */
export class Capture implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'audio-capture',
    version: 1,
    fields: {
      enabled: 'bool',
      position: 'int',
      ring: 'i32s',
      captured: 'int',
      waiting: 'int',
      recorded: 'int',
      order: 'ints',
      streams: 'parts',
      pace: 'part',
    },
  };
  enabled = false;
  /** Where the next frame goes. */
  position = 0;
  readonly ring = new Int32Array(RING_FRAMES * 2);
  /** Frames recorded, less those that all active voices have read. */
  captured = 0;
  /** In the back-end's buffer. */
  waiting = 0;
  /** Frames that the back-end gave since the first voice was opened. */
  recorded = 0;
  /** The open voices, the one opened last first: the order in which they are served. */
  order: number[] = [];
  readonly streams: readonly CaptureStream[];
  readonly pace: RateControl;
  private readonly options: CaptureOptions;

  constructor(options: CaptureOptions) {
    this.options = options;
    const inHz = options.backend.inHz ?? 1;
    this.streams = Array.from({ length: options.streams }, () => new CaptureStream(inHz));
    this.pace = new RateControl(inHz);
  }

  /** Opens a voice, or gives it another rate, which stops it. @param rateHz 1 to 65535; too low for one frame of a full ring closes it */
  open(index: number, rateHz: number): void {
    const stream = this.streams[index]!;
    if (this.options.backend.inHz === null || stream.rateHz === rateHz) return;
    if (this.order.length === 0) this.begin();
    if (stream.rateHz === 0) this.order.unshift(index);
    stream.start(rateHz);
    if (stream.cardFrames(RING_FRAMES) === 0) this.close(index);
  }

  private begin(): void {
    this.enabled = false;
    this.position = 0;
    this.ring.fill(0);
    this.captured = 0;
    this.waiting = 0;
    this.recorded = 0;
    this.pace.start(this.options.clock.nowNs());
  }

  close(index: number): void {
    const stream = this.streams[index]!;
    stream.rateHz = 0;
    stream.active = false;
    this.order = this.order.filter((i) => i !== index);
    if (this.order.length === 0) this.enabled = false;
  }

  setActive(index: number, on: boolean): void {
    const stream = this.streams[index]!;
    if (stream.rateHz === 0 || stream.active === on) return;
    const others = this.openStreams.some((s) => s !== stream && s.active);
    stream.active = on;
    if (on) stream.acquired = this.captured;
    if (on === this.enabled || (!on && others)) return;
    this.enabled = on;
    if (!on) return;
    this.pace.start(this.options.clock.nowNs());
    this.options.onEnable();
  }

  setVolume(index: number, mute: boolean, left: number, right: number): void {
    const stream = this.streams[index]!;
    if (stream.rateHz !== 0) stream.volume.set(mute, left, right);
  }

  /** Gives a voice's next frames to the card, `bytes` bytes at the most. */
  read(index: number, bytes: number): Uint8Array {
    const stream = this.streams[index]!;
    const live = this.captured - stream.acquired;
    if (!this.enabled || !isAmount(live)) return NOTHING;
    const wanted = Math.min(stream.cardFrames(live), Math.floor(bytes / FRAME_BYTES));
    const frames = new Int32Array(wanted * 2);
    let from = (this.position - live + RING_FRAMES) % RING_FRAMES;
    let made = 0;
    while (made < wanted) {
      // The interpolation looks one frame ahead: it may go on behind the newest frame, into what the ring had a turn ago, as QEMU's does.
      const count = (this.position > from ? this.position : RING_FRAMES) - from;
      const flow = stream.converter.flow({ frames: this.ring, at: from, count }, { frames, at: made, count: wanted - made }, false);
      from = (from + flow.consumed) % RING_FRAMES;
      made += flow.produced;
      stream.acquired += flow.consumed;
    }
    stream.volume.apply(frames, wanted);
    return clipped(frames);
  }

  /** One audio tick. */
  run(): void {
    if (!this.enabled) return;
    this.record(RING_FRAMES - (this.captured - this.oldest));
    for (const index of this.order) {
      const stream = this.streams[index]!;
      if (!stream.active) continue;
      const live = this.captured - stream.acquired;
      const frames = isAmount(live) ? stream.cardFrames(live) : 0;
      if (frames > 0) stream.onFrames(frames * FRAME_BYTES);
    }
  }

  /** Puts what the back-end recorded into the ring. @param room frames that no active voice has still to read */
  private record(room: number): void {
    const { clock, doors } = this.options;
    if (this.waiting < RING_FRAMES) this.waiting += this.pace.take(clock.nowNs(), RING_FRAMES - this.waiting);
    const frames = Math.min(room, this.waiting);
    this.waiting -= frames;
    const { count, samples } = doors.in({ frames, frame: this.recorded, position: this.position, ringFrames: RING_FRAMES, room });
    for (let i = 0; i < samples.length; i++) this.ring[(this.position * 2 + i) % this.ring.length] = samples[i]!;
    this.position = (this.position + count) % RING_FRAMES;
    this.recorded += count;
    const { oldest } = this;
    this.captured += count - oldest;
    for (const stream of this.streams) stream.acquired = stream.active ? stream.acquired - oldest : 0;
  }

  /** What every active voice has read. */
  private get oldest(): number {
    return Math.min(this.captured, ...this.openStreams.filter((s) => s.active).map((s) => s.acquired));
  }

  private get openStreams(): readonly CaptureStream[] {
    return this.order.map((index) => this.streams[index]!);
  }

  /** The bytes may be a stranger's. */
  afterRestore(): void {
    const { position, waiting, captured, order, streams } = this;
    const open = streams.map((_, index) => index).filter((index) => streams[index]!.rateHz !== 0);
    const listed = JSON.stringify([...order].sort()) === JSON.stringify(open);
    const inRing = [position, waiting].every((n) => n >= 0 && n <= RING_FRAMES) && position < RING_FRAMES;
    const rates = streams.every(
      ({ rateHz, acquired }) => rateHz >= 0 && rateHz <= 0xffff && acquired >= 0 && acquired <= captured + RING_FRAMES,
    );
    const amounts = captured >= 0 && captured <= RING_FRAMES && (open.length > 0 || !this.enabled);
    if (!listed || !inRing || !rates || !amounts) throw new UserError('snapshot-corrupt', 'saved state: recording of sound makes no sense');
  }
}

/** What a voice has still to read; more, or less than nothing, is left when it has read too far. */
function isAmount(frames: number): boolean {
  return frames > 0 && frames <= RING_FRAMES;
}

function clipped(frames: Int32Array): Uint8Array {
  const bytes = new Uint8Array(frames.length * 2);
  frames.forEach((sample, i) => {
    const value = clip(sample);
    bytes[i * 2] = value;
    bytes[i * 2 + 1] = value >> 8;
  });
  return bytes;
}
