import type { CheckpointStore, StoredCheckpoint } from '../../replay/checkpoints/store.js';
import { UserError } from '../core/errors.js';
import type { MachineConfig } from '../machine/config.js';
import type { InputFile } from '../machine/input-paths.js';
import type { JitMode, RecordingEnd } from '../machine/job.js';
import { spreadOut } from '../machine/spread-out.js';

/** What an executor must know of the recording that its segments belong to. */
export interface VerifiedRecording {
  readonly log: string;
  readonly config: MachineConfig;
  readonly inputs: readonly InputFile[];
  readonly logFormat: '5.2' | '7.2';
  readonly strict: boolean;
  readonly jit: JitMode;
  /** How it ended; null: unknown. */
  readonly final: RecordingEnd | null;
}

/**
 * A stretch of a recording between two checkpoints: a job of its own. Whoever has the log, the store and the inputs can run it: restore `from`, follow the log up to `to`, compare.
 */
export interface Segment {
  readonly number: number;
  /** Checkpoint in file order; null: the machine as it is built. */
  readonly from: number | null;
  /** null: the end of the log. */
  readonly to: number | null;
  readonly fromIcount: number;
  /** null: not known before it is reached. */
  readonly toIcount: number | null;
  /** The range of the log, in bytes; null: up to its end. */
  readonly logFrom: number;
  readonly logTo: number | null;
}

/** More would cost more than they tell: each is a comparison of the machine with a checkpoint. */
const MOST_SEGMENTS = 96;

/** Cuts a recording at those of its checkpoints that can be used; where they are very many, at some, about equally far apart. */
export function planSegments(all: readonly StoredCheckpoint[], final: RecordingEnd | null): Segment[] {
  const usable = spreadOut(all, MOST_SEGMENTS);
  const ends = [...usable, null];
  return ends.map((to, number) => {
    const from = number === 0 ? null : usable[number - 1]!;
    return {
      number,
      from: from?.number ?? null,
      to: to?.number ?? null,
      fromIcount: from?.icount ?? 0,
      toIcount: to?.icount ?? final?.icount ?? null,
      logFrom: from?.position.offset ?? 0,
      logTo: to?.position.offset ?? null,
    };
  });
}

/** Two values of something that should be the same. */
export interface Difference {
  /** Part, or `page N`. */
  readonly where: string;
  /** Field of the part; place in the page. */
  readonly what: string;
  readonly recorded: string;
  readonly found: string;
}

/** How a segment went. */
export interface SegmentOutcome {
  readonly number: number;
  /** Instructions executed. */
  readonly instructions: number;
  readonly icount: number;
  readonly milliseconds: number;
  /** Of the executor. */
  readonly worker: number;
  /** Empty: it is what was recorded. */
  readonly differences: readonly Difference[];
  /** The log was left. */
  readonly divergence: { readonly icount: number; readonly expected: string; readonly found: string } | null;
  /** The log's bytes are not those that the checkpoint was made with. */
  readonly logChanged: boolean;
}

/** A segment that is not what was recorded. */
export function isWrong({ differences, divergence, logChanged }: SegmentOutcome): boolean {
  return differences.length > 0 || divergence !== null || logChanged;
}

/** The checkpoint with a number. Throws UserError when the store is not the one that the segment was planned with. */
export function checkpointNumber(store: CheckpointStore | null, number: number, icount: number | null): StoredCheckpoint {
  const found = store?.all[number];
  if (found === undefined || found === null) throw new UserError('store-corrupt', `the store has no checkpoint ${number} any more`);
  if (icount !== null && found.icount !== icount)
    throw new UserError('store-corrupt', `the store's checkpoint ${number} is at instruction ${found.icount}, not at ${icount} any more`);
  return found;
}
