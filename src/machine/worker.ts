import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../core/errors.js';
import type { WorkerMessage, WorkerStart } from './job.js';
import { runJob } from './run-job.js';

/** Entry point of the thread that runs a machine. */
const { job, requests } = workerData as WorkerStart;

function outcome(): WorkerMessage {
  try {
    return { kind: 'done', result: runJob(job, requests) };
  } catch (e) {
    if (e instanceof UserError) return { kind: 'user-error', code: e.code, message: e.message };
    const error = e instanceof Error ? e : new Error(String(e));
    return { kind: 'crash', message: error.message, stack: error.stack ?? '' };
  }
}

parentPort!.postMessage(outcome());
requests.close();
