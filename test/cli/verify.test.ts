// Oracle: self-consistency (a recording that nothing is wrong with, and workers that are made to fail)
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { replayJob } from '../../src/cli/replay-job.js';
import type { verify as verifyFunction } from '../../src/verify/verify.js';
import { MAIN, palindrome, summary, temporaryFolder } from '../cli.js';
import { PATIENCE_MS, requireTool } from '../tools.js';
import { Background, guestOptions } from './guest.js';

const folder = temporaryFolder();
const log = join(folder, 'boot.rr');
/** A machine's objects do not fit into this. */
const TOO_SMALL_MIB = 8;
const marker = join(folder, 'marker');

/** A module to be loaded first in every thread: what a worker does when it opens the log, or when it begins. */
function fault(name: string, condition: string, action: string, when: 'begins' | 'opens the log' = 'opens the log'): string[] {
  const path = join(folder, `${name}.mjs`);
  const act = `fs.appendFileSync(${JSON.stringify(marker)}, '.'); ${action};`;
  const text = [
    "import fs from 'node:fs';",
    "import { syncBuiltinESMExports } from 'node:module';",
    "import { isMainThread } from 'node:worker_threads';",
    'const { openSync } = fs;',
    `if (!isMainThread && ${condition}) {`,
    when === 'begins'
      ? act
      : `fs.openSync = (path, ...rest) => { if (path === ${JSON.stringify(log)}) { ${act} } return openSync(path, ...rest); };`,
    '  syncBuiltinESMExports();',
    '}',
  ];
  writeFileSync(path, text.join('\n'));
  rmSync(marker, { force: true });
  return ['--import', path];
}

/** The recording in a folder of its own, with another LOG.json. */
function copyOf(name: string, change: (sidecar: { final: { digest: string } }) => void = () => {}): string {
  const path = join(folder, `${name}.rr`);
  for (const end of ['', '.checkpoints']) cpSync(log + end, path + end);
  const sidecar = JSON.parse(readFileSync(`${log}.json`, 'utf8')) as { final: { digest: string } };
  change(sidecar);
  writeFileSync(`${path}.json`, JSON.stringify(sidecar));
  return path;
}

function verifiedRecording(): Parameters<typeof verifyFunction>[0] {
  const { config, inputs = [], logFormat, strict, jit, final } = replayJob({ log, jit: 'on', json: true });
  return { log, config, inputs, logFormat, strict, jit, final };
}

/** Its workers are built modules. */
async function builtVerify(): Promise<{ verify: typeof verifyFunction }> {
  return (await import(new URL('../../dist/src/verify/verify.js', import.meta.url).href)) as { verify: typeof verifyFunction };
}

