// Oracle: manual (README: a recording comes before its checkpoints; what is left of one that cannot be written on replays up to its last whole event); the disk is a folder that may hold so many bytes
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { MAIN, palindrome, summary, temporaryFolder } from '../cli.js';
import { PATIENCE_MS } from '../tools.js';
import { guestOptions } from './guest.js';

const folder = temporaryFolder();
const guest = [...guestOptions(folder), '--serial', 'null'];
const END = '6000000';

/** A folder whose files get no longer than so many bytes together, for what is run with the options. */
function disk(name: string, bytes: number): { options: string[]; log: string; store: string } {
  const path = join(folder, name);
  mkdirSync(path);
  const module = join(folder, `${name}.mjs`);
  writeFileSync(
    module,
    `import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { writeSync, readdirSync, statSync, fstatSync } = fs;
const folder = ${JSON.stringify(path)};
const used = () => readdirSync(folder).reduce((sum, name) => sum + (statSync(folder + '/' + name, { throwIfNoEntry: false })?.size ?? 0), 0);
const isThere = (fd) => {
  const { ino } = fstatSync(fd);
  return readdirSync(folder).some((name) => statSync(folder + '/' + name, { throwIfNoEntry: false })?.ino === ino);
};
fs.writeSync = (fd, bytes, at = 0, length = bytes.length - at, position = null) => {
  if (typeof bytes === 'string' || position === null || !isThere(fd)) return writeSync(fd, bytes, at, length, position);
  const more = Math.max(0, position + length - fstatSync(fd).size);
  const room = ${bytes} - used();
  if (more > 0 && room <= 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  return writeSync(fd, bytes, at, Math.min(length, length - more + Math.max(0, room)), position);
};
syncBuiltinESMExports();
`,
  );
  const log = join(path, 'a.rr');
  return { options: ['--import', module], log, store: `${log}.checkpoints` };
}

function run(options: readonly string[], ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...options, MAIN, ...args], { encoding: 'utf8', timeout: PATIENCE_MS });
}

/** What `log stat` finds in the log is what it replays. */
function expectUsable(log: string, complete: boolean): void {
  const held = JSON.parse(palindrome('log', 'stat', log, '--json').stdout) as { complete: boolean; instructions: number };
  expect(held.complete).toBe(complete);
  const { status, stop, icount, divergence } = summary('replay', log);
  expect({ status, stop, icount, divergence }).toEqual({ status: 0, stop: 'end-of-log', icount: held.instructions, divergence: null });
}

/** Bytes that the recording takes with all the room in the world: log, LOG.json, checkpoints. */
const whole = { log: 0, json: 0, store: 0 };

beforeAll(() => {
  const log = join(folder, 'whole.rr');
  expect(summary('record', log, ...guest, '--until', END, '--checkpoint-every', '100k')).toMatchObject({ status: 0 });
  const [bytes, json, store] = ['', '.json', '.checkpoints'].map((end) => statSync(log + end).size);
  Object.assign(whole, { log: bytes, json, store });
});

describe('on a disk that gets full', () => {
  it.each([0.1, 0.5])('a recording goes on without its checkpoints, of which %f would fit', (share) => {
    const { options, log, store } = disk(`goes-on-${share}`, whole.log + 2 * whole.json + Math.floor(share * whole.store));
    const { status, stderr } = run(options, 'record', log, ...guest, '--until', END, '--checkpoint-every', '100k');
    expect(stderr).toMatch(/checkpoints {3}0 made \(0 bytes.*no more were made: .*(no space left on the device|the log needs its room)\n/);
    expect(status).toBe(0);
    expect(existsSync(store)).toBe(false);
    expectUsable(log, true);
  });

  it('a recording that has no room itself ends with one error, and what it has replays', () => {
    const { options, log, store } = disk('ends', whole.json + Math.floor(whole.log / 2));
    const { status, stdout, stderr } = run(options, 'record', log, ...guest, '--until', END, '--checkpoint-every', '100k');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^palindrome: [^\n]*a\.rr: writing the log failed \(no space left on the device\)[^\n]*\n$/);
    expect(existsSync(store)).toBe(false);
    expectUsable(log, false);
  });

  it.each([2000])('the checkpoints that a recording has stay when more do not fit (%i bytes of room)', (room) => {
    const { options, log, store } = disk(`add-${room}`, whole.log + whole.json + whole.store + room);
    for (const end of ['', '.json', '.checkpoints']) copyFileSync(join(folder, `whole.rr${end}`), log + end);
    const list = (): number[] => {
      const { checkpoints } = JSON.parse(palindrome('checkpoint', 'list', log, '--json').stdout) as { checkpoints: { icount: number }[] };
      return checkpoints.map(({ icount }) => icount);
    };
    const before = list();
    const { status, stdout, stderr } = run(options, 'checkpoint', 'add', log, '--every', '20k');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^palindrome: [^\n]*checkpoints: no space left on the device; the checkpoints made before stay\n$/);
    expect(list()).toEqual(expect.arrayContaining(before));
    expect(statSync(store).size - whole.store).toBeLessThanOrEqual(room);
    expect(palindrome('verify', log, '--workers', '1').status).toBe(0);
  });
});
