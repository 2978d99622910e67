// Oracle: manual (README: a failed recording leaves an older one alone; a recording replays from any folder, and moved with its files)
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NewRecording } from '../../src/machine/new-recording.js';
import { readSidecar } from '../../src/machine/sidecar.js';
import { type CliResult, MAIN, palindrome, type Summary, summary, temporaryFolder } from '../cli.js';
import { demoGuest } from '../replay/scripted.js';
import { PATIENCE_MS } from '../tools.js';
import { guestOptions, refusal } from './guest.js';

const dir = temporaryFolder();
const guest = guestOptions(dir);
const UNTIL = '300000';

/** A folder of its own with the guest in it. */
function folder(name: string): string {
  const path = join(dir, name);
  mkdirSync(path);
  guestOptions(path);
  return path;
}

/** Names and contents of a folder's files. */
function contents(path: string): Record<string, string> {
  return Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'latin1')]));
}

function inFolder(cwd: string, ...args: string[]): CliResult {
  return spawnSync(process.execPath, [MAIN, ...args], { cwd, encoding: 'utf8', timeout: PATIENCE_MS });
}

/** Replays in a folder; the digest reached. */
function replayed(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = inFolder(cwd, 'replay', ...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as Summary).digest;
}

describe('a recording that cannot begin', () => {
  const old = folder('old');
  const log = join(old, 'a.rr');
  const serial = join(old, 'serial.txt');
  const good = ['--kernel', join(old, 'guest.bin'), '--memory', '8M', '--nodefaults', '--serial', `file:${serial}`];
  const junk = join(dir, 'junk.bin');
  writeFileSync(junk, Buffer.alloc(3_000_000, 0x90));
  summary('record', log, ...good, '--until', UNTIL);
  const before = contents(old);

  it.each([
    ['kernel', '--kernel', junk],
    ['firmware', '--bios', junk],
    ['display ROM', '--bios', junk, '--vgabios', junk],
    ['missing firmware', '--bios', join(dir, 'absent')],
    ['disk position', '--drive', `file=${junk},index=0`, '--drive', `file=${junk},index=0`],
    ['option', '--memory', 'much'],
  ])('for a wrong %s leaves the older one of its name, and what the older one wrote, alone', (_, ...wrong) => {
    refusal('record', log, ...(wrong[0] === '--kernel' ? good.slice(2) : good), ...wrong, '--until', UNTIL);
    expect(contents(old)).toEqual(before);
  });

  it('because LOG is a folder leaves LOG.json alone', () => {
    const path = join(old, 'folder.rr');
    mkdirSync(path);
    writeFileSync(`${path}.json`, 'mine');
    expect(refusal('record', path, ...guest, '--until', UNTIL)).toContain('folder.rr');
    expect(readFileSync(`${path}.json`, 'utf8')).toBe('mine');
    expect(readdirSync(old).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.each([
    ['its kernel', join(old, 'guest.bin')],
    ['its kernel by another name', join(dir, 'alias')],
    ['its serial output', serial],
  ])('because LOG is %s says so', (_, path) => {
    if (!existsSync(path)) symlinkSync(join(old, 'guest.bin'), path);
    const was = readFileSync(path);
    expect(refusal('record', path, ...good, '--until', UNTIL)).toMatch(/is also named by --(kernel|serial)/);
    expect(readFileSync(path)).toEqual(was);
  });
});

describe('a recording over an older one', () => {
  it('is as if the older had not been', () => {
    const at = folder('over');
    const log = join(at, 'a.rr');
    summary('record', log, ...guest, '--until', '2000000');
    const { digest, icount } = summary('record', log, ...guest, '--until', UNTIL);
    expect(summary('replay', log)).toMatchObject({ status: 0, digest, icount, stop: 'end-of-log' });
    expect(readdirSync(at).sort()).toEqual(['a.rr', 'a.rr.checkpoints', 'a.rr.json', 'guest.bin']);
  });

  it('touches nothing before it begins, and never leaves the old LOG.json beside the new log', () => {
    const at = folder('begin');
    const log = join(at, 'a.rr');
    writeFileSync(log, 'old log');
    writeFileSync(`${log}.json`, 'old json');
    const machine = demoGuest(at);
    const files = new NewRecording(log, { machine, inputs: [], logFormat: '5.2' });
    files.write(Uint8Array.of(1, 2, 3), 0);
    expect(contents(at)).toMatchObject({ 'a.rr': 'old log', 'a.rr.json': 'old json' });
    files.begin();
    expect(readFileSync(log)).toEqual(Buffer.of(1, 2, 3));
    expect(readSidecar(log)).toMatchObject({ machine, logFormat: '5.2' });
    files.write(Uint8Array.of(4), 3);
    files.close();
    expect(readFileSync(log)).toEqual(Buffer.of(1, 2, 3, 4));
  });
});

describe('a recording made with relative paths', () => {
  const home = folder('home');
  mkdirSync(join(home, 'logs'));
  writeFileSync(join(home, 'disk.img'), Buffer.alloc(4096, 7));
  writeFileSync(join(home, 'module.txt'), 'a module');
  const machine = [
    '--kernel',
    'guest.bin',
    '--initrd',
    'module.txt one two,disk.img',
    '--memory',
    '8M',
    '--nodefaults',
    '--drive',
    'file=disk.img',
  ];
  const log = join('logs', 'a.rr');
  const { digest } = JSON.parse(inFolder(home, 'record', log, ...machine, '--until', UNTIL, '--json').stdout) as Summary;

  it('replays from any folder', () => {
    expect(replayed(home, log)).toBe(digest);
    expect(replayed(dir, join(home, log))).toBe(digest);
    expect(replayed(join(home, 'logs'), 'a.rr')).toBe(digest);
  });

  it('replays where the folder with log and files was moved to, even when others lie where they were', () => {
    const moved = join(dir, 'moved');
    renameSync(home, moved);
    expect(replayed(dir, join(moved, log))).toBe(digest);
    mkdirSync(home);
    for (const name of ['guest.bin', 'disk.img', 'module.txt']) writeFileSync(join(home, name), 'other');
    expect(replayed(home, join(moved, log))).toBe(digest);
    rmSync(home, { recursive: true });
    renameSync(moved, home);
  });

  it('replays when only the log was moved', () => {
    const alone = join(dir, 'alone');
    mkdirSync(alone);
    for (const end of ['', '.json']) copyFileSync(join(home, log) + end, join(alone, `a.rr${end}`));
    expect(replayed(alone, 'a.rr')).toBe(digest);
  });

  it('replays with files that options name elsewhere, when their bytes are the same', () => {
    const gone = join(dir, 'gone', 'logs');
    mkdirSync(gone, { recursive: true });
    for (const end of ['', '.json']) copyFileSync(join(home, log) + end, join(gone, `a.rr${end}`));
    const kernel = join(dir, 'kernel-elsewhere');
    const kept = join(dir, 'kept');
    copyFileSync(join(home, 'guest.bin'), kernel);
    renameSync(home, kept);
    const message = refusal('replay', join(gone, 'a.rr'));
    expect(message).toMatch(/--kernel .*guest\.bin or .*guest\.bin: not there/);
    const files = ['--kernel', kernel, '--drive', `file=${join(kept, 'disk.img')}`];
    const initrd = [`${join(kept, 'module.txt')} one two`, join(kept, 'disk.img')].join(',');
    expect(replayed(dir, join(gone, 'a.rr'), ...files, '--initrd', initrd)).toBe(digest);
    expect(refusal('replay', join(gone, 'a.rr'), ...files, '--initrd', initrd.replace('two', 'three'))).toMatch(/--initrd gives .* says/);
    writeFileSync(kernel, 'other');
    expect(refusal('replay', join(gone, 'a.rr'), ...files, '--initrd', initrd)).toMatch(/--kernel gives .* says/);
    renameSync(kept, home);
  });

  it('is refused when one of them has changed, modules included', () => {
    writeFileSync(join(home, 'module.txt'), 'b module');
    expect(refusal('replay', join(home, log))).toMatch(/--initrd .*module\.txt has changed since the recording/);
  });

  it('is refused when its LOG.json has no hash of one of them', () => {
    const path = join(home, `${log}.json`);
    const sidecar = JSON.parse(readFileSync(path, 'utf8')) as { inputs: unknown[] };
    writeFileSync(path, JSON.stringify({ ...sidecar, inputs: sidecar.inputs.slice(1) }));
    expect(refusal('replay', join(home, log))).toMatch(/a\.rr\.json names --kernel guest\.bin without its SHA-256/);
    expect(relative(home, path)).toBe(join('logs', 'a.rr.json'));
    expect(palindrome('log', 'stat', join(home, log)).status).toBe(0);
  });
});
