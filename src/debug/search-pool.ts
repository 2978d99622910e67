import { availableParallelism } from 'node:os';
import type { Job } from '../machine/job.js';
import { MachineWorker } from '../machine/machine-worker.js';
import { type Found, SEARCH_OVER, type SearchOutcome, type SearchRequest } from './search.js';
import type { SearchTask } from './search-worker.js';

/** Each has all memory of a guest. */
const MOST_MACHINES = 8;

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
    let next = stretches.length;
    let found: Found | null = null;
    let failed = false;
    const lane = async (worker: MachineWorker): Promise<void> => {
      while (next > 0 && !failed) {
        const index = --next;
        if (Atomics.load(view, 0) > index) return;
        const task: SearchTask = { stretch: stretches[index]!, index, sought, useful };
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
