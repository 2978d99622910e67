import { Piscina } from 'piscina';
import { setEngineFlags } from './v8-flags.js';

/** Of JavaScript objects, in MiB: guest memory and checkpoints lie outside. */
const HEAP_MIB = 1024;
const IDLE_MS = 600_000;
const TASKS = new URL('./tasks.cjs', import.meta.url).href;

export interface MachineWorkerOptions {
  /** The module whose exports are the tasks. */
  readonly worker: URL;
  readonly workerData: unknown;
  /** MiB; see HEAP_MIB. */
  readonly heap?: number | undefined;
  /** The thread begins when there is something to do, and ends some time after; otherwise it is there until `close`. */
  readonly onDemand?: boolean;
  /** Ends the thread, whatever it does. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A thread with a machine of its own, which runs one task after the other and keeps the machine between them; with the next one behind a failure a new thread begins. Each has a pool of its own: a pool
 * of several does not say which thread runs what, and gives no new thread to what waits once one has ended before its first task.
 */
export class MachineWorker {
  private readonly options: MachineWorkerOptions;
  private pool: Piscina<unknown, unknown> | null = null;

  constructor(options: MachineWorkerOptions) {
    this.options = options;
  }

  /** Runs a task; rejects with what it threw, or what its thread died of. */
  async run(name: string, task: unknown): Promise<unknown> {
    const { signal } = this.options;
    signal?.throwIfAborted();
    this.pool ??= this.makePool();
    const { pool } = this;
    // What a thread dies of before it has its task, or the signal.
    let died: (reason: unknown) => void = () => {};
    const death = new Promise<never>((_, reject) => {
      died = reject;
    });
    const aborted = (): void => died(signal?.reason);
    pool.on('error', died);
    // The pool is not told of the signal: it would begin another thread in place of the one that it ends, and once more when that one has ended behind the pool itself.
    signal?.addEventListener('abort', aborted, { once: true });
    try {
      return await Promise.race([pool.run({ name, task }), death]);
    } catch (e) {
      await this.close();
      throw e;
    } finally {
      pool.off('error', died);
      signal?.removeEventListener('abort', aborted);
    }
  }

  async close(): Promise<void> {
    const { pool } = this;
    this.pool = null;
    await pool?.destroy();
  }

  private makePool(): Piscina<unknown, unknown> {
    const { worker, workerData, heap, onDemand } = this.options;
    setEngineFlags();
    const pool = new Piscina<unknown, unknown>({
      filename: TASKS,
      name: 'run',
      argv: [worker.href],
      minThreads: onDemand ? 0 : 1,
      maxThreads: 1,
      ...(onDemand ? { idleTimeout: IDLE_MS } : {}),
      workerData,
      // A machine does not return to its event loop while a task runs.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: heap ?? HEAP_MIB },
    });
    // What a thread dies of comes with its task.
    pool.on('error', () => {});
    return pool;
  }
}
