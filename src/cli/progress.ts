import type { SingleBar } from 'cli-progress';
import type { RunningJob } from './run-in-worker.js';

const UPDATE_MS = 200;
const FORMAT = '{bar} {percentage}% | {millions} M instructions | {rate} million/s';
const OPEN_FORMAT = '{millions} M instructions | {rate} million/s | {events} events';

/** Shows how far a running machine is, on stderr, when that is a terminal. Returns the function that ends the display. */
export function showProgress(job: Pick<RunningJob, 'progress'>): () => void {
  if (!process.stderr.isTTY) return () => {};
  let bar: SingleBar | null = null;
  let Bar: typeof SingleBar | null = null;
  void import('cli-progress').then((library) => {
    Bar = library.SingleBar;
  });
  let before = { icount: 0, at: performance.now() };
  const timer = setInterval(() => {
    const { icount, events, total } = job.progress;
    const now = performance.now();
    const values = {
      millions: (icount / 1e6).toFixed(1),
      rate: ((icount - before.icount) / 1000 / Math.max(1, now - before.at)).toFixed(0),
      events,
    };
    before = { icount, at: now };
    if (Bar === null) return;
    if (bar === null) {
      bar = new Bar({ format: total > 0 ? FORMAT : OPEN_FORMAT, stream: process.stderr, clearOnComplete: true, hideCursor: true });
      bar.start(total > 0 ? total : 1, 0, values);
    }
    bar.update(total > 0 ? Math.min(icount, total) : 0, values);
  }, UPDATE_MS);
  return () => {
    clearInterval(timer);
    bar?.stop();
  };
}
