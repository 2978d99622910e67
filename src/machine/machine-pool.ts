import { Piscina } from 'piscina';
import { setEngineFlags } from './v8-flags.js';

/** Of JavaScript objects, in MiB: guest memory and checkpoints lie outside. */
const WORKER_HEAP_MIB = 1024;
const IDLE_MS = 60_000;

/** Threads that each run a machine, and keep it between their tasks. */
export interface MachinePoolOptions {
  /** The module whose exports are the tasks. */
  readonly worker: URL;
  readonly threads: number;
  readonly workerData: unknown;
  /** MiB; see WORKER_HEAP_MIB. */
  readonly heap?: number | undefined;
  /** Threads are made when there is something to do, and end some time after; otherwise they are there from the start to the end. */
  readonly onDemand?: boolean;
}

/** Makes a pool of machines. */
export function machinePool({ worker, threads, workerData, heap, onDemand }: MachinePoolOptions): Piscina<unknown, unknown> {
  setEngineFlags();
  const pool = new Piscina<unknown, unknown>({
    filename: worker.href,
    minThreads: onDemand ? 0 : threads,
    maxThreads: threads,
    ...(onDemand ? { idleTimeout: IDLE_MS } : {}),
    workerData,
    // A machine does not return to its event loop while a task runs.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: heap ?? WORKER_HEAP_MIB },
  });
  // What a thread dies of comes with its task.
  pool.on('error', () => {});
  return pool;
}
