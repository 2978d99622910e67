import type { AsyncEvent } from '../src/core/machine-view.js';
import type { StatefulPart, StateSchema } from '../src/core/state.js';

/**
 * Requests of devices whose completion is ordered through the log: disk requests (BLOCK events, numbered from 0 for the whole machine) and
 * software resets of disk channels (BH_ONESHOT events, numbered by the instruction count).
 */
export class DeviceRequests implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'device-requests',
    version: 1,
    fields: { nextBlockId: 'int', blocks: 'ints', bottomHalves: 'ints' },
  };
  nextBlockId = 0;
  /** Pairs of request number and drive, oldest first. */
  blocks: number[] = [];
  /** Pairs of id and channel, oldest first. */
  bottomHalves: number[] = [];

  /** Notes a disk request; gives its number. */
  addBlock(drive: number): number {
    this.blocks.push(this.nextBlockId, drive);
    return this.nextBlockId++;
  }

  /** Notes a bottom half scheduled at an instruction count. */
  addBottomHalf(icount: number, channel: number): void {
    this.bottomHalves.push(icount, channel);
  }

  /** The completions that have not come yet. */
  pending(): AsyncEvent[] {
    const ids = (pairs: readonly number[]): number[] => pairs.filter((_, i) => i % 2 === 0);
    return [
      ...ids(this.blocks).map((id) => ({ kind: 'block', id }) as const),
      ...ids(this.bottomHalves).map((id) => ({ kind: 'bh-oneshot', id }) as const),
    ];
  }

  /** Takes the drive of a request out; null when there is no such request. */
  takeBlock(id: number): number | null {
    return take(this.blocks, id);
  }

  takeBottomHalf(id: number): number | null {
    return take(this.bottomHalves, id);
  }
}

function take(pairs: number[], id: number): number | null {
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === id) return pairs.splice(i, 2)[1]!;
  return null;
}
