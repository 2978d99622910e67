import type { Piscina } from 'piscina';
import { type MachinePoolOptions, machinePool } from '../machine/machine-pool.js';

/**
 * A thread that runs one task after the other; with the next one behind a failure a new thread begins. It has a pool of its own, so that its machine stands where its next
 * task begins, and since a pool of several gives no new thread to what waits once one has ended before its first task.
 */
export class SegmentWorker {
  private readonly options: MachinePoolOptions;
  private readonly signal: AbortSignal | null;
  private pool: Piscina<unknown, unknown> | null = null;

  /** @param signal ends the thread, whatever it does */
  constructor(options: Omit<MachinePoolOptions, 'threads'>, signal: AbortSignal | null) {
    this.options = { ...options, threads: 1 };
    this.signal = signal;
  }

  /** Runs a task; rejects with what it threw, or what its thread died of. */
  async run(name: string, task: unknown): Promise<unknown> {
    this.pool ??= machinePool(this.options);
    const { pool } = this;
    // What a thread dies of before it has its task.
    let died: (e: Error) => void = () => {};
    const death = new Promise<never>((_, reject) => {
      died = reject;
    });
    pool.on('error', died);
    try {
      return await Promise.race([pool.run(task, { name, signal: this.signal }), death]);
    } catch (e) {
      await this.close();
      throw e;
    } finally {
      pool.off('error', died);
    }
  }

  async close(): Promise<void> {
    const { pool } = this;
    this.pool = null;
    await pool?.destroy();
  }
}
