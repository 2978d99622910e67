import { Worker } from 'node:worker_threads';
import { setEngineFlags } from '../machine/v8-flags.js';

const MODULE = new URL('../machine/worker.js', import.meta.url);

let warm: Worker | null = null;

/** Begins a thread for the machine that this process will run: it loads its modules while the command line is still being read. It keeps no process alive. */
export function warmUp(): void {
  const worker = begin(MODULE);
  worker.unref();
  // If it dies before its time, whoever wants it gets another one, and hears why.
  worker.on('error', () => {});
  worker.on('exit', () => {
    if (warm === worker) warm = null;
  });
  warm = worker;
}

/** A thread with a machine's worker module (see serveJob), by default the one that runs jobs. */
export function machineWorker(module: URL = MODULE): Worker {
  if (warm === null || module.href !== MODULE.href) return begin(module);
  const worker = warm;
  warm = null;
  worker.ref();
  return worker;
}

function begin(module: URL): Worker {
  setEngineFlags();
  return new Worker(module);
}
