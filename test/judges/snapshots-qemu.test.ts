// Oracle: QEMU run (7.2.22): qemu-img lists and checks the images that take our snapshots; QEMU's savevm makes others
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { SnapshotStore } from '../../src/machine/snapshot-store.js';
import { guestOptions, refusal } from '../cli/guest.js';
import { MAIN, palindrome, summary, temporaryFolder } from '../cli.js';
import { QEMU_PC } from '../machines.js';
import { endWithTest } from '../processes.js';
import { requireTool } from '../tools.js';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const log = at('a.rr');
const store = at('rr.qcow2');
const DRIVE = ['--drive', `file=${store},if=none,id=rr`];

const img = (...args: string[]): string => execFileSync('qemu-img', args, { encoding: 'utf8' });

/** Status of qemu-img check: 0 nothing wrong, 2 damage, 3 lost clusters only. */
const check = (image: string): number | null => spawnSync('qemu-img', ['check', '-f', 'qcow2', image]).status;

/** What qemu-img lists must be what we list. */
function expectSameList(image: string): void {
  const ours = palindrome('snapshot', 'list', log, '--store', image).stdout;
  expect(img('snapshot', '-l', image)).toBe(`Snapshot list:\n${ours}`);
}

const absent = !requireTool('qemu-img', 'qemu-utils') || !requireTool('qemu-system-i386', 'qemu-system-x86');

describe.skipIf(absent)('an image that takes our snapshots', () => {
  it('is one that qemu-img made, and lists with their instruction counts', () => {
    img('create', '-q', '-f', 'qcow2', store, '1M');
    const { digest } = summary(
      'record',
      log,
      ...guestOptions(folder),
      ...DRIVE,
      '--icount',
      'shift=3,rrsnapshot=init',
      '--until',
      '1500000',
    );
    for (const where of ['1', '777777', '1500000'])
      expect(palindrome('snapshot', 'create', log, `at ${where}`, '--at', where).stderr).toBe('');
    expectSameList(store);
    expect(img('snapshot', '-l', store)).toMatch(/at 777777 .* 777777\n/);
    expect(check(store)).toBe(0);
    expect(summary('replay', log, ...DRIVE, '--icount', 'shift=3,rrsnapshot=at 777777')).toMatchObject({ digest, status: 0 });
    img('snapshot', '-d', 'at 777777', store);
    expectSameList(store);
    expect(palindrome('snapshot', 'delete', log, 'init').status).toBe(0);
    expectSameList(store);
    expect(check(store)).toBe(0);
  });

  it('may hold QEMU’s, which are listed, kept, and not loaded', async () => {
    const theirs = at('theirs.qcow2');
    img('create', '-q', '-f', 'qcow2', theirs, '1M');
    const args = [...QEMU_PC, '-m', '8', '-nodefaults', '-S', '-icount', 'shift=3'];
    const qemu = endWithTest(spawn('qemu-system-i386', [...args, '-drive', `file=${theirs},if=none,id=rr`, '-monitor', 'stdio']));
    qemu.stdout.resume();
    qemu.stdin.end('savevm first\nsavevm second\nquit\n');
    await once(qemu, 'exit');
    expectSameList(theirs);
    expect(refusal('replay', log, '--drive', `file=${theirs},if=none,id=rr`, '--icount', 'rrsnapshot=first')).toContain(
      'no machine state of palindrome',
    );
    expect(palindrome('snapshot', 'create', log, 'ours', '--at', '1000', '--store', theirs)).toMatchObject({ status: 0, stderr: '' });
    expectSameList(theirs);
    expect(check(theirs)).toBe(0);
  });

  it('is whole when the command is killed while it takes one, and so are the others in it', async () => {
    const sizes = new Set<number>();
    for (let turn = 0; turn < 6; turn++) {
      const before = statSync(store).mtimeMs;
      const words = ['snapshot', 'create', log, `killed ${turn}`, '--at', '1400000'];
      const child = endWithTest(spawn(process.execPath, [MAIN, ...words], { stdio: 'ignore' }));
      const ended = once(child, 'exit');
      while (child.exitCode === null && statSync(store).mtimeMs === before) await sleep(1);
      if (turn > 0) await sleep(2 * turn);
      child.kill('SIGKILL');
      await ended;
      sizes.add(statSync(store).size);
      expect([0, 3]).toContain(check(store));
      expectSameList(store);
    }
    const names = new SnapshotStore(store).list().map(({ name }) => name);
    for (const name of [names[0]!, names.at(-1)!]) {
      const { status, divergence } = summary('replay', log, ...DRIVE, '--icount', `rrsnapshot=${name}`);
      expect({ name, status, divergence }).toEqual({ name, status: 0, divergence: null });
    }
    expect(palindrome('snapshot', 'create', log, 'after', '--at', '1300000')).toMatchObject({ status: 0, stderr: '' });
    expect([0, 3]).toContain(check(store));
  });

  it('may be a stranger’s: what is wrong with it is said, or it is used', () => {
    const bytes = readFileSync(store);
    let refused = 0;
    for (let seed = 0, state = 5; seed < 150; seed++) {
      const changed = Buffer.from(bytes);
      for (let n = 0; n < 4; n++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        // Mostly in the header and the tables behind it.
        changed[((state >>> 8) % (seed % 2 === 0 ? 128 : 1 << 19)) % bytes.length] = state >>> 16;
      }
      writeFileSync(at('odd.qcow2'), seed % 5 === 0 ? changed.subarray(0, state % bytes.length) : changed);
      const odd = new SnapshotStore(at('odd.qcow2'));
      for (const use of [() => odd.list(), () => odd.delete('at 1')])
        try {
          use();
        } catch (e) {
          expect(e).toBeInstanceOf(UserError);
          refused++;
        }
    }
    expect(refused).toBeGreaterThan(30);
    copyFileSync(at('guest.bin'), at('odd.qcow2'));
    expect(refusal('snapshot', 'list', log, '--store', at('odd.qcow2'))).toContain('odd.qcow2');
  });
});
