import { availableParallelism } from 'node:os';
import type { Job } from '../machine/job.js';
import { MachineWorker } from '../machine/machine-worker.js';
import { type Found, SEARCH_OVER, type SearchOutcome, type SearchRequest, type Stretch } from './search.js';
import type { SearchTask } from './search-worker.js';

/** Each has all memory of a guest. */
const MOST_MACHINES = 8;

/** Neighbouring stretches that one machine goes through in a row, at most: it need not be put to another place between them, and its translations stay. */
const MOST_IN_A_ROW = 16;

/** Looks for the last place in a recording where a debugger wants to stop, in several stretches at a time, the last ones first. */
export class SearchPool {
  private readonly workers: readonly MachineWorker[];

  /** @param machines at a time; by default one per processor */
  constructor(job: Omit<Job, 'control'>, machines = Math.min(availableParallelism(), MOST_MACHINES)) {
    const options = { worker: new URL('./search-worker.js', import.meta.url), workerData: job, onDemand: true };
    this.workers = Array.from({ length: machines }, () => new MachineWorker(options));
  }

  async search({ stretches, sought, useful }: SearchRequest): Promise<SearchOutcome> {
    const view = new Int32Array(useful);
    const shares = new Shares(stretches, this.workers.length);
    let found: Found | null = null;
    let failed = false;
    const lane = async (worker: MachineWorker): Promise<void> => {
      for (let share = shares.next(); share !== null && !failed; share = shares.next()) {
        const { stretch, index } = share;
        if (Atomics.load(view, 0) > index) return;
        const task: SearchTask = { stretch, index, sought, useful };
        const outcome = (await worker.run('searchStretch', task).catch(() => 'failed')) as SearchOutcome;
        if (outcome === 'failed') {
          failed = true;
          Atomics.store(view, 0, SEARCH_OVER);
        } else if (outcome !== null && outcome !== 'interrupted' && Atomics.load(view, 0) <= index) {
          found = outcome;
          Atomics.store(view, 0, index);
        }
      }
    };
    await Promise.all(this.workers.map(lane));
    if (failed) return 'failed';
    return Atomics.load(view, 0) === SEARCH_OVER ? 'interrupted' : found;
  }

  /** Ends all machines. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()));
  }
}

/** Stretches in a row, as one. */
interface Share {
  readonly stretch: Stretch;
  /** Of the last of them. */
  readonly index: number;
}

/** Hands out stretches, the last first: few at a time in the beginning, since what is looked for is mostly near, and in the end, so that all machines have done at about the same time. */
export class Shares {
  private readonly stretches: readonly Stretch[];
  private readonly machines: number;
  private left: number;
  private given = 0;

  constructor(stretches: readonly Stretch[], machines: number) {
    this.stretches = stretches;
    this.machines = machines;
    this.left = stretches.length;
  }

  next(): Share | null {
    if (this.left === 0) return null;
    const { stretches } = this;
    const index = --this.left;
    const grown = 2 ** Math.floor(this.given++ / this.machines);
    const most = Math.min(grown, MOST_IN_A_ROW, Math.ceil((index + 1) / (2 * this.machines)));
    while (index - this.left + 1 < most && stretches[this.left - 1]!.to.icount - 1 === stretches[this.left]!.from) this.left--;
    return { stretch: { from: stretches[this.left]!.from, to: stretches[index]!.to }, index };
  }
}
