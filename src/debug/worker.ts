import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../core/errors.js';
import { ControlBlock, type Job, type WorkerStart } from '../machine/job.js';
import { LiveHost } from '../machine/live-host.js';
import { DebugServer } from './debug-server.js';
import { LiveIncarnator } from './live-incarnator.js';
import type { DebugEvent } from './messages.js';

/** Entry point of the thread that runs a machine for debuggers and monitors. */
function start({ job, requests }: WorkerStart): void {
  const control = new ControlBlock(job.control);
  const host = new LiveHost(requests, control);
  const live = (s: DebugServer, of: Omit<Job, 'control'>): LiveIncarnator =>
    new LiveIncarnator(of, { host, stoodStillNs: () => s.stoodStillNs, takeInputs: () => s.takeInputs(), sleep: (ms) => s.sleep(ms) });
  const server = new DebugServer(requests, control, job, live);
  server.serve();
}

function outcome(e: unknown): DebugEvent {
  if (e instanceof UserError) return { event: 'user-error', code: e.code, message: e.message };
  const error = e instanceof Error ? e : new Error(String(e));
  return { event: 'crash', message: error.message, stack: error.stack ?? '' };
}

const data = workerData as WorkerStart;
try {
  start(data);
} catch (e) {
  parentPort!.postMessage(outcome(e));
} finally {
  data.requests.close();
}
