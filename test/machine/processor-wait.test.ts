// Oracle: manual (proc(5), schedstat)
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ProcessorWait } from '../../src/machine/processor-wait.js';

/** What the system says of this thread. */
const told = (): number => Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6;

it.skipIf(process.platform !== 'linux')('is what the system says of the thread', () => {
  const wait = new ProcessorWait();
  for (let k = 0; k < 100; k++) {
    const before = told();
    const { ms } = wait;
    expect(ms).toBeGreaterThanOrEqual(before);
    expect(ms).toBeLessThanOrEqual(told());
  }
  wait.close();
});

it('is nothing any more once it was closed', () => {
  const wait = new ProcessorWait();
  wait.close();
  wait.close();
  expect(wait.ms).toBe(0);
});