function verifyWith(options: readonly string[], workers = 2): { status: number | null; result: Record<string, unknown> } {
  const run = spawnSync(process.execPath, [...options, MAIN, 'verify', log, '--workers', `${workers}`, '--json'], {
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

  it('starts a worker that died before its first segment, and in it', () => {
    const twice = `(!fs.existsSync(${JSON.stringify(marker)}) || fs.statSync(${JSON.stringify(marker)}).size < 2)`;
    const { status, result } = verifyWith(fault('twice', twice, 'process.exit(9)'), 1);
    expect(readFileSync(marker, 'utf8')).toHaveLength(2);
    expect([status, result]).toMatchObject([0, { instructions: 1_500_000, findings: [], stopped: false }]);
  });

  it('reports segments whose workers die again', () => {
    const { status, result } = verifyWith(fault('always', 'true', 'process.exit(9)'));
    expect([status, result]).toMatchObject([3, { instructions: 0, verified: 0 }]);
    const failures = (result.findings as { failure: string }[]).map((f) => f.failure);
    expect(failures).toHaveLength(result.segments as number);
    for (const failure of failures) expect(failure).toContain('its worker ended 2 times');
  });

  it.each([
    ['SIGINT', 'opens the log'],
    ['SIGTERM', 'opens the log'],
    ['SIGHUP', 'opens the log'],
    ['SIGHUP', 'begins'],
  ] as const)('ends at once with %s when a worker hangs that %s, and says so', async (signal, when) => {
    const hang = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
    vi.stubEnv('NODE_OPTIONS', fault('hang', 'true', hang, when).join('='));
    const run = new Background('verify', log, '--workers', '2');
    vi.unstubAllEnvs();
    await run.until(() => existsSync(marker));
    run.child.kill(signal);
    // The same one once more in one breath, as from timeout(1), is no second one.
    await new Promise((resolve) => setImmediate(resolve));
    run.child.kill(signal);
    expect(await run.ended).toEqual({ status: 130, signal: null });
    expect(run.stdout).toContain('verify: stopped on request');
    expect(run.stdout).toMatch(/segments +0 of \d+/);
  });

  it('says of a recording that ended differently where and how, with exit code 3', () => {
    const path = copyOf('ended', (sidecar) => {
      sidecar.final.digest = '0'.repeat(32);
    });
    const { status, stdout, stderr } = palindrome('verify', path, '--workers', '2');
    expect([status, stderr]).toEqual([3, '']);
    expect(stdout).toMatch(/^verify: NOT what was recorded\n/);
    expect(stdout).toMatch(/end of the recording digest: recorded 0{32}, replayed [0-9a-f]{32}\n/);
    expect(stdout).toContain('cause: all replays agree with each other, but not with what was recorded');
  });

  it('needs no store, or a whole one: what is missing or damaged costs speed, and is said', () => {
    const bare = copyOf('bare');
    rmSync(`${bare}.checkpoints`);
    const [plain, whole] = [readFileSync(`${log}.checkpoints`), verifyWith([]).result.segments as number];
    const verified = (path: string): Record<string, unknown> => {
      const { status, stdout } = palindrome('verify', path, '--workers', '2', '--json');
      const result = JSON.parse(stdout) as { warnings: readonly string[] };
      expect([path, status, result]).toMatchObject([path, 0, { instructions: 1_500_000, findings: [] }]);
      expect(result.warnings.join()).toContain(`${path}.checkpoints`);
      return result as unknown as Record<string, unknown>;
    };
    expect(verified(bare)).toMatchObject({ segments: 1, verified: 1 });
    for (const [name, at] of [
      ['head', 3],
      ['early', plain.length >> 3],
      ['late', plain.length - 20],
    ] as const) {
      const path = copyOf(name);
      const bytes = Buffer.from(plain);
      bytes[at]! ^= 0x10;
      writeFileSync(`${path}.checkpoints`, bytes);
      expect(verified(path).segments).toBeLessThanOrEqual(name === 'head' ? 1 : whole);
    }
  });

  it('tells how far each worker is, and how many segments are done', async () => {
    const { verify } = await builtVerify();
    const told: { places: readonly number[]; done: number; segments: number }[] = [];
    const onProgress = (places: readonly number[], done: number, segments: number): void => void told.push({ places, done, segments });
    const { segments } = await verify(verifiedRecording(), { workers: 2, onProgress });
    expect(told[0]).toEqual({ places: [0, 0], done: 0, segments });
    const last = told.at(-1)!;
    expect([last.done, last.segments]).toEqual([segments, segments]);
    // On a busy host one of them may have done everything before the other was ready.
    expect(last.places).toHaveLength(2);
    for (const place of last.places) expect(place).toBeLessThanOrEqual(1_500_000);
    expect(Math.max(...last.places)).toBeGreaterThan(0);
    for (let k = 1; k < told.length; k++) expect(told[k]!.done).toBeGreaterThanOrEqual(told[k - 1]!.done);
  });

  it.skipIf(!requireTool('script', 'bsdutils'))('shows that at a terminal, and takes it away in the end', () => {
    const command = [process.execPath, MAIN, 'verify', log, '--workers', '2'].map((word) => `'${word}'`).join(' ');
    const { stdout, status } = spawnSync('script', ['-qfec', command, '/dev/null'], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(status).toBe(0);
    const lines = stdout.split('\r\x1b[K').map((line) => line.trimEnd());
    expect(lines[1]).toMatch(/^0 of \d+ segments \| workers at 0, 0 M instructions$/);
    expect(lines.at(-2)).toMatch(/^(\d+) of \1 segments \| workers at \d+, \d+ M instructions$/);
    expect(lines.at(-1)).toMatch(/^verify: everything is as recorded/);
  });

  it('bounds the memory of a worker: one that needs more is reported', async () => {
    const { verify } = await builtVerify();
    const recording = { ...verifiedRecording(), jit: 'off', final: null } as const;
    const { findings } = await verify(recording, { workers: 1, workerHeap: TOO_SMALL_MIB });
    expect(findings.length).toBeGreaterThan(0);
    expect(findings[0]!.failure).toContain('memory limit');
  });
});
