// Oracle: self-consistency (a place reached from a checkpoint is the one reached from the start)
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { palindrome, summary, temporaryFolder } from '../cli.js';
import { demoGuest, record } from '../replay/scripted.js';
import { guestOptions, refusal } from './guest.js';

interface Listed {
  readonly checkpoints: readonly { readonly icount: number; readonly timeNs: number; readonly events: number; readonly digest: string }[];
  readonly bytes: number;
  readonly damages: readonly string[];
}

const END = 6_000_000;
const folder = temporaryFolder();
const log = join(folder, 'boot.rr');
const store = `${log}.checkpoints`;

function list(path = log): Listed {
  return JSON.parse(palindrome('checkpoint', 'list', path, '--digests', '--json').stdout) as Listed;
}

/** The recording in a folder of its own. */
function copyOf(name: string): string {
  const to = join(folder, name);
  mkdirSync(to);
  for (const end of ['', '.json', '.checkpoints']) cpSync(log + end, join(to, `boot.rr${end}`));
  return join(to, 'boot.rr');
}

/** A replay to an instruction says the same as one from the start; gives where it came from. */
function reaches(path: string, until: number): number {
  const seek = summary('replay', path, '--until', String(until)) as ReturnType<typeof summary> & { startedAt: number };
  const plain = summary('replay', path, '--until', String(until), '--from-start');
  expect([seek.icount, seek.digest, seek.events, seek.stop]).toEqual([plain.icount, plain.digest, plain.events, plain.stop]);
  return seek.startedAt;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

beforeAll(() => {
  const { status } = summary('record', log, ...guestOptions(folder), '--until', String(END), '--checkpoint-every', '500k');
  expect(status).toBe(0);
});

describe('checkpoints of a recording', () => {
  it('are made on the way, with the digest that a replay has there', () => {
    const { checkpoints, damages } = list();
    expect(damages).toEqual([]);
    expect(checkpoints.length).toBeGreaterThan(7);
    expect(checkpoints[0]!.icount).toBe(0);
    // A recording's may stand before the last event that is due at its instruction: then `--until` goes on to behind that.
    const replayed = checkpoints.slice(5, 8).map((c) => [c, summary('replay', log, '--until', String(c.icount), '--from-start')] as const);
    const same = replayed.filter(([c, there]) => c.events === there.events);
    expect(same.length).toBeGreaterThan(0);
    for (const [c, there] of same) expect(there.digest).toBe(c.digest);
  });

  it('are made some million instructions apart, unless one says otherwise', () => {
    const bios = Buffer.alloc(65_536);
    bios.set([0xeb, 0xfe], 0xfff0); // jmp $
    writeFileSync(join(folder, 'loop.bin'), bios);
    const path = join(folder, 'default.rr');
    summary('record', path, '--bios', join(folder, 'loop.bin'), '--memory', '8M', '--nodefaults', '--until', '200000000');
    const icounts = list(path).checkpoints.map(({ icount }) => icount);
    expect(icounts.length).toBeGreaterThan(1);
    for (let k = 1; k < icounts.length; k++) expect(icounts[k]! - icounts[k - 1]!).toBeGreaterThanOrEqual(12e6);
  });

  it('are made each second of guest time when one says so', () => {
    const path = join(folder, 'seconds.rr');
    // 1,024 ns an instruction.
    summary('record', path, ...guestOptions(folder), '--icount', 'shift=10', '--until', '4000000', '--checkpoint-every', '1s');
    const seconds = list(path).checkpoints.map(({ timeNs }) => timeNs / 1e9);
    expect(seconds.length).toBeGreaterThan(2);
    expect(seconds[0]).toBe(0);
    for (let k = 1; k < seconds.length; k++) expect(seconds[k]! - seconds[k - 1]!).toBeGreaterThanOrEqual(1);
    expect(seconds.length).toBeLessThanOrEqual(seconds.at(-1)! + 1);
  });

  it('are where a replay to an instruction starts', () => {
    expect(reaches(log, 5_500_123)).toBeGreaterThan(4_000_000);
  });

  it('go with the recording to another folder', () => {
    expect(reaches(copyOf('moved'), 5_300_000)).toBeGreaterThan(4_000_000);
  });

  it('are not made when switched off, and those of an older recording go', () => {
    const other = join(folder, 'other.rr');
    writeFileSync(`${other}.checkpoints`, 'old');
    summary('record', other, ...guestOptions(folder), '--until', '300000', '--checkpoint-every', 'off');
    expect(existsSync(`${other}.checkpoints`)).toBe(false);
    expect(palindrome('checkpoint', 'list', other).stdout).toContain('there is none');
  });

  it('can be added afterwards; those that are there stay', () => {
    const path = copyOf('added');
    const before = list(path).checkpoints;
    expect(palindrome('checkpoint', 'add', path, '--every', '250k', '--until', '2000000').status).toBe(0);
    const after = list(path).checkpoints;
    expect(after.length).toBeGreaterThan(before.length + 2);
    for (const c of before) expect(after).toContainEqual(c);
    const { bytes } = list(path);
    expect(palindrome('checkpoint', 'add', path, '--every', '250k', '--until', '2000000').status).toBe(0);
    expect(list(path).bytes).toBe(bytes);
    rmSync(`${path}.checkpoints`);
    expect(palindrome('checkpoint', 'add', path, '--every', '1M', '--until', '4000000').status).toBe(0);
    expect(list(path).checkpoints.length).toBe(4);
  });
});

describe('a store of checkpoints that is not whole', () => {
  it('is used up to where it was cut off', () => {
    const path = copyOf('cut');
    truncateSync(`${path}.checkpoints`, Math.floor(statSync(store).size * 0.7));
    const { checkpoints, damages } = list(path);
    expect(checkpoints.length).toBeGreaterThan(3);
    expect(damages.join()).toContain('no whole record');
    reaches(path, 5_500_000);
    expect(palindrome('checkpoint', 'add', path, '--every', '500k').status).toBe(0);
    expect(list(path).damages).toEqual([]);
  });

  it('costs speed, not the replay, wherever a bit is wrong', () => {
    const path = copyOf('flipped');
    const { size } = statSync(store);
    const { digest } = summary('replay', log, '--until', '5000000', '--from-start');
    for (const at of [40, Math.floor(size / 3), size - 20]) {
      cpSync(store, `${path}.checkpoints`);
      flip(`${path}.checkpoints`, at);
      expect([at, summary('replay', path, '--until', '5000000').digest]).toEqual([at, digest]);
    }
  });

  it('is refused with a sentence when it belongs to another recording', () => {
    const path = copyOf('foreign');
    const other = record(join(folder, 'scripted.rr'), demoGuest(folder), '5.2', 400_000);
    cpSync(other.log, path);
    rmSync(`${path}.json`);
    const machine = [
      '--memory',
      '8M',
      '--nodefaults',
      '--serial',
      'null',
      ...guestOptions(folder).slice(0, 2),
      '--device',
      'isa-debug-exit,iobase=0xf4,iosize=1',
    ];
    expect(refusal('checkpoint', 'list', path, ...machine)).toContain('belongs to another recording');
    expect(refusal('checkpoint', 'add', path, '--until', '300000', ...machine)).toContain('belongs to another recording');
    writeFileSync(`${path}.checkpoints`, Buffer.alloc(1000, 0x41));
    expect(refusal('checkpoint', 'list', path, ...machine)).toContain('is not a store of checkpoints');
  });
});

describe('--checkpoint-every', () => {
  it.each(['12parsecs', '5'])('refuses %j', (text) => {
    expect(refusal('record', join(folder, 'no.rr'), ...guestOptions(folder), '--until', '1000', `--checkpoint-every=${text}`)).toContain(
      '--checkpoint-every',
    );
  });
});
