import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { FULL_LEVEL, scale } from './samples.js';

/** How loud a card's voice is. */
export class Volume implements StatefulPart {
  readonly schema: StateSchema = { name: 'audio-volume', version: 1, fields: { mute: 'bool', left: 'u8', right: 'u8' } };
  mute = false;
  left = FULL_LEVEL;
  right = FULL_LEVEL;

  /** @param left 0 to 255; @param right likewise */
  set(mute: boolean, left: number, right: number): void {
    this.mute = mute;
    this.left = left;
    this.right = right;
  }

  /** As a voice has it before a card says otherwise. */
  reset(): void {
    this.set(false, FULL_LEVEL, FULL_LEVEL);
  }

  /** Applies it to the first `count` frames. */
  apply(frames: Int32Array, count: number): void {
    if (this.mute) {
      frames.fill(0, 0, count * 2);
      return;
    }
    if (this.left === FULL_LEVEL && this.right === FULL_LEVEL) return;
    for (let i = 0; i < count * 2; i += 2) {
      frames[i] = scale(frames[i]!, this.left);
      frames[i + 1] = scale(frames[i + 1]!, this.right);
    }
  }
}
