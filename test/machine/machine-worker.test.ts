// Oracle: Node's thread ids, which count every thread that was begun
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import type { MachineWorker } from '../../src/machine/machine-worker.js';
import { temporaryFolder } from '../cli.js';

/** Tasks: one that says that it runs, and goes on for ever; one that does nothing; one that says what loaded them. */
const TASKS = `
  import { workerData } from 'node:worker_threads';
  export function forever() {
    Atomics.store(workerData, 0, 1);
    for (;;) ;
  }
  export function nothing() { return 'done'; }
  const { stack } = new Error();
  export function loadedBy() { return stack; }
`;

/** Begins a thread and ends it. */
async function nextThreadId(): Promise<number> {
  const worker = new Worker('', { eval: true });
  const { threadId } = worker;
  await worker.terminate();
  return threadId;
}

/** Of the built program: what a thread loads first must be there. */
async function workerWith(running: Int32Array, signal?: AbortSignal): Promise<MachineWorker> {
  const { MachineWorker } = (await import(
    new URL('../../dist/src/machine/machine-worker.js', import.meta.url).href
  )) as typeof import('../../src/machine/machine-worker.js');
  const path = join(temporaryFolder(), 'tasks.mjs');
  writeFileSync(path, TASKS);
  return new MachineWorker({ worker: pathToFileURL(path), workerData: running, signal });
}

it('ends its thread with the signal, whatever it does, and begins no other', async () => {
  const stop = new AbortController();
  const running = new Int32Array(new SharedArrayBuffer(4));
  const worker = await workerWith(running, stop.signal);
  const before = await nextThreadId();
  expect(await worker.run('nothing', null)).toBe('done');
  const task = worker.run('forever', null);
  await expect.poll(() => Atomics.load(running, 0)).toBe(1);
  stop.abort(new Error('stopped'));
  await expect(task).rejects.toThrow('stopped');
  await expect(worker.run('nothing', null)).rejects.toThrow('stopped');
  await worker.close();
  expect((await nextThreadId()) - before).toBe(2);
});

it('loads its tasks by import: ending a thread in the middle of require can end the program', async () => {
  const worker = await workerWith(new Int32Array(1));
  const stack = await worker.run('loadedBy', null);
  await worker.close();
  expect(stack).toMatch(/ModuleJob\.run\b/);
  expect(stack).not.toContain('require');
});
