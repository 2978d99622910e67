import { workerData } from 'node:worker_threads';
import { unheardSound } from '../machine/audio-options.js';
import type { Job } from '../machine/job.js';
import { Debugger } from './debugger.js';
import { ReplayIncarnator } from './replay-incarnator.js';
import type { SearchOutcome, SearchRequest, Stretch } from './search.js';

/** A stretch of a search. */
export interface SearchTask extends Pick<SearchRequest, 'sought' | 'useful'> {
  readonly stretch: Stretch;
  readonly index: number;
}

/** Nobody hears what the guest says here, and no file of the replay is written twice. */
function quiet({ config, ...job }: Job): Job {
  const { serial, debugcon } = config;
  const nowhere = { kind: 'null' } as const;
  return {
    ...job,
    config: {
      ...unheardSound(config),
      serial: serial.map(() => nowhere),
      debugcon: debugcon === null ? null : { ...debugcon, target: nowhere },
    },
  };
}

let current: SearchTask | null = null;
const isUseless = (): boolean => current !== null && Atomics.load(new Int32Array(current.useful), 0) > current.index;
const machine = new Debugger(new ReplayIncarnator(quiet(workerData as Job)), isUseless, { trail: { everyMs: Number.POSITIVE_INFINITY } });

/** Task of the pool. */
export function searchStretch(task: SearchTask): SearchOutcome {
  current = task;
  machine.setBreakpoints(task.sought.breakpoints);
  machine.setWatchpoints(task.sought.watchpoints);
  return machine.searchIn(task.stretch);
}
