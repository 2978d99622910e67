import type { ChildProcess } from 'node:child_process';
import { afterAll, onTestFinished, TestRunner } from 'vitest';

const outsideOfTests: ChildProcess[] = [];
afterAll(() => {
  for (const child of outsideOfTests) child.kill('SIGKILL');
});

/**
 * Has a program ended with the test that started it, or else with the tests of the file, also when they fail: one that is left keeps a processor busy, and vitest from
 * ending when it has our stderr. Gives the program.
 */
export function endWithTest<Program extends ChildProcess>(child: Program): Program {
  if (TestRunner.getCurrentTest() === undefined) outsideOfTests.push(child);
  else onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Whether a program runs no longer. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
