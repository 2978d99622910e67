/**
 * What workers gain in the verification of a recording of ours that has checkpoints (perf/guests/debian.ts makes the guest): two workers on two processors beside one on one, the
 * sides in turn. One worker that may use both processors is measured too: V8's optimiser has the second one then. Run after `npm run build`, on two processors:
 *   node dist/perf/verify.js LOG [ROUNDS]
 */
import { spawnSync } from 'node:child_process';
import { goal, median } from './figures.js';
import { builtProgram, needs } from './needs.js';

const main = builtProgram('verify');
needs('/usr/bin/taskset', 'util-linux');

/** @param processors as taskset has them: `0`, `0,1` */
function verifySeconds(log: string, workers: number, processors: string): number {
  const { stdout, stderr } = spawnSync('taskset', ['-c', processors, main, 'verify', log, '--workers', String(workers), '--json'], {
    encoding: 'utf8',
  });
  if (!stdout.startsWith('{')) throw new Error(stderr);
  const { wallSeconds, findings } = JSON.parse(stdout) as { wallSeconds: number; findings: unknown[] };
  if (findings.length > 0) throw new Error(`the recording does not verify: ${stdout}`);
  return wallSeconds;
}

const [log, rounds = '1'] = process.argv.slice(2);
if (log === undefined) {
  console.error('usage: node dist/perf/verify.js LOG [ROUNDS]');
  process.exit(1);
}
const sides = {
  'two workers on two processors': () => verifySeconds(log, 2, '0,1'),
  'one worker on one processor': () => verifySeconds(log, 1, '0'),
  'one worker on two processors': () => verifySeconds(log, 1, '0,1'),
};
type Side = keyof typeof sides;
const names = Object.keys(sides) as Side[];
const times = new Map<Side, number[]>(names.map((name) => [name, []]));
for (let round = 1; round <= Number(rounds); round++)
  for (const name of names) {
    const seconds = sides[name]();
    times.get(name)!.push(seconds);
    console.log(`round ${round}: ${name} ${seconds.toFixed(1)} s`);
  }
const seconds = (name: Side): number => median(times.get(name)!);
for (const name of names) console.log(`median: ${name} ${seconds(name).toFixed(1)} s`);
const two = seconds('two workers on two processors');
goal('two workers on two processors, times as fast as one on one', seconds('one worker on one processor') / two, 'at least', 1.7);
goal('two workers on two processors, times as fast as one that has both', seconds('one worker on two processors') / two, 'at least', 1.7);
