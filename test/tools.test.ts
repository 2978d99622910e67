// Oracle: self-consistency (a judge that is missing is never lost unnoticed)
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from './cli.js';
import { requireTool } from './tools.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it('finds programs in PATH and files by their path', () => {
  vi.stubEnv('PATH', process.execPath.replace(/\/[^/]*$/, ''));
  vi.stubEnv('CI', 'true');
  expect(requireTool(process.execPath.replace(/.*\//, ''), 'nodejs')).toBe(true);
  expect(requireTool(process.execPath, 'nodejs')).toBe(true);
});

it('says once which package to install, and fails in CI', () => {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  vi.stubEnv('CI', '');
  expect([requireTool('no-such-judge', 'judges'), requireTool('no-such-judge', 'judges')]).toEqual([false, false]);
  expect(said).toEqual(['skipped: needs no-such-judge (Debian package judges)\n']);
  vi.stubEnv('CI', 'true');
  expect(() => requireTool('no-such-judge', 'judges')).toThrow('this test needs no-such-judge (Debian package judges)');
});

describe('a temporary folder that a test makes', () => {
  let made = '';
  it('is there while the test runs', () => {
    made = temporaryFolder();
    expect(existsSync(made)).toBe(true);
  });
  it('is gone afterwards', () => {
    expect([made.length > 0, existsSync(made)]).toEqual([true, false]);
  });
});
