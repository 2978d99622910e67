import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { between } from './samples.js';

const TWO_32 = 0x100000000;
/** Input position at which both positions start anew. */
const WRAP = 0x10001;

/** Frames, left and right sample in turn. */
export type Frames = Int32Array | Float64Array;

/** A piece of an array of frames: `at` and `count` in frames. */
export interface Span {
  readonly frames: Frames;
  readonly at: number;
  readonly count: number;
}

/** What a conversion used up and made, in frames. */
export interface Flow {
  readonly consumed: number;
  readonly produced: number;
}

/** Converts frames from one rate to another by linear interpolation, as QEMU's mixing engine does; equal rates pass through. */
export class RateConverter implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'rate-converter',
    version: 1,
    fields: { increment: 'int', outPosition: 'int', inPosition: 'int', lastLeft: 'int', lastRight: 'int' },
  };
  /** Input frames for one output frame, in units of 2^-32. */
  increment = TWO_32;
  /** Of the next output frame, in input frames in units of 2^-32. */
  outPosition = 0;
  /** Input frames so far. */
  inPosition = 0;
  /** The last of them. */
  lastLeft = 0;
  lastRight = 0;

  /** Begins anew. @param fromHz below 2^21; @param toHz likewise, not 0 */
  start(fromHz: number, toHz: number): void {
    this.increment = ratio(fromHz, toHz);
    this.outPosition = 0;
    this.inPosition = 0;
    this.lastLeft = 0;
    this.lastRight = 0;
  }

  /** Converts until the input is used up or the output is full. @param mix adds to what the output has */
  flow(input: Span, output: Span, mix: boolean): Flow {
    return this.increment === TWO_32 ? copy(input, output, mix) : this.interpolate(input, output, mix);
  }

  private interpolate({ frames: from, at: start, count }: Span, output: Span, mix: boolean): Flow {
    const end = start + count;
    let at = start;
    let produced = 0;
    while (produced < output.count && at < end) {
      while (this.inPosition <= Math.floor(this.outPosition / TWO_32)) {
        this.lastLeft = from[at * 2]!;
        this.lastRight = from[at * 2 + 1]!;
        this.inPosition++;
        if (++at === end) return { consumed: count, produced };
      }
      if (this.inPosition >= WRAP) {
        this.inPosition = 1;
        this.outPosition %= TWO_32;
      }
      const fraction = this.outPosition % TWO_32;
      const to = (output.at + produced++) * 2;
      put(output.frames, to, between(this.lastLeft, from[at * 2]!, fraction), mix);
      put(output.frames, to + 1, between(this.lastRight, from[at * 2 + 1]!, fraction), mix);
      this.outPosition += this.increment;
    }
    return { consumed: at - start, produced };
  }
}

/** floor(a * 2^32 / b) of two frequencies. */
export function ratio(a: number, b: number): number {
  return Number((BigInt(a) << 32n) / BigInt(b));
}

function put(frames: Frames, at: number, value: number, mix: boolean): void {
  frames[at] = mix ? frames[at]! + value : value;
}

function copy(input: Span, output: Span, mix: boolean): Flow {
  const count = Math.min(input.count, output.count);
  for (let i = 0; i < count * 2; i++) put(output.frames, output.at * 2 + i, input.frames[input.at * 2 + i]!, mix);
  return { consumed: count, produced: count };
}
