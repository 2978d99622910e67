import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished, TestRunner } from 'vitest';
import { MAIN } from '../tools/program.js';
import { PATIENCE_MS } from './tools.js';

export { MAIN };
export const RECORDINGS = new URL('./recordings/', import.meta.url).pathname;

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program (`npm test` builds it first) as a user does, by its first line. */
export function palindrome(...args: string[]): CliResult {
  const { status, stdout, stderr, error } = spawnSync(MAIN, args, {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    maxBuffer: 64 << 20,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** What run, record and replay print with --json. */
export interface Summary {
  readonly icount: number;
  readonly digest: string;
  readonly events: number;
  readonly stop: string;
  readonly shutdownCause: string | null;
  readonly exitValue: number | null;
  readonly divergence: { readonly icount: number; readonly expected: string; readonly found: string } | null;
  readonly wallSeconds: number;
}

/** Runs the program with --json and gives its summary; fails with its messages when it prints none. */
export function summary(...args: string[]): Summary & { readonly status: number | null } {
  const { status, stdout, stderr } = palindrome(...args, '--json');
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`no summary (exit ${status}): ${stderr}`);
  return { status, ...(JSON.parse(line) as Summary) };
}

/** A folder that is removed after the tests of the file; in a test, after that test. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'palindrome-test-'));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  // vitest forgets what a test asks to be done after all.
  if (TestRunner.getCurrentTest() === undefined) afterAll(remove);
  else onTestFinished(remove);
  return dir;
}
