// Oracle: manual (README: one process writes a store at a time; one that was killed holds nothing)
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { FileLock } from '../../src/block/file-lock.js';
import { temporaryFolder } from '../cli.js';
import { endWithTest } from '../processes.js';

const folder = temporaryFolder();
const file = join(folder, 'store');
const path = `${file}.lock`;
/** A process that was, and is no more. */
const { pid: ended } = spawnSync(process.execPath, ['-e', '']);

it('is held by one at a time, and leaves nothing behind', () => {
  const lock = FileLock.take(file)!;
  expect(() => FileLock.take(file)).toThrow(`${file} is being written by process ${process.pid}; try again when that is done`);
  expect(() => FileLock.take(file, 100)).toThrow('is being written by');
  lock.release();
  FileLock.take(file)!.release();
  expect(readdirSync(folder)).toEqual([]);
});

it.each([
  ['of a process that was killed', { pid: ended, began: null, host: hostname() }],
  ['of a process whose number another one has now', { pid: process.pid, began: '1', host: hostname() }],
  ['that says nothing', 'no JSON'],
  ['with numbers that are none', { pid: -1, began: null, host: hostname() }],
  ['that is too long for one', 'x'.repeat(5000)],
])('a lock %s does not block', (_, left) => {
  writeFileSync(path, typeof left === 'string' ? left : JSON.stringify(left));
  const lock = FileLock.take(file)!;
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  lock.release();
  expect(existsSync(path)).toBe(false);
});

it.skipIf(process.platform !== 'linux')('a lock of a process that ended, though nobody asked how, does not block', async () => {
  // What the shell becomes never asks after its child.
  const parent = endWithTest(spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600']));
  const [text] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString());
  const state = (): string => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]![0]!;
  while (state() !== 'Z') await sleep(5);
  writeFileSync(path, JSON.stringify({ pid, began: null, host: hostname() }));
  FileLock.take(file)!.release();
  expect(state()).toBe('Z');
});

it('a lock of another host is believed, with a word on how to get rid of it', () => {
  writeFileSync(path, JSON.stringify({ pid: 1, began: null, host: 'elsewhere.example' }));
  expect(() => FileLock.take(file)).toThrow(/by process 1 of elsewhere\.example; .* remove .*store\.lock/);
});

it('does not give up what another took over', () => {
  const other = join(folder, 'other');
  const lock = FileLock.take(other)!;
  writeFileSync(`${other}.lock`, 'not mine');
  lock.release();
  expect(readFileSync(`${other}.lock`, 'utf8')).toBe('not mine');
});

it('is none where no file can be made', () => {
  expect(FileLock.take(join(folder, 'no', 'folder', 'store'))).toBe(null);
  mkdirSync(join(folder, 'taken.lock'));
  expect(FileLock.take(join(folder, 'taken'))).toBe(null);
});
