// Oracle: manual (README: replay takes the machine from LOG.json; options given again must agree; exit codes)
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../replay/log/reader.js';
import { palindrome, summary, temporaryFolder } from '../cli.js';
import { guestOptions, refusal } from './guest.js';

const dir = temporaryFolder();
const guest = guestOptions(dir);
const kernel = guest[1]!;
const UNTIL = 1_500_000;
const log = join(dir, 'guest.rr');
const output = join(dir, 'serial.txt');
const recorded = summary('record', log, ...guest, '--serial', `file:${output}`, '--until', `${UNTIL}`);
const sidecar = readFileSync(`${log}.json`, 'utf8');

/** A copy of the recording, perhaps damaged. */
function copy(name: string, change: { log?: (bytes: Buffer) => Buffer; json?: string } = {}): string {
  const path = join(dir, name);
  writeFileSync(path, change.log?.(readFileSync(log)) ?? readFileSync(log));
  writeFileSync(`${path}.json`, change.json ?? sidecar);
  return path;
}

describe('record, then replay', () => {
  it('writes LOG and LOG.json and reaches the same end', () => {
    expect(recorded).toMatchObject({ status: 0, icount: UNTIL, stop: 'until' });
    expect(existsSync(`${log}.json`)).toBe(true);
    expect(summary('replay', log)).toMatchObject({
      status: 0,
      stop: 'end-of-log',
      icount: UNTIL,
      digest: recorded.digest,
      events: recorded.events,
      divergence: null,
    });
  });

  it('prints with --json one line on stdout and nothing else, whatever the guest writes to the terminal', () => {
    const { status, stdout, stderr } = palindrome('run', ...guest, '--serial', 'stdio', '--until', `${UNTIL}`, '--json');
    expect([status, stdout.split('\n').length]).toEqual([0, 2]);
    expect(JSON.parse(stdout)).toMatchObject({
      icount: UNTIL,
      stop: 'until',
      digest: expect.stringMatching(/^[0-9a-f]+$/),
      events: expect.any(Number),
      wallSeconds: expect.any(Number),
    });
    expect(stderr).toMatch(/^palindrome demo guest/);
  });

  it('prints without --json what the guest writes on stdout and the summary on stderr', () => {
    const { status, stdout, stderr } = palindrome('run', ...guest, '--serial', 'stdio', '--until', `${UNTIL}`);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^palindrome demo guest/);
    expect(stderr).toMatch(/^run: reached the instruction count asked for\n.*1,500,000/);
  });

  it('stops a replay at exactly the instruction asked for', () => {
    expect(summary('replay', log, '--until', '700,001')).toMatchObject({ status: 0, icount: 700_001, stop: 'until' });
  });

  it('does not write over the files of the recording, but into new ones', () => {
    const text = readFileSync(output, 'latin1');
    expect(text).toMatch(/^palindrome demo guest/);
    writeFileSync(output, 'mine');
    summary('replay', log);
    expect(readFileSync(output, 'latin1')).toBe('mine');
    const again = join(dir, 'again.txt');
    expect(summary('replay', log, '--serial', `file:${again}`).status).toBe(0);
    expect(readFileSync(again, 'latin1')).toBe(text);
  });

  it('replays after its folder was moved', () => {
    const [from, to] = [join(dir, 'from'), join(dir, 'to')];
    mkdirSync(from);
    for (const end of ['', '.json']) copyFileSync(`${log}${end}`, join(from, `a.rr${end}`));
    renameSync(from, to);
    expect(summary('replay', join(to, 'a.rr'))).toMatchObject({ status: 0, digest: recorded.digest });
  });

  it('gives one error when the disk is full', () => {
    const full = join(dir, 'full.rr');
    symlinkSync('/dev/full', full);
    expect(refusal('record', full, ...guest, '--until', '100000')).toContain('no space left');
    expect(refusal('run', ...guest, '--serial', 'file:/dev/full')).toContain('--serial file:/dev/full');
  });

  it('refuses a folder that does not exist', () => {
    expect(refusal('record', join(dir, 'absent', 'x.rr'), ...guest)).toContain('absent');
  });
});

