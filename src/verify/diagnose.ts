import type { Block } from '../../jit/x86/block.js';
import { LEFT } from '../../jit/x86/regs.js';
import { disassembleTb } from '../../jit/x86/translate/disassembly.js';
import { DivergenceError } from '../core/errors.js';
import { describeFields } from '../core/save.js';
import type { JitMode } from '../machine/job.js';
import type { KeptMoment } from '../machine/moment-memory.js';
import { Timeline } from '../machine/timeline.js';
import { compareWithCheckpoint, pageDifference } from './compare.js';
import { checkpointNumber, type Difference, type Segment, type SegmentOutcome, type VerifiedRecording } from './segment.js';

const PAGE = 4096;
const MOST = 32;

/**
 * Why a segment is not what was recorded.
 * - translation: translated code does something else than the interpreter
 * - nondeterminism: two interpreted replays differ: the machine has learnt something that is not in the log
 * - log: the bytes of the log are not those that were recorded
 * - checkpoint: the checkpoint at the end is wrong; the one behind it agrees with the replay
 * - recording: all replays agree with each other, and not with what was recorded
 * - unknown: it did not happen again
 */
export type Cause = 'translation' | 'nondeterminism' | 'log' | 'checkpoint' | 'recording' | 'unknown';

export interface Diagnosis {
  readonly cause: Cause;
  /** The instruction behind which the machine first differs; null: not known better than the segment. */
  readonly icount: number | null;
  /** The TB that it belongs to, one line per instruction, and which of them it is. */
  readonly tb: { readonly eip: number; readonly lines: readonly string[]; readonly index: number } | null;
  /** There: recorded is what the interpreter has (nondeterminism: one of two replays). */
  readonly differences: readonly Difference[];
}

/** A machine that can be run over the segment again and again. */
class Rerun {
  readonly timeline: Timeline;
  private base: KeptMoment;

  constructor(recording: VerifiedRecording, segment: Segment, jit: JitMode) {
    this.timeline = new Timeline({ ...recording, jit, checked: true });
    if (segment.from !== null) this.timeline.restoreStored(checkpointNumber(this.timeline.store, segment.from, segment.fromIcount), true);
    this.base = this.timeline.keep();
  }

  /** Runs from the base; the divergence, if there is one. */
  to(icount: number, events: number | null): DivergenceError | null {
    this.timeline.restore(this.base);
    try {
      this.timeline.run(icount, events);
      return null;
    } catch (e) {
      if (e instanceof DivergenceError) return e;
      throw e;
    }
  }

  /** From now on runs begin where it stands. */
  settle(): void {
    const next = this.timeline.keep();
    this.timeline.forget(this.base);
    this.base = next;
  }
}

/** Runs a segment that went wrong again, in different ways, and finds the first instruction that differs. */
export function diagnose(recording: VerifiedRecording, segment: Segment, outcome: SegmentOutcome): Diagnosis {
  const nothing = { icount: outcome.divergence?.icount ?? null, tb: null, differences: outcome.differences };
  const open: Rerun[] = [];
  const rerun = (jit: JitMode): Rerun => {
    const made = new Rerun(recording, segment, jit);
    open.push(made);
    return made;
  };
  try {
    const reference = rerun('off');
    const to = segment.to === null ? null : checkpointNumber(reference.timeline.store, segment.to, segment.toIcount);
    const end = to?.icount ?? outcome.icount;
    const events = to?.position.events ?? null;
    const place = (other: Rerun, cause: Cause): Diagnosis | null => {
      if (!differ(reference, other, end, events)) return null;
      const icount = bisect(reference, other, segment.fromIcount, end);
      const differences = machineDifferences(reference.timeline, other.timeline);
      return { cause, icount, tb: findTb(recording, segment, icount), differences };
    };
    const found =
      place(rerun('off'), 'nondeterminism') ??
      (recording.jit === 'off' ? null : (place(rerun('force'), 'translation') ?? place(rerun('on'), 'translation')));
    if (found !== null) return found;
    if (outcome.logChanged) return { ...nothing, cause: 'log' };
    const again = reference.to(end, events);
    if (again !== null || to === null)
      return { ...nothing, cause: outcome.divergence === null || again !== null ? 'recording' : 'unknown' };
    if (outcome.differences.length === 0) return { ...nothing, cause: 'unknown' };
    return { ...nothing, cause: nextAgrees(reference.timeline, to.number) ? 'checkpoint' : 'recording' };
  } finally {
    for (const { timeline } of open) timeline.close();
  }
}

/** Whether the replay, going on, comes to the checkpoint behind the one that it does not agree with. */
function nextAgrees(timeline: Timeline, number: number): boolean {
  const all = timeline.store!.checkpoints;
  const next = all[all.findIndex((c) => c.number === number) + 1];
  if (next === undefined) return false;
  try {
    timeline.run(next.icount, next.position.events);
  } catch {
    return false;
  }
  return compareWithCheckpoint(timeline, next).length === 0;
}

/** Runs both to a place and compares. */
function differ(a: Rerun, b: Rerun, icount: number, events: number | null): boolean {
  const left = a.to(icount, events);
  const right = b.to(icount, events);
  if ((left === null) !== (right === null) || left?.icount !== right?.icount) return true;
  return left === null && machineDifferences(a.timeline, b.timeline).length > 0;
}

/** The first instruction count at which the machines differ: they do at `high`, and not at `low`. Both stand there afterwards. */
function bisect(a: Rerun, b: Rerun, from: number, to: number): number {
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (differ(a, b, middle, null)) high = middle;
    else {
      low = middle;
      a.settle();
      b.settle();
    }
  }
  differ(a, b, high, null);
  return high;
}

function machineDifferences(a: Timeline, b: Timeline): Difference[] {
  const found: Difference[] = [];
  for (const [name, part] of Object.entries(a.machine.parts)) {
    const other = b.machine.parts[name]!;
    const left = describeFields(part);
    const right = describeFields(other);
    for (const what of Object.keys(left))
      if (left[what] !== right[what]) found.push({ where: name, what, recorded: left[what]!, found: right[what]! });
  }
  const left = a.machine.memory.u8;
  const right = b.machine.memory.u8;
  for (let at = 0; at < left.length && found.length < MOST; at += PAGE) {
    const one = left.subarray(at, at + PAGE);
    const two = right.subarray(at, at + PAGE);
    if (Buffer.compare(one, two) !== 0) found.push(pageDifference(a.machine, at / PAGE, one, two));
  }
  return found.slice(0, MOST);
}

/** The TB of the instruction behind which the count is `icount`, as a replay comes to it. */
function findTb(recording: VerifiedRecording, segment: Segment, icount: number): Diagnosis['tb'] {
  const seen: { block: Block | null; left: number } = { block: null, left: 0 };
  const timeline = new Timeline({
    ...recording,
    jit: 'off',
    instruments: {
      observer: (cpu) => ({
        before: (block) => {
          seen.block = block;
          seen.left = cpu.r[LEFT]!;
        },
        after: () => {},
        delivered: () => {},
        sliceEnded: () => {},
      }),
    },
  });
  try {
    if (segment.from !== null) timeline.restoreStored(checkpointNumber(timeline.store, segment.from, segment.fromIcount), true);
    timeline.run(icount);
    const { block, left } = seen;
    if (block === null || block.paddr < 0) return null;
    const bytes = timeline.machine.memory.u8.subarray(block.paddr, block.paddr + block.lengthBytes);
    return { eip: block.eip >>> 0, lines: disassembleTb(block, bytes), index: Math.min(left, block.count) - 1 };
  } catch {
    return null;
  } finally {
    timeline.close();
  }
}
