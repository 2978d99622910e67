import type { Session } from '../../replay/session.js';
import type { Position } from '../core/debug-target.js';
import type { PcMachine } from '../machine/pc.js';
import { restoreMachine, type SavedMachine, saveMachine } from '../machine/saved-machine.js';

const PAGE = 4096;

/** A whole machine kept in memory at one position, for going back to it. */
export class NearbyState {
  readonly position: Position;
  private readonly saved: SavedMachine;
  private readonly memory: Uint8Array;
  private readonly chunks: ReadonlyMap<string, readonly (readonly [number, Uint8Array])[]>;

  /** Keeps the machine as it stands, between two slices. */
  constructor(position: Position, machine: PcMachine, session: Session) {
    this.position = position;
    this.saved = saveMachine(machine, session);
    this.memory = machine.memory.u8.slice();
    this.chunks = new Map(
      Object.entries(machine.overlays).map(([name, { clusters }]) => [
        name,
        clusters.numbers().map((n) => [n, clusters.get(n)!.slice()] as const),
      ]),
    );
  }

  /** Puts a machine of the same log into this state. */
  restore(machine: PcMachine, session: Session): void {
    const { memory, chunks } = this;
    restoreMachine(machine, session, this.saved, {
      *pages() {
        for (let at = 0; at < memory.length; at += PAGE) yield [at / PAGE, memory.subarray(at, at + PAGE)];
      },
      chunks: (part) => chunks.get(part) ?? [],
    });
  }
}
