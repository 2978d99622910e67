// Oracle: V8 (the engine under us): what its optimiser does with a burst of requests
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { PATIENCE_MS } from '../tools.js';

const DIST = new URL('../../dist/', import.meta.url).href;
const FUNCTIONS = 200;
/** What V8's own queue holds; it optimises some more of a burst meanwhile, and forgets the rest. */
const DEFAULT_QUEUE = 8;

/** In a Worker: has functions optimised, all at once; prints how many of them V8 has optimised in the end. */
const BURST = `
  const { v8Optimiser } = await import('${DIST}jit/core/optimiser.js');
  const optimiser = v8Optimiser();
  const functions = Array.from({ length: ${FUNCTIONS} }, (_, k) => new Function('x', 'let s = ' + k + '; for (let i = 0; i < 9; i++) s = (Math.imul(s, x) + i) | 0; return s;'));
  const optimised = () => functions.filter((f) => optimiser.isOptimised(f)).length;
  for (const f of functions) for (let k = 0; k < 8; k++) f(k);
  for (const f of functions) { optimiser.request(f); f(1); }
  const end = Date.now() + ${PATIENCE_MS / 2};
  while (optimised() < ${FUNCTIONS} && Date.now() < end);
  console.log(optimised());
`;
const PROGRAM = `
  const { Worker } = await import('node:worker_threads');
  const { setEngineFlags } = await import('${DIST}src/machine/v8-flags.js');
  setEngineFlags();
  new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(BURST)})));
`;

it(`a Worker made after V8's flags were set has a queue for more than ${DEFAULT_QUEUE} functions, and the door to the optimiser`, () => {
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { encoding: 'utf8' })).toBe(`${FUNCTIONS}\n`);
});
