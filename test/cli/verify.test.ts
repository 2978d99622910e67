// Oracle: self-consistency (a recording that nothing is wrong with, and workers that are made to fail)
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { replayJob } from '../../src/cli/replay-job.js';
import type { verify as verifyFunction } from '../../src/verify/verify.js';
import { MAIN, summary, temporaryFolder } from '../cli.js';
import { PATIENCE_MS } from '../tools.js';
import { Background, guestOptions } from './guest.js';

const folder = temporaryFolder();
const log = join(folder, 'boot.rr');
/** A machine's objects do not fit into this. */
const TOO_SMALL_MIB = 8;
const marker = join(folder, 'marker');

/** A module to be loaded first in every thread: what a worker does when it reads its first file. */
function fault(name: string, condition: string, action: string): string[] {
  const path = join(folder, `${name}.mjs`);
  const text = [
    "import fs from 'node:fs';",
    "import { syncBuiltinESMExports } from 'node:module';",
    "import { isMainThread } from 'node:worker_threads';",
    `if (!isMainThread && ${condition}) {`,
    `  fs.readSync = () => { fs.writeFileSync(${JSON.stringify(marker)}, ''); ${action}; };`,
    '  syncBuiltinESMExports();',
    '}',
  ];
  writeFileSync(path, text.join('\n'));
  rmSync(marker, { force: true });
  return ['--import', path];
}

function verifyWith(options: readonly string[]): { status: number | null; result: Record<string, unknown> } {
  const run = spawnSync(process.execPath, [...options, MAIN, 'verify', log, '--workers', '2', '--json'], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { status: run.status, result: JSON.parse(run.stdout || JSON.stringify({ stderr: run.stderr })) as Record<string, unknown> };
}

beforeAll(() => {
  const { status } = summary('record', log, ...guestOptions(folder), '--until', '1500000', '--checkpoint-every', '300k');
  expect(status).toBe(0);
});

describe('verify', () => {
  it('finds nothing wrong', () => {
    const { status, result } = verifyWith([]);
    expect([status, result]).toMatchObject([0, { instructions: 1_500_000, findings: [], warnings: [], stopped: false }]);
    expect(result.verified).toBe(result.segments);
  });

  it('starts a worker that died once again', () => {
    const once = `!fs.existsSync(${JSON.stringify(marker)})`;
    const { status, result } = verifyWith(fault('once', once, 'process.exit(9)'));
    expect(existsSync(marker)).toBe(true);
    expect([status, result]).toMatchObject([0, { instructions: 1_500_000, findings: [], stopped: false }]);
  });

  it('reports segments whose workers die again', () => {
    const { status, result } = verifyWith(fault('always', 'true', 'process.exit(9)'));
    expect([status, result]).toMatchObject([3, { instructions: 0, verified: 0 }]);
    const failures = (result.findings as { failure: string }[]).map((f) => f.failure);
    expect(failures).toHaveLength(result.segments as number);
    for (const failure of failures) expect(failure).toContain('its worker ended 2 times');
  });

  it('ends at once with Ctrl-C, whatever its workers do, and says so', async () => {
    const hang = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
    vi.stubEnv('NODE_OPTIONS', fault('hang', 'true', hang).join('='));
    const run = new Background('verify', log, '--workers', '2');
    vi.unstubAllEnvs();
    await run.until(() => existsSync(marker));
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ status: 130, signal: null });
    expect(run.stdout).toContain('verify: stopped on request');
    expect(run.stdout).toMatch(/segments +0 of \d+/);
  });

  it('bounds the memory of a worker: one that needs more is reported', async () => {
    const built = new URL('../../dist/src/verify/verify.js', import.meta.url).href;
    const { verify } = (await import(built)) as { verify: typeof verifyFunction };
    const { config, inputs = [], logFormat, strict, jit } = replayJob({ log, jit: 'off', json: true } as Parameters<typeof replayJob>[0]);
    const recording = { log, config, inputs, logFormat, strict, jit, final: null };
    const { findings } = await verify(recording, { workers: 1, workerHeap: TOO_SMALL_MIB });
    expect(findings.length).toBeGreaterThan(0);
    expect(findings[0]!.failure).toContain('memory limit');
  });
});
