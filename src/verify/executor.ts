import type { KnownSources } from '../../replay/checkpoints/known-pages.js';
import { hashLog } from '../../replay/checkpoints/store-writer.js';
import { digestMachine } from '../core/digest.js';
import { DivergenceError } from '../core/errors.js';
import { Timeline } from '../machine/timeline.js';
import { compareWithCheckpoint } from './compare.js';
import { checkpointNumber, type Difference, type Segment, type SegmentOutcome, type VerifiedRecording } from './segment.js';

/** Runs segments of one recording; its machine stays between them. */
export class SegmentExecutor {
  private readonly recording: VerifiedRecording;
  private readonly onProgress: (icount: number) => void;
  private timeline: Timeline | null = null;

  constructor(recording: VerifiedRecording, onProgress: (icount: number) => void) {
    this.recording = recording;
    this.onProgress = onProgress;
  }

  /**
   * Builds the machine, before it is known what it is to run.
   * @throws UserError when it cannot be built
   */
  prepare(): void {
    this.timeline ??= new Timeline({ ...this.recording, checked: true, onProgress: (icount) => this.onProgress(icount) });
  }

  /**
   * @param knownSources what has been read of the inputs
   * @throws UserError when `from` cannot be restored
   */
  run(segment: Segment, worker: number, knownSources: KnownSources = new Map()): SegmentOutcome {
    const started = performance.now();
    const timeline = this.begin(segment, knownSources);
    const from = timeline.icount;
    let differences: readonly Difference[] = [];
    let divergence: SegmentOutcome['divergence'] = null;
    try {
      differences = segment.to === null ? this.toEnd(timeline) : this.toCheckpoint(timeline, segment.to, segment.toIcount);
    } catch (e) {
      if (!(e instanceof DivergenceError)) throw e;
      divergence = { icount: e.icount, expected: e.expected, found: e.found };
    }
    const { icount } = timeline;
    // A machine that is not what was recorded is good for nothing.
    if (differences.length > 0 || divergence !== null) this.close();
    const logChanged = segment.to !== null && this.isLogChanged(timeline, segment.to, segment.toIcount);
    return {
      number: segment.number,
      instructions: icount - from,
      icount,
      milliseconds: performance.now() - started,
      worker,
      differences,
      divergence,
      logChanged,
    };
  }

  /** A machine that stands where the segment begins. */
  private begin({ from, fromIcount }: Segment, knownSources: KnownSources): Timeline {
    // Nothing but a new machine is where a recording begins.
    if (from === null && this.timeline?.icount !== 0) this.close();
    this.prepare();
    const timeline = this.timeline!;
    timeline.known.add(knownSources);
    if (from === null) return timeline;
    const checkpoint = checkpointNumber(timeline.store, from, fromIcount);
    const { icount, events } = timeline.moment();
    if (icount === checkpoint.icount && events === checkpoint.position.events && timeline.comparedWith === checkpoint) return timeline;
    timeline.restoreStored(checkpoint, true);
    return timeline;
  }

  private toCheckpoint(timeline: Timeline, number: number, toIcount: number | null): readonly Difference[] {
    const checkpoint = checkpointNumber(timeline.store, number, toIcount);
    const { icount, position } = checkpoint;
    const result = timeline.run(icount, position.events);
    if (result.stop !== 'until' || result.icount !== icount)
      return [
        {
          where: 'log',
          what: 'end',
          recorded: `a checkpoint at instruction ${icount}`,
          found: `it ends at ${result.icount} (${result.stop})`,
        },
      ];
    const differences = compareWithCheckpoint(timeline, checkpoint);
    if (differences.length === 0) timeline.equals(checkpoint);
    return differences;
  }

  /** The end, as LOG.json has it. */
  private toEnd(timeline: Timeline): readonly Difference[] {
    const { final } = this.recording;
    const { icount, events } = timeline.run(null);
    if (final === null) return [];
    const { machine } = timeline;
    const { total } = digestMachine(machine.parts, machine.memory.u8);
    const pairs: readonly (readonly [string, string | number, string | number])[] = [
      ['instructions', final.icount, icount],
      ['events', final.events, events],
      ['digest', final.digest, total],
    ];
    return pairs
      .filter(([, recorded, found]) => recorded !== found)
      .map(([what, recorded, found]) => ({ where: 'end of the recording', what, recorded: String(recorded), found: String(found) }));
  }

  private isLogChanged(timeline: Timeline, number: number, toIcount: number | null): boolean {
    const { logFrom, logHash, position } = checkpointNumber(timeline.store, number, toIcount);
    return hashLog(this.recording.log, logFrom, position.offset) !== logHash;
  }

  close(): void {
    this.timeline?.close();
    this.timeline = null;
  }
}
