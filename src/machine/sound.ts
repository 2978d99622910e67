import { Ac97 } from '../../devices/audio/ac97.js';
import { AudioEngine } from '../../devices/audio/audio-engine.js';
import type { Session } from '../../replay/session.js';
import type { DmaMemory, PortSpace } from '../core/bus.js';
import type { AudioBackend, AudioInRequest } from '../core/nondet.js';
import type { AudioConfig } from './audio-options.js';
import { WavReader, WavWriter } from './wav-file.js';

const OPTION = '--audiodev';

/** The host's end of the sound card, as `--audiodev` says: nothing, or WAV files. It keeps pace with virtual time, so it has no clock of its own. */
class HostSound implements AudioBackend {
  readonly outHz: number;
  readonly inHz: number | null;
  readonly periodNs: number;
  private readonly writer: WavWriter | null;
  private readonly reader: WavReader | null;
  private begun = false;

  constructor({ periodUs, outHz, inHz, target, source }: AudioConfig) {
    this.outHz = outHz;
    this.inHz = inHz;
    this.periodNs = periodUs * 1000;
    this.reader = source === undefined || inHz === null ? null : new WavReader(OPTION, source, inHz);
    this.writer = target.kind === 'none' ? null : new WavWriter(OPTION, target.path, outHz, target.append === true);
  }

  /** The first time comes with the machine: the file is not touched yet. */
  begin(): void {
    if (this.begun) this.writer?.restart();
    this.begun = true;
  }

  play(frame: number, bytes: Uint8Array): void {
    this.writer?.write(frame, bytes);
  }

  capture({ frame, frames }: AudioInRequest): Int32Array {
    return this.reader?.read(frame, frames) ?? new Int32Array(frames * 2);
  }

  flush(): void {
    if (this.begun) this.writer?.flush();
  }

  close(): void {
    this.writer?.close();
    this.reader?.close();
  }
}

/** The sound card of a machine, with all that is behind it. */
export class Sound {
  readonly card: Ac97;
  readonly engine: AudioEngine;
  private readonly host: HostSound;

  constructor(config: AudioConfig, board: { readonly session: Session; readonly ports: PortSpace; readonly memory: DmaMemory }) {
    const { session, ports, memory } = board;
    const host = new HostSound(config);
    this.host = host;
    const doors = {
      out: (frames: number) => session.audioOut(frames),
      in: (request: AudioInRequest) => session.audioIn(request, (asked) => host.capture(asked)),
    };
    this.engine = new AudioEngine({ clock: session.time, backend: host, doors, captureStreams: 2 });
    this.card = new Ac97({ ports, memory, audio: this.engine });
  }

  /** Shows what was played. */
  flush(): void {
    this.host.flush();
  }

  close(): void {
    this.host.close();
  }
}
