import type { Clock } from '../../src/core/clock.js';
import type { AudioBackend, AudioDoors } from '../../src/core/nondet.js';
import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import type { Timer } from '../../src/core/timers.js';
import { Capture } from './capture.js';
import { Playback } from './playback.js';

export interface AudioEngineOptions {
  readonly clock: Clock;
  readonly backend: AudioBackend;
  readonly doors: AudioDoors;
  /** Recording voices of the card. */
  readonly captureStreams: number;
}

/**
 * What lies between a sound card and the host: while any voice is on, a tick of virtual time every `periodNs` moves frames. It follows QEMU 7.2 (audio/audio.c) with its mixing
 * engine and fixed settings to the frame, since a guest sees in its descriptors how many were taken and when.
 */
export class AudioEngine implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'audio',
    version: 1,
    fields: { timer: 'timer', playback: 'part', capture: 'part' },
  };
  readonly timer: Timer<number>;
  readonly playback: Playback;
  readonly capture: Capture;
  private readonly options: AudioEngineOptions;

  constructor(options: AudioEngineOptions) {
    this.options = options;
    this.timer = options.clock.timer('audio', () => this.tick());
    const onEnable = (): void => this.armTimer();
    this.playback = new Playback({ ...options, onEnable });
    this.capture = new Capture({ ...options, streams: options.captureStreams, onEnable });
  }

  private tick(): void {
    if (this.playback.enabled) this.playback.run();
    if (this.capture.enabled) this.capture.run();
    if (this.playback.enabled || this.capture.enabled) this.armTimer();
    else this.timer.cancel();
  }

  private armTimer(): void {
    const { clock, backend } = this.options;
    const deadline = clock.nowNs() + backend.periodNs;
    if (this.timer.deadline === null || deadline < this.timer.deadline) this.timer.arm(deadline);
  }
}
