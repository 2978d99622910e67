import { parentPort } from 'node:worker_threads';
import { UserError } from '../core/errors.js';
import type { JobResult, WorkerMessage, WorkerStart } from './job.js';

/** In a worker: runs the first job that comes, and posts how it ended. */
export function serveJob<Start extends WorkerStart>(run: (start: Start) => JobResult): void {
  parentPort!.once('message', (start: Start) => {
    parentPort!.postMessage(outcome(() => run(start)));
    start.requests.close();
  });
}

function outcome(run: () => JobResult): WorkerMessage {
  try {
    return { kind: 'done', result: run() };
  } catch (e) {
    if (e instanceof UserError) return { kind: 'user-error', code: e.code, message: e.message };
    const error = e instanceof Error ? e : new Error(String(e));
    return { kind: 'crash', message: error.message, stack: error.stack ?? '' };
  }
}