describe('options given to a replay', () => {
  it('may repeat those of the recording', () => {
    const { status, digest } = summary('replay', log, ...guest, '--serial', 'null', '--icount', 'shift=3', '--machine', 'pc');
    expect([status, digest]).toEqual([0, recorded.digest]);
  });

  it.each([
    ['--memory', '16M'],
    ['--cpu', 'max'],
    ['--machine', 'pc,acpi=off'],
    ['--machine', 'pc,hpet=off'],
    ['--bios', '/x'],
    ['--kernel', '/x'],
    ['--append', 'quiet'],
    ['--drive', 'file=/x'],
    ['--icount', 'shift=4'],
    ['--rtc', 'clock=vm'],
    ['--device', 'isa-debug-exit,iobase=0xf5,iosize=1'],
    ['--debugcon', 'null'],
    ['--no-reboot', ''],
  ])('%s %s is refused, naming the difference', (flag, value) => {
    expect(refusal('replay', log, flag, ...(value === '' ? [] : [value]))).toMatch(new RegExp(`${flag} .*(says|recorded machine)`));
  });

  it('of a second serial port are refused', () => {
    expect(refusal('replay', log, '--serial', 'null', '--serial', 'null')).toMatch(/--serial is given 2 times.*has 1/);
  });
});

describe('a changed recording', () => {
  it('whose kernel has changed or gone is refused', () => {
    const other = join(dir, 'other.bin');
    copyFileSync(kernel, other);
    const path = join(dir, 'changed.rr');
    summary('record', path, '--nodefaults', '--memory', '8M', '--kernel', other, '--until', '1000');
    writeFileSync(other, Buffer.concat([readFileSync(kernel), Buffer.of(0)]));
    expect(refusal('replay', path)).toMatch(/--kernel .*other\.bin has changed since the recording/);
    rmSync(other);
    expect(refusal('replay', path)).toMatch(/--kernel .*other\.bin: not there/);
  });

  it('diverges with exit code 3, and says where, what was expected and what was found', () => {
    const cursor = openLog(log);
    while (cursor.next() && !(cursor.icount > 100_000 && cursor.kind === 0));
    const at = cursor.offset;
    cursor.close();
    const path = copy('flipped.rr', {
      log: (bytes) => {
        bytes[at + 4]! ^= 1;
        return bytes;
      },
    });
    const result = summary('replay', path);
    expect(result).toMatchObject({ status: 3, stop: 'divergence' });
    expect(result.divergence).toEqual({ icount: expect.any(Number), expected: expect.any(String), found: expect.any(String) });
    const { status, stderr } = palindrome('replay', path);
    expect(status).toBe(3);
    expect(stderr).toContain(
      `DIVERGED at instruction ${result.divergence!.icount}: the log holds ${result.divergence!.expected}; the machine ${result.divergence!.found}`,
    );
  });

  it.each([
    ['empty', (_: Buffer) => Buffer.alloc(0)],
    ['cut off in its header', (b: Buffer) => b.subarray(0, 7)],
    ['cut off in the middle', (b: Buffer) => b.subarray(0, b.length >> 1)],
    ['garbage', (b: Buffer) => Buffer.alloc(b.length, 0x5a)],
    ['garbage behind its header', (b: Buffer) => Buffer.concat([b.subarray(0, 12), Buffer.alloc(5000, 0xff)])],
  ])('whose log is %s is refused', (name, change) => {
    expect(refusal('replay', copy(`${name}.rr`, { log: change }))).toContain(`${name}.rr`);
  });

  it.each(
    Object.entries({
      'not JSON': 'hello',
      'cut off': sidecar.slice(0, 300),
      null: 'null',
      'a list': '[]',
      'of another version': sidecar.replace('"palindrome": 1', '"palindrome": 2'),
      huge: ' '.repeat(2 << 20),
    }),
  )('whose LOG.json is %s is refused', (name, json) => {
    expect(refusal('replay', copy('bad-json.rr', { json }), '--json')).toContain('bad-json.rr.json');
    expect(name).not.toBe('');
  });
});
