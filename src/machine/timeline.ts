import { performance } from 'node:perf_hooks';
import type { KnownPages } from '../../replay/checkpoints/known-pages.js';
import { CheckpointStore, type StoredCheckpoint } from '../../replay/checkpoints/store.js';
import type { EventSource } from '../../replay/event-source.js';
import type { LogEventSource } from '../../replay/log/event-source.js';
import { LogCut, type ReplaySession } from '../../replay/replay-session.js';
import type { RunResult } from '../../replay/session.js';
import { UserError } from '../core/errors.js';
import { checkpointsPath, knownPages } from './checkpoint-files.js';
import type { InputFile } from './input-paths.js';
import { type KeptMoment, MomentMemory } from './moment-memory.js';
import { openReplay, type ReplaySettings } from './open-replay.js';
import type { PcMachine } from './pc.js';
import { recordingIdentity } from './recording-identity.js';
import type { Instruments } from './run-job.js';
import { restoreMachine, saveMachine } from './saved-machine.js';

/** Executing so many instructions costs about as much as restoring a checkpoint. */
const WORTH_A_RESTORE = 3_000_000;

/**
 * Executions after which a block is translated: more than in a long run, since most runs from a checkpoint are short, and several machines leave no processor to V8's
 * optimiser: two workers of `verify` need a tenth less time than with 4,000, one needs the same.
 */
const HOT = 10_000;

/** A place in a recording: behind so many instructions and events. */
export interface Moment {
  readonly icount: number;
  readonly events: number;
}

export interface TimelineOptions extends ReplaySettings {
  /** As LOG.json has them; empty: the checkpoints beside the log are not used. */
  readonly inputs: readonly InputFile[];
  /** Compare what is read of the store with its hashes. */
  readonly checked?: boolean;
  readonly instruments?: Instruments;
}

/**
 * A recording at any of its moments. The machine is built once; a seek restores the nearest checkpoint before the place (only the pages that differ; translations stay) and runs from there.
 * Checkpoints come from the store beside the log, if there is one that can be used, and from `keep`.
 */
export class Timeline {
  readonly machine: PcMachine;
  readonly session: ReplaySession;
  /** Stored checkpoints; empty without a store. */
  readonly store: CheckpointStore | null;
  /** Pages that the store does not hold. */
  readonly known: KnownPages;
  /** Why there is no store, or what of it is damaged. */
  readonly complaints: string[] = [];
  /** Where the last seek began to run. */
  startedAt = 0;
  private readonly source: LogEventSource;
  private compared: StoredCheckpoint | null = null;
  private readonly memory: MomentMemory;
  /** Kept moments, in their order. */
  private readonly kept: KeptMoment[] = [];
  private readonly unusable = new Set<StoredCheckpoint>();

  constructor(options: TimelineOptions) {
    const { source, session, build } = openReplay(options);
    this.source = source;
    this.session = session;
    this.known = knownPages(options.config, options.inputs);
    this.store = this.openStore(options);
    try {
      this.machine = build({ now: () => performance.now(), hot: HOT, ...options.instruments });
    } catch (e) {
      source.close();
      this.store?.close();
      throw e;
    }
    this.memory = new MomentMemory(this.machine);
    // There is nothing before the start of the log: without a store's, this is what seeks go back to.
    if (this.store?.checkpoints[0]?.icount !== 0) this.keep();
  }

  private openStore({ log, config, inputs, checked }: TimelineOptions): CheckpointStore | null {
    try {
      const identity = recordingIdentity(log, config, inputs);
      const store = new CheckpointStore(checkpointsPath(log), identity, this.known, { strict: checked ?? false });
      this.complaints.push(...store.damages.map((d) => `${checkpointsPath(log)}: ${d}`));
      return store;
    } catch (e) {
      if (!(e instanceof UserError)) throw e;
      if (e.code !== 'file-not-found') this.complaints.push(e.message);
      return null;
    }
  }

  /** The log, at the event that is due next. */
  get events(): EventSource {
    return this.source;
  }

  get icount(): number {
    return this.machine.engine.icount;
  }

  /** Where it stands. */
  moment(): Moment {
    return { icount: this.icount, events: this.source.consumed };
  }

