/**
 * What going back costs, in a recording of ours with checkpoints (perf/guests/debian.ts makes the guest):
 *   npm run build && node dist/perf/reverse.js LOG [PLACES] [STEPS] [[KIND:]ADDRESS...]
 * Goes to random places (the seed is printed) and makes single steps back there; continues back to a breakpoint in the last stretch, and over everything: to a breakpoint that is never met, to a write, a read
 * and an access that is never made, beside a plain replay. How long one takes to look for depends on how often its page is accessed: so accesses (KIND: read, the default, write or access) are looked for at the linear
 * ADDRESSes (hexadecimal) as well, where they may be found.
 * Times are those between asking the machine's thread and its answer.
 */
import { spawnSync } from 'node:child_process';
import { replayJob } from '../src/cli/replay-job.js';
import type { Motion, StopCause, Watchpoint } from '../src/core/debug-target.js';
import { MachineThread } from '../src/debug/machine-thread.js';
import { goal } from './figures.js';
import { builtProgram } from './needs.js';

const SEED = 1;
/** Steps that are made one after the other until another place is gone to. */
const STEPS = 20;
const PLACES = 40;
/** In no guest's code: the last byte of the first page. */
const NEVER = 0xfff;
/** Before the end of the recording: with a checkpoint each second, mostly behind the last one. */
const LAST_STRETCH = 20_000_000;

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function quantile(times: readonly number[], q: number): number {
  return times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * q))]!;
}

/** A recording whose machine is told to move. */
class Driver {
  readonly machine: MachineThread;
  constructor(log: string) {
    this.machine = new MachineThread(replayJob({ log, jit: 'on', json: true } as Parameters<typeof replayJob>[0]));
  }

  /** Milliseconds, and why it stopped. */
  async move(motion: Motion): Promise<{ ms: number; cause: StopCause }> {
    const started = performance.now();
    const stopped = new Promise<StopCause>((resolve) => {
      const forget = this.machine.observe({
        stopped: (cause) => {
          forget();
          resolve(cause);
        },
      });
    });
    const refusal = await this.machine.call('move', { motion });
    if (refusal !== null) throw new Error(`${motion.kind}: ${refusal}`);
    const cause = await stopped;
    return { ms: performance.now() - started, cause };
  }

  async icount(): Promise<number> {
    return (await this.machine.call('status', {})).position.icount;
  }
}

async function steps(driver: Driver, end: number, places: number, count: number): Promise<void> {
  const random = randomNumbers(SEED);
  const seeks: number[] = [];
  const firsts: number[] = [];
  const all: number[] = [];
  for (let k = 0; k < places; k++) {
    seeks.push((await driver.move({ kind: 'seek', icount: Math.floor(random() * end) })).ms);
    for (let n = 0; n < count; n++) {
      const { ms } = await driver.move({ kind: 'reverse-step' });
      all.push(ms);
      if (n === 0) firsts.push(ms);
    }
  }
  console.log(`reverse-stepi (seed ${SEED}): ${places} places, ${count} steps at each`);
  console.log(`  the first at a place: median ${quantile(firsts, 0.5).toFixed(1)} ms, p95 ${quantile(firsts, 0.95).toFixed(1)} ms`);
  console.log(`  going there: median ${quantile(seeks, 0.5).toFixed(0)} ms, p95 ${quantile(seeks, 0.95).toFixed(0)} ms`);
  goal('reverse-stepi, median, ms', quantile(all, 0.5), 'at most', 30);
  goal('reverse-stepi, p95, ms', quantile(all, 0.95), 'at most', 100);
}

async function continues(driver: Driver, log: string, addresses: readonly string[]): Promise<void> {
  const toEnd = { kind: 'seek', icount: Number.MAX_SAFE_INTEGER } as const;
  await driver.move(toEnd);
  const end = await driver.icount();
  await driver.move({ kind: 'seek', icount: end - LAST_STRETCH });
  const { eip } = await driver.machine.call('registers', {});
  await driver.move(toEnd);
  await driver.machine.call('breakpoints', { addresses: [eip] });
  const near = await driver.move({ kind: 'reverse-continue' });
  if (near.cause.kind !== 'debug') throw new Error(`stopped by ${JSON.stringify(near.cause)}`);
  console.log(`  found ${((end - (await driver.icount())) / 1e6).toFixed(1)} M instructions before the end`);
  goal('reverse-continue, a hit in the last stretch, s', near.ms / 1000, 'at most', 1);
  await driver.machine.call('breakpoints', { addresses: [NEVER] });
  const breakpoint = await overAll(driver);
  await driver.machine.call('breakpoints', { addresses: [] });
  const watched = async (kind: Watchpoint['kind'], address: number): Promise<number> => {
    await driver.machine.call('watchpoints', { watchpoints: [{ kind, address, lengthBytes: 1 }] });
    return overAll(driver);
  };
  const write = await watched('write', NEVER);
  const read = await watched('read', NEVER);
  const access = await watched('access', NEVER);
  const others: Record<string, number> = {};
  for (const wanted of addresses) {
    const [address, kind = 'read'] = wanted.split(':').toReversed() as [string, Watchpoint['kind']?];
    others[`${kind} at ${address}`] = await watched(kind, Number.parseInt(address, 16));
  }
  await driver.machine.call('watchpoints', { watchpoints: [] });
  const started = performance.now();
  const replay = spawnSync(builtProgram('reverse'), ['replay', log, '--json'], { encoding: 'utf8' });
  if (replay.status !== 0) throw new Error(replay.stderr);
  const plain = performance.now() - started;
  console.log(`reverse-continue over all of it, without a hit; a replay: ${(plain / 1000).toFixed(1)} s`);
  for (const [name, ms] of Object.entries({ breakpoint, write, read, access, ...others })) {
    console.log(`  ${name}: ${(ms / 1000).toFixed(2)} s`);
    goal(`replay / reverse-continue (${name})`, plain / ms, 'at least', 1.6);
  }
}

/** Milliseconds of a reverse-continue from the end, which should find nothing. */
async function overAll(driver: Driver): Promise<number> {
  await driver.move({ kind: 'seek', icount: Number.MAX_SAFE_INTEGER });
  const { ms, cause } = await driver.move({ kind: 'reverse-continue' });
  if (cause.kind === 'watchpoint')
    console.log(`  ${JSON.stringify(cause.watchpoint)} is met at ${await driver.icount()}, after ${(ms / 1000).toFixed(2)} s`);
  else if (cause.kind !== 'log-begin') throw new Error(`stopped by ${JSON.stringify(cause)}`);
  console.log(`  over all of it: ${(ms / 1000).toFixed(2)} s`);
  return ms;
}

const [log, places = String(PLACES), count = String(STEPS), ...addresses] = process.argv.slice(2);
if (log === undefined) {
  console.error('usage: node dist/perf/reverse.js LOG [PLACES] [STEPS] [[KIND:]ADDRESS...]');
  process.exit(1);
}
const driver = new Driver(log);
await Promise.race([driver.machine.ready, driver.machine.ended]);
try {
  await driver.move({ kind: 'seek', icount: Number.MAX_SAFE_INTEGER });
  const end = await driver.icount();
  if (Number(places) > 0) await steps(driver, end, Number(places), Number(count));
  await continues(driver, log, addresses);
} finally {
  await driver.machine.call('quit', {});
}
await driver.machine.ended;
