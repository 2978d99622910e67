// Oracle: manual (README: Ctrl-C ends a recording in good order; one that was killed replays up to its last whole event)
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../replay/log/reader.js';
import { MAIN, palindrome, summary, temporaryFolder } from '../cli.js';
import { endWithTest } from '../processes.js';
import { demoGuest, record, replay } from '../replay/scripted.js';
import { PATIENCE_MS } from '../tools.js';
import { Background, guestOptions, receivedCharacters, sizeOf } from './guest.js';

const dir = temporaryFolder();
const guest = guestOptions(dir);

function stat(log: string): Record<string, unknown> & { kinds: Record<string, number> } {
  const { status, stdout } = palindrome('log', 'stat', log, '--json');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown> & { kinds: Record<string, number> };
}

describe('a recording', () => {
  it('that gets SIGINT ends with a complete log that replays; what was typed on stdin is in it', async () => {
    const log = join(dir, 'int.rr');
    const run = new Background('record', log, ...guest, '--serial', 'stdio');
    await run.until(() => run.stdout.includes('round'));
    run.child.stdin!.write('hello');
    await run.until(() => receivedCharacters(log));
    run.child.kill('SIGINT');
    // Its stdin stays open: that must not keep it.
    expect(await run.ended).toEqual({ status: 0, signal: null });
    expect(run.stderr).toContain('record: stopped on request');
    const held = stat(log);
    expect(held).toMatchObject({ complete: true, endsWithEnd: true });
    expect(held.kinds.ASYNC_CHAR_READ).toBeGreaterThan(0);
    expect(palindrome('log', 'events', log).stdout).toMatch(/CHAR_READ/);
    expect(summary('replay', log)).toMatchObject({ status: 0, stop: 'end-of-log', divergence: null });
    expect(palindrome('replay', log).stdout).toBe(run.stdout);
  });

  it('that is killed is readable and replays up to its last whole event', async () => {
    const log = join(dir, 'kill.rr');
    const run = new Background('record', log, ...guest, '--checkpoint-every', '300k');
    // So far that one of its checkpoints is worth going back to.
    await run.until(() => sizeOf(log) > 2000 && sizeOf(`${log}.checkpoints`) > 30_000);
    run.child.kill('SIGKILL');
    expect(await run.ended).toEqual({ status: null, signal: 'SIGKILL' });
    const held = stat(log);
    expect(held).toMatchObject({ complete: false, endsWithEnd: false });
    expect(summary('replay', log)).toMatchObject({
      status: 0,
      stop: 'end-of-log',
      icount: held.instructions,
      divergence: null,
    });
    const near = ['replay', log, '--until', String(Number(held.instructions) - 1)];
    const { startedAt, digest } = summary(...near) as ReturnType<typeof summary> & { startedAt: number };
    expect(startedAt).toBeGreaterThan(0);
    expect(digest).toBe(summary(...near, '--from-start').digest);
  });

  it('whose file may not grow any further stops with one error, is readable and replays up to its last whole event', () => {
    const log = join(dir, 'limit.rr');
    // Blocks of 512 bytes or of 1 KiB, as the shell has it.
    const command = ['-c', 'ulimit -f 8 && exec "$@"', 'sh', process.execPath, MAIN, 'record', log, ...guest, '--serial', 'null'];
    const { status, stdout, stderr } = spawnSync('sh', command, { encoding: 'utf8', timeout: PATIENCE_MS });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^palindrome: [^\n]*limit\.rr: writing the log failed \(a file may not become larger\)[^\n]*\n$/);
    expect(sizeOf(log) % 4096).toBe(0);
    const held = stat(log);
    expect(held).toMatchObject({ complete: false, endsWithEnd: false });
    expect(summary('replay', log)).toMatchObject({ status: 0, stop: 'end-of-log', icount: held.instructions, divergence: null });
  });

  it('whose stdout is closed early goes on and replays', async () => {
    const log = join(dir, 'pipe.rr');
    const run = new Background('record', log, ...guest, '--serial', 'stdio');
    run.child.stdout!.once('data', () => run.child.stdout!.destroy());
    await run.until(() => run.child.stdout!.destroyed);
    const closedAt = sizeOf(log);
    // Some thirty million instructions further.
    await run.until(() => sizeOf(log) > closedAt + 8000);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ status: 0, signal: null });
    const held = stat(log);
    expect(held).toMatchObject({ complete: true, endsWithEnd: true });
    expect(summary('replay', log)).toMatchObject({ status: 0, stop: 'end-of-log', icount: held.instructions, divergence: null });
    expect(palindrome('replay', log).stdout.length).toBeGreaterThan(run.stdout.length);
  });

  it('that gets the same signal twice in one breath, as from timeout(1), ends in good order', async () => {
    const log = join(dir, 'echo.rr');
    const run = new Background('record', log, ...guest, '--serial', 'stdio');
    await run.until(() => run.stdout.length > 0);
    // Sent while it handles the first one, so that the second is not merged with it.
    run.child.kill('SIGINT');
    await new Promise((resolve) => setImmediate(resolve));
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ status: 0, signal: null });
    expect(stat(log)).toMatchObject({ complete: true, endsWithEnd: true });
  });

  it('that gets a second signal before it is done exits with 130 at once', async () => {
    const run = new Background('record', join(dir, 'twice.rr'), ...guest, '--serial', 'stdio');
    await run.until(() => run.stdout.length > 0);
    // Both wait for the stopped process, so neither can be missed.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) run.child.kill(signal);
    expect(await run.ended).toEqual({ status: 130, signal: null });
  });

  it('that was cut off after any of its events or within it replays to there', () => {
    const config = demoGuest(dir);
    const whole = record(join(dir, 'whole.rr'), config, '5.2', 950_000);
    const bytes = readFileSync(whole.log);
    const ends: number[] = [];
    const cursor = openLog(whole.log);
    while (cursor.next()) ends.push(cursor.offset);
    cursor.close();
    const log = join(dir, 'cut.rr');
    for (let i = 1; i < ends.length; i += Math.ceil(ends.length / 40)) {
      const cut = Buffer.from(bytes.subarray(0, ends[i]! + (i % 3)));
      cut.fill(0, 0, 4);
      writeFileSync(log, cut);
      const { stop, divergence } = replay({ ...whole, log }, { final: null });
      expect([i, stop, divergence]).toEqual([i, 'end-of-log', null]);
    }
  });
});

describe('a replay', () => {
  it('that gets SIGINT stops and says so', async () => {
    const log = join(dir, 'long.rr');
    summary('record', log, ...guest, '--serial', 'null', '--until', '60000000');
    const run = new Background('replay', log, '--jit', 'off', '--serial', 'stdio', '--json');
    await run.until(() => run.stderr.length > 0);
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ status: 0, signal: null });
    expect(JSON.parse(run.stdout)).toMatchObject({ stop: 'signal', divergence: null });
  });
});

describe('stdout', () => {
  it.each([
    ['run', ...guest, '--serial', 'stdio', '--until', '60000000'],
    ['demo', '--help'],
    ['log', 'dump', new URL('../recordings/t5.rr', import.meta.url).pathname],
  ])('that is closed early ends %s quietly', async (...args) => {
    const child = endWithTest(spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(status).toBe(0);
    expect(stderr).not.toMatch(/EPIPE|error| {4}at /i);
  });
});