  /** Runs on, as ReplaySession.run does. Throws DivergenceError. */
  run(until: number | null, events: number | null = null): RunResult {
    this.compared = null;
    try {
      return this.session.run(until, events);
    } catch (e) {
      if (e instanceof LogCut) return this.session.standing('end-of-log');
      throw e;
    }
  }

  /**
   * Goes to a place, forwards or backwards.
   * @param events so many consumed; null: all that are due at the instruction
   */
  seek(icount: number, events: number | null = null): RunResult {
    this.approach(icount, events ?? Number.POSITIVE_INFINITY);
    this.startedAt = this.icount;
    return this.run(icount, events);
  }

  /**
   * Restores the last moment known before a place (so many instructions and events), unless the machine stands between them, or just before.
   * @param anew the machine is not what the log made it: it cannot stay
   * @returns whether a moment was restored. Throws UserError 'store-corrupt' when there is no way back.
   */
  approach(icount: number, events: number, anew = false): boolean {
    const here = this.moment();
    for (;;) {
      const stored = this.storedBefore(icount, events);
      const kept = this.kept.findLast((k) => !isAfter(k, icount, events)) ?? null;
      const best = kept !== null && (stored === null || isAfter(kept, stored.icount, stored.position.events)) ? kept : stored;
      const reachable = !anew && !isAfter(here, icount, events);
      if (best === null || (reachable && best.icount - here.icount < WORTH_A_RESTORE)) {
        if (!reachable) throw new UserError('store-corrupt', `there is no way back from instruction ${here.icount} to ${icount}`);
        return false;
      }
      if (best === kept) {
        this.restore(kept);
        return true;
      }
      if (this.restoreStored(stored!)) return true;
    }
  }

  private storedBefore(icount: number, events: number): StoredCheckpoint | null {
    const all = this.store?.checkpoints ?? [];
    return all.findLast((c) => !isAfter({ icount: c.icount, events: c.position.events }, icount, events) && !this.unusable.has(c)) ?? null;
  }

  /**
   * Goes to a stored checkpoint; false when it is damaged (it is not looked at again).
   * @param demanded throw the UserError then
   */
  restoreStored(checkpoint: StoredCheckpoint, demanded = false): boolean {
    try {
      const { saved, areas } = this.memory.stored(this.store!, checkpoint);
      restoreMachine(this.machine, this.session, saved, areas);
      this.memory.standsAt(this.store!, checkpoint);
      return true;
    } catch (e) {
      if (demanded || !(e instanceof UserError)) throw e;
      this.unusable.add(checkpoint);
      this.complaints.push(`the checkpoint at instruction ${checkpoint.icount} cannot be used: ${e.message}`);
      this.memory.lost();
      return false;
    }
  }

  /** Remembers this moment in memory, until it is forgotten: what was written since the moment before, and the states of the parts. */
  keep(): KeptMoment {
    const kept = this.memory.keep(saveMachine(this.machine, this.session));
    const at = this.kept.findIndex((k) => isAfter(k, kept.icount, kept.events));
    this.kept.splice(at < 0 ? this.kept.length : at, 0, kept);
    return kept;
  }

  forget(kept: KeptMoment): void {
    const at = this.kept.indexOf(kept);
    if (at >= 0) this.kept.splice(at, 1);
  }

  /** Back (or forwards) to a kept moment. */
  restore(kept: KeptMoment): void {
    restoreMachine(this.machine, this.session, kept.saved, this.memory.kept(kept));
    this.memory.standsAtKept(kept);
  }

  /** Pages that may not be what a checkpoint has; all others are. */
  pagesThatMayDiffer(checkpoint: StoredCheckpoint): Iterable<number> {
    return this.memory.differingFrom(checkpoint);
  }

  /** The checkpoint that the machine was found to be equal to; null once it ran on. */
  get comparedWith(): StoredCheckpoint | null {
    return this.compared;
  }

  /** The machine has been compared: it is what the checkpoint has. */
  equals(checkpoint: StoredCheckpoint): void {
    this.compared = checkpoint;
    this.memory.standsAt(this.store!, checkpoint);
  }

  /** Somebody put the machine into a state from elsewhere. */
  displaced(): void {
    this.compared = null;
    this.memory.lost();
  }

  close(): void {
    this.source.close();
    this.store?.close();
    this.machine.close();
  }
}

function isAfter(a: Moment, icount: number, events: number): boolean {
  return a.icount > icount || (a.icount === icount && a.events > events);
}
