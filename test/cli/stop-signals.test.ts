// Oracle: the system (what a process dies of)
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const DIST = new URL('../../dist/', import.meta.url).href;

/** What a program of these statements says and ends with; it can signal itself. */
function ended(statements: string): [stdout: string, status: number | null, signal: string | null] {
  const program = `
    const { onStopSignal } = await import('${DIST}src/cli/stop-signals.js');
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const send = async (signal) => { process.kill(process.pid, signal); await sleep(2); };
    const end = onStopSignal((number) => console.log('asked', number));
    ${statements}
    console.log('over');
  `;
  const { stdout, status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  return [stdout, status, signal];
}

it('asks for an end once, and does not take an echo for another request, even when all is over', () => {
  expect(ended("await send('SIGHUP'); await send('SIGHUP'); end(); await send('SIGHUP');")).toEqual(['asked 1\nover\n', 0, null]);
});

it('ends at once with another signal, or with the same one later', () => {
  expect(ended("await send('SIGTERM'); await send('SIGINT');")).toEqual(['asked 15\n', 130, null]);
  expect(ended("await send('SIGINT'); await sleep(500); await send('SIGINT');")).toEqual(['asked 2\n', 130, null]);
});

it('leaves signals to the system when it is told so before there was one', () => {
  expect(ended("end(); await send('SIGTERM');")).toEqual(['', null, 'SIGTERM']);
});
