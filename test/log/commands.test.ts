// Oracle: QEMU run (7.2.22 and 5.2.0): what is known of its recordings; the command line's own promises
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN, palindrome, temporaryFolder } from '../cli.js';
import { recording, recordingPath } from './recordings.js';

const dir = temporaryFolder();

function log(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = palindrome('log', ...args);
  return { code: status, out: stdout, err: stderr };
}

describe('log stat', () => {
  it('tells version, generation, instructions, events by kind and the ending as JSON', () => {
    const { code, out } = log('stat', recordingPath('t1-52'), '--json');
    expect(code).toBe(0);
    expect(out.split('\n').length).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      version: '0xe0200a',
      generation: 'A',
      instructions: 238,
      events: 142,
      bytes: 846,
      endsWithEnd: true,
      complete: true,
      kinds: { INSTRUCTION: 54, EXCEPTION: 16, CHAR_WRITE: 40, CP_INIT: 1, RANDOM: 1, END: 1 },
    });
  });

  it('says it in words', () => {
    const { out } = log('stat', recordingPath('t5'));
    expect(out).toContain('0xe0200c (generation B, QEMU 7.2 and later)');
    expect(out).toMatch(/instructions +6217502\n/);
    expect(out).toMatch(/ASYNC_NET +2\n/);
  });

  it('refuses damage in one line, with exit code 2', () => {
    const path = join(dir, 'bad.rr');
    writeFileSync(path, recording('t1').subarray(0, 300));
    const { code, out, err } = log('stat', path);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^palindrome: .*bad\.rr: ends at byte 300, .*\n$/);
    expect(log('stat', join(dir, 'absent.rr'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^palindrome: .*absent\.rr: no such file/),
    });
    expect(log('stat', dir)).toMatchObject({ code: 2, err: expect.stringMatching(/not a regular file/) });
  });
});

describe('log dump', () => {
  it('prints one line per event, and the lines before damage', () => {
    const golden = readFileSync(new URL('t1.dump.golden.txt', import.meta.url), 'utf8');
    expect(log('dump', recordingPath('t1'))).toEqual({ code: 0, out: golden, err: '' });
    const path = join(dir, 'half.rr');
    writeFileSync(path, recording('t1').subarray(0, 300));
    const { code, out } = log('dump', path);
    expect(code).toBe(2);
    expect(golden.startsWith(out) && out.split('\n').length > 40).toBe(true);
  });

  it('is limited by instruction counts and kinds', () => {
    const { out } = log('dump', recordingPath('t1'), '--from', '40', '--to', '53', '--kind', 'char-write', 'INSTRUCTION');
    expect(out.split('\n')).toEqual([
      '25 181 40 INSTRUCTION 12',
      '26 186 40 CHAR_WRITE (1, 1)',
      '27 195 45 INSTRUCTION 5',
      '28 200 45 CHAR_WRITE (1, 1)',
      '29 209 53 INSTRUCTION 8',
      '30 214 53 CHAR_WRITE (1, 1)',
      '',
    ]);
    expect(log('dump', '--kind', 'clock-host', 'END', recordingPath('t1')).out.split('\n').length).toBe(17);
    expect(log('dump')).toMatchObject({ code: 2, err: expect.stringMatching(/which log/) });
    expect(log('dump', recordingPath('t4'), '--kind', 'input', '--to', '184', '--json').out).toBe(
      '{"index":682,"offset":3662,"icount":184,"event":"ASYNC_INPUT","input":"key","key":"a","qcode":36,"down":true}\n',
    );
    expect(log('dump', recordingPath('t1'), '--kind', 'nonsense')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--kind nonsense: no such event/),
    });
    expect(log('dump', recordingPath('t1'), '--from', 'x')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--from x: expected an instruction count/),
    });
  });

  it('stops quietly when its reader goes away', async () => {
    const child = spawn(process.execPath, [MAIN, 'log', 'dump', recordingPath('t5')], { stdio: ['ignore', 'pipe', 'pipe'] });
    let err = '';
    child.stderr.on('data', (d: Buffer) => (err += d.toString()));
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.stdout.destroy();
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    expect([code, err]).toEqual([0, '']);
  });
});

describe('log events', () => {
  it('prints what came from outside and nothing else', () => {
    const { out } = log('events', recordingPath('t5'));
    expect(out.split('\n').map((l) => l.split(' ').slice(2, 9).join(' '))).toEqual([
      '6214618 ASYNC_NET 0 flags 0 60 bytes',
      '6215854 ASYNC_NET 0 flags 0 61 bytes',
      '6217502 SHUTDOWN host-qmp-quit',
      '6217502 SHUTDOWN host-signal',
      '',
    ]);
  });
});

describe('log convert', () => {
  it('writes the other format and says what it wrote', () => {
    const to = join(dir, 't1.rr');
    expect(log('convert', recordingPath('t1-52'), to, '--format', '7.2')).toEqual({
      code: 0,
      out: `${to}: 142 events, 238 instructions, format 7.2\n`,
      err: '',
    });
    expect(readFileSync(to).readUInt32BE(0)).toBe(0xe0200c);
  });

  it('names the event that it cannot convert and leaves nothing behind', () => {
    const to = join(dir, 't4.rr');
    const { code, err } = log('convert', recordingPath('t4-52'), to, '--format', '7.2');
    expect(code).toBe(2);
    expect(err).toMatch(/^palindrome: .*event 2214 \(CLOCK_VIRTUAL_RT, at byte 12028, instruction 518\) cannot be said in format 7\.2/);
    expect(existsSync(to)).toBe(false);
  });
});
