// Oracle: V8 (the engine under us)
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { v8Optimiser } from '../../jit/core/optimiser.js';
import { PATIENCE_MS } from '../tools.js';

const MODULE = fileURLToPath(new URL('../../dist/jit/core/optimiser.js', import.meta.url));
const SCRIPT = `
  const { v8Optimiser } = await import(${JSON.stringify(MODULE)});
  const optimiser = v8Optimiser();
  let x = 0;
  const add = () => { x = (x + 3) | 0; return -1; };
  for (let k = 0; k < 8; k++) add();
  const before = optimiser.isOptimised(add);
  optimiser.request(add);
  add();
  const end = Date.now() + ${PATIENCE_MS / 2};
  while (!optimiser.isOptimised(add) && Date.now() < end) add();
  console.log(before, optimiser.isOptimised(add));
`;

describe('the door to V8’s optimiser', () => {
  it('is closed without the flag', () => {
    expect(v8Optimiser()).toBeNull();
  });

  it('lets a function be optimised after eight calls, in the background', () => {
    const flags = ['--allow-natives-syntax', '--no-lazy-feedback-allocation', '--input-type=module', '-e', SCRIPT];
    expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('false true\n');
  });
});
