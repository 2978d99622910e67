// Oracle: self-consistency (a segment that a process of its own runs ends as it does in verify's pool)
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SegmentOutcome } from '../../src/verify/segment.js';
import type { SegmentJob } from '../../src/verify/segment-job.js';
import { type CliResult, MAIN, palindrome, summary, temporaryFolder } from '../cli.js';
import { PATIENCE_MS } from '../tools.js';
import { guestOptions } from './guest.js';

const SEGMENT = new URL('../../dist/src/cli/segment/main.js', import.meta.url).pathname;
const folder = temporaryFolder();
const log = join(folder, 'boot.rr');
let jobs: string[] = [];
let pool: readonly SegmentOutcome[] = [];

/** A process that has nothing of this one but a job: no environment, another folder, no threads. */
function runAlone(job: string, program = SEGMENT): CliResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    input: job,
    env: {},
    cwd: '/',
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { status, stdout, stderr };
}

/** What does not depend on who ran it. */
function lasting({ milliseconds, worker, ...outcome }: SegmentOutcome): Omit<SegmentOutcome, 'milliseconds' | 'worker'> {
  return outcome;
}

function changed(change: (job: Record<string, unknown>) => void): string {
  const job = JSON.parse(jobs[2]!) as Record<string, unknown>;
  change(job);
  return JSON.stringify(job);
}

beforeAll(() => {
  expect(
    summary('record', log, ...guestOptions(folder), '--serial', 'null', '--until', '1500000', '--checkpoint-every', '300k').status,
  ).toBe(0);
  jobs = palindrome('verify', log, '--jobs').stdout.trim().split('\n');
  pool = (JSON.parse(palindrome('verify', log, '--workers', '2', '--json').stdout) as { outcomes: SegmentOutcome[] }).outcomes;
});

describe('a segment as a job', () => {
  it('is run by a plain process that is given JSON alone, and ends as in the pool', () => {
    expect(jobs.length).toBeGreaterThan(3);
    expect(jobs).toHaveLength(pool.length);
    for (const [k, job] of jobs.entries()) {
      const { status, stdout, stderr } = runAlone(job);
      expect([k, status, stderr]).toEqual([k, 0, '']);
      expect(lasting(JSON.parse(stdout) as SegmentOutcome)).toEqual(lasting(pool[k]!));
    }
    expect(pool.reduce((sum, { instructions }) => sum + instructions, 0)).toBe(1_500_000);
  });

  it('needs the files only, wherever they are', () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    for (const name of readdirSync(folder)) if (name !== 'elsewhere') cpSync(join(folder, name), join(elsewhere, name));
    const job = changed((j) => {
      j.log = join(elsewhere, 'boot.rr');
      j.places = {};
      j.inputs = (j.inputs as object[]).map((input) => ({ ...input, absolute: '/nowhere/guest.bin' }));
    });
    const { status, stdout } = runAlone(job);
    expect([status, lasting(JSON.parse(stdout) as SegmentOutcome)]).toEqual([0, lasting(pool[2]!)]);
  });

  it('that is not as recorded exits with 3, and says what differs', () => {
    const last = JSON.parse(jobs.at(-1)!) as SegmentJob;
    const { status, stdout } = runAlone(JSON.stringify({ ...last, final: { ...last.final, digest: '0'.repeat(32) } }));
    expect(status).toBe(3);
    expect((JSON.parse(stdout) as SegmentOutcome).differences).toMatchObject([{ what: 'digest', recorded: '0'.repeat(32) }]);
  });

  it('may be a stranger’s: what cannot be used is refused in one line', () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['', 'not JSON'],
      ['null', 'not one of version 1'],
      [`"${'x'.repeat(1 << 20)}"`, 'longer than'],
      [changed((j) => (j.segmentJob = 2)), 'not one of version 1'],
      [changed((j) => delete j.log), '"log"'],
      [changed((j) => (j.jit = 'perhaps')), '"jit"'],
      [changed((j) => (j.places = { x: 1 })), '"places"'],
      [changed((j) => (j.segment = 3)), '"segment."'],
      [changed((j) => ((j.segment as { from: unknown }).from = -1)), '"segment.from"'],
      [changed((j) => ((j.segment as { from: unknown }).from = 10_000)), 'no checkpoint 10000'],
      [changed((j) => ((j.segment as { fromIcount: number }).fromIcount += 5)), 'any more'],
      [changed((j) => ((j.machine as { memoryBytes: number }).memoryBytes = 2 ** 50)), '"machine.memoryBytes"'],
      [changed((j) => ((j.machine as { kernel: string }).kernel = '/etc/passwd')), 'without its SHA-256'],
      [changed((j) => (j.log = join(folder, 'absent.rr'))), 'absent.rr'],
      [changed((j) => ((j.inputs as { sha256: string }[])[0]!.sha256 = '0'.repeat(64))), 'has changed since the recording'],
    ];
    for (const [job, why] of wrong) {
      const { status, stdout, stderr } = runAlone(job);
      expect([why, status, stdout]).toEqual([why, 2, '']);
      expect(stderr).toMatch(/^palindrome-segment: [^\n]+\n$/);
      expect(stderr).toContain(why);
    }
  });

  it('writes to no file that the job names for what the guest says', () => {
    const target = join(folder, 'said.txt');
    const job = changed((j) => ((j.machine as { serial: object[] }).serial = [{ kind: 'file', path: target }]));
    const { status, stdout } = runAlone(job);
    expect([status, lasting(JSON.parse(stdout) as SegmentOutcome)]).toEqual([0, lasting(pool[2]!)]);
    expect(readdirSync(folder)).not.toContain('said.txt');
  });

  it('is asked for on stdin, and explained', () => {
    const { status, stdout } = spawnSync(process.execPath, [SEGMENT, '--help'], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringContaining('palindrome verify LOG --jobs')]);
    expect(spawnSync(process.execPath, [SEGMENT, 'x'], { encoding: 'utf8' })).toMatchObject({ status: 2, stdout: '' });
    expect(spawnSync(process.execPath, [MAIN, 'verify', '--help'], { encoding: 'utf8' }).stdout).toContain('--jobs');
  });
});
