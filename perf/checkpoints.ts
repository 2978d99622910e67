/**
 * What checkpoints cost and give, on a recording of ours that has some (perf/guests/debian.ts makes the guest):
 *   npm run build && npx tsx perf/checkpoints.ts LOG [SEEKS]
 *   npm run build && npx tsx perf/checkpoints.ts record [ROUNDS] [SCRIPT]    what they cost while recording
 * Seeks go to random instructions (the seed is printed), after a first one.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { replayJob } from '../src/cli/replay-job.js';
import { checkpointsPath } from '../src/machine/checkpoint-files.js';
import { Timeline } from '../src/machine/timeline.js';
import { MAIN } from '../tools/program.js';
import { recordCosts } from './checkpoint-record.js';

const V8_FLAGS = [
  '--v8-pool-size=0',
  '--concurrent-recompilation-queue-length=8192',
  '--no-lazy-feedback-allocation',
  '--allow-natives-syntax',
  '--no-turbo-escape',
];
const GOALS = { storeMb: 60, medianMs: 150, p95Ms: 400 };
const SEED = 1;

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function seeks(log: string, count: number): void {
  const job = replayJob({ log, jit: 'on', json: true } as Parameters<typeof replayJob>[0]);
  const timeline = new Timeline({ ...job, log, inputs: job.inputs ?? [] });
  const end = job.final?.icount ?? timeline.store?.checkpoints.at(-1)?.icount ?? 0;
  const random = randomNumbers(SEED);
  const times: number[] = [];
  timeline.seek(Math.floor(end / 2));
  for (let k = 0; k < count; k++) {
    const place = Math.floor(random() * end);
    const started = performance.now();
    timeline.seek(place);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const at = (q: number): string => times[Math.min(times.length - 1, Math.floor(times.length * q))]!.toFixed(0);
  const distance = end / Math.max(1, timeline.store?.checkpoints.length ?? 1) / 1e6;
  console.log(`seek (seed ${SEED}, ${count} places, checkpoints ${distance.toFixed(1)} M instructions apart)`);
  console.log(`  median ${at(0.5)} ms (goal ${GOALS.medianMs}), p95 ${at(0.95)} ms (goal ${GOALS.p95Ms})`);
  timeline.close();
}

const [log, count = '200', inside] = process.argv.slice(2);
if (log === undefined) {
  console.error('usage: npx tsx perf/checkpoints.ts LOG [SEEKS]');
  process.exit(1);
}
if (log === 'record') recordCosts(MAIN, Number(process.argv[3] ?? 1), process.argv[4] ?? 'long');
else if (inside === 'seeks') seeks(log, Number(count));
else {
  console.log(`store: ${(statSync(checkpointsPath(log)).size / 1e6).toFixed(1)} MB (goal ${GOALS.storeMb} for the Debian boot)`);
  // The built one: under tsx imports are getters, and the interpreter many times slower.
  const built = new URL('../dist/perf/checkpoints.js', import.meta.url).pathname;
  spawnSync(process.execPath, [...V8_FLAGS, built, log, count, 'seeks'], { stdio: 'inherit' });
}
