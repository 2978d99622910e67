import type { AsyncEvent, ShutdownCause } from '../src/core/machine-view.js';
import type { LogPosition } from './event-source.js';

/** Where a recording session writes. `icount` is the instruction count at which the event happens; counts never go back. */
export interface EventSink {
  /** Events written so far (END counted once written). */
  readonly events: number;
  /** Where a replay goes on that has had all events so far. */
  readonly position: LogPosition;
  interrupt(icount: number): void;
  exception(icount: number): void;
  checkpoint(icount: number, id: number): void;
  clock(icount: number, id: number, ns: bigint): void;
  /** @param checkpoint the checkpoint under which the event is drained (written in the older generation only). */
  async(icount: number, checkpoint: number, event: AsyncEvent): void;
  charWrite(icount: number, result: number, offset: number): void;
  random(icount: number, result: number, bytes: Uint8Array): void;
  audioOut(icount: number, played: number): void;
  /** @param samples 16 bytes for each recorded frame */
  audioIn(icount: number, recorded: number, writePosition: number, samples: Uint8Array): void;
  shutdown(icount: number, cause: ShutdownCause): void;
  /** Makes everything so far readable by others. */
  flush(): void;
}

/** A run without a log: events are counted and forgotten. */
export class NullSink implements EventSink {
  events = 0;
  readonly position: LogPosition = { offset: 0, icount: 0, events: 0 };
  interrupt(): void {
    this.events++;
  }
  exception(): void {
    this.events++;
  }
  checkpoint(): void {
    this.events++;
  }
  clock(): void {
    this.events++;
  }
  async(): void {
    this.events++;
  }
  charWrite(): void {
    this.events++;
  }
  random(): void {
    this.events++;
  }
  audioOut(): void {
    this.events++;
  }
  audioIn(): void {
    this.events++;
  }
  shutdown(): void {
    this.events++;
  }
  flush(): void {}
}
