// Oracle: self-consistency (a replay from a snapshot ends as the recording did; damaged and foreign snapshots are refused).
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { restoreMachine, saveMachine } from '../../src/machine/saved-machine.js';
import { decodeVmState, encodeVmState } from '../../src/machine/vm-state.js';
import { guestOptions, refusal } from '../cli/guest.js';
import { palindrome, type Summary, summary, temporaryFolder } from '../cli.js';
import { demoGuest, record } from '../replay/scripted.js';
import { Replaying } from './replaying.js';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const log = at('a.rr');

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly icount: number;
}

function list(of: string): Listed[] {
  const { stdout } = palindrome('snapshot', 'list', of, '--json');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Listed);
}

describe('snapshots of a recording', () => {
  let recorded: Summary;

  it('are taken when it begins, and where one asks for them', () => {
    recorded = summary('record', log, ...guestOptions(folder), '--icount', 'shift=4,rrsnapshot=start', '--until', '1500000');
    expect(existsSync(`${log}.qcow2`)).toBe(true);
    expect(palindrome('snapshot', 'create', log, 'late', '--at', '1,234,567').stdout).toContain('snapshot late at instruction 1234567');
    expect(list(log)).toMatchObject([
      { id: '1', name: 'start', icount: 0 },
      { id: '2', name: 'late', icount: 1_234_567 },
    ]);
    expect(palindrome('snapshot', 'list', log).stdout).toMatch(/^ID {8}TAG .* ICOUNT\n1 .* 0\n2 .* 1234567\n$/);
  });

  it.each(['start', 'late', '2'])('are where a replay may begin: %s', (name) => {
    for (const jit of ['off', 'force']) {
      const { icount, digest, events, divergence } = summary('replay', log, '--icount', `rrsnapshot=${name}`, '--jit', jit);
      expect({ icount, digest, events, divergence }).toEqual({
        icount: recorded.icount,
        digest: recorded.digest,
        events: recorded.events,
        divergence: null,
      });
    }
  });

  it('of the same name replace one another, and can be taken from one another', () => {
    expect(palindrome('snapshot', 'create', log, 'late', '--at', '1400000', '--icount', 'rrsnapshot=late').status).toBe(0);
    expect(list(log).map(({ name, icount }) => [name, icount])).toEqual([
      ['start', 0],
      ['late', 1_400_000],
    ]);
    expect(refusal('snapshot', 'create', log, 'late', '--at', '1300000', '--icount', 'rrsnapshot=late')).toContain(
      'begins at instruction 1400000',
    );
  });

  it('go with the folder of the recording', () => {
    mkdirSync(at('elsewhere'));
    for (const name of ['a.rr', 'a.rr.json', 'a.rr.qcow2', 'guest.bin']) copyFileSync(at(name), at(`elsewhere/${name}`));
    expect(list(at('elsewhere/a.rr'))).toHaveLength(2);
    expect(summary('replay', at('elsewhere/a.rr'), '--icount', 'rrsnapshot=late').digest).toBe(recorded.digest);
  });

  it('can be forgotten', () => {
    expect(palindrome('snapshot', 'delete', log, 'late').status).toBe(0);
    expect(list(log).map(({ name }) => name)).toEqual(['start']);
    expect(refusal('snapshot', 'delete', log, 'late')).toContain('has no snapshot late');
    expect(refusal('replay', log, '--icount', 'rrsnapshot=late')).toContain('has no snapshot late');
  });

  it('of a cut-off recording serve it as far as it goes', () => {
    const cut = at('cut.rr');
    const bytes = readFileSync(log);
    bytes.fill(0, 0, 4);
    writeFileSync(cut, bytes.subarray(0, bytes.length - 40));
    cpSync(`${log}.json`, `${cut}.json`);
    cpSync(`${log}.qcow2`, `${cut}.qcow2`);
    expect(palindrome('snapshot', 'create', cut, 'x', '--at', '1000000').stderr).toBe('');
    expect(summary('replay', cut, '--icount', 'rrsnapshot=x', '--until', '1100000')).toMatchObject({ icount: 1_100_000, divergence: null });
  });

  it('are not taken where they could do harm', () => {
    const at9 = ['--at', '9'];
    expect(refusal('snapshot', 'create', log, '', ...at9)).toContain('1 to 255 bytes');
    expect(refusal('snapshot', 'create', log, 'n', ...at9, '--store', log)).toContain('the recording needs it as it is');
    expect(refusal('snapshot', 'create', log, 'n', ...at9, '--store', at('guest.bin'))).toContain('the recording needs it as it is');
    writeFileSync(at('mine'), 'not an image, and dear to me');
    expect(refusal('snapshot', 'create', log, 'n', ...at9, '--store', at('mine'))).toContain('mine');
    expect(readFileSync(at('mine'), 'utf8')).toBe('not an image, and dear to me');
    const sidecar = JSON.parse(readFileSync(`${log}.json`, 'utf8')) as object;
    const stranger = at('elsewhere/a.rr');
    cpSync(`${log}.qcow2`, at('victim.qcow2'));
    writeFileSync(`${stranger}.json`, JSON.stringify({ ...sidecar, snapshots: '../victim.qcow2' }));
    for (const [command, ...more] of [['create', ...at9], ['delete']])
      expect(refusal('snapshot', command!, stranger, 'start', ...more)).toContain('outside its folder');
  });

  it('of another recording are refused, and so are those that were changed', () => {
    const other = at('other.rr');
    summary('record', other, ...guestOptions(folder), '--until', '1000');
    cpSync(`${log}.qcow2`, `${other}.qcow2`);
    expect(refusal('replay', other, '--icount', 'rrsnapshot=start')).toContain('belongs to another recording');
    const bytes = readFileSync(`${log}.qcow2`);
    const head = bytes.indexOf('palstate');
    bytes[head + 200]! ^= 1;
    writeFileSync(at('bad.qcow2'), bytes);
    const drive = ['--drive', `file=${at('bad.qcow2')},if=none,id=rr`];
    expect(refusal('replay', log, '--icount', 'rrsnapshot=start', ...drive)).toContain('is damaged');
  });
});

describe('the state in a snapshot', () => {
  const config = demoGuest(folder);
  const { log: small } = record(at('small.rr'), config, '7.2', 1_000_000);
  const replayed = { log: small, config, format: '7.2', strict: true } as const;
  const replaying = new Replaying(replayed, 'off');
  replaying.run(700_001);
  const good = encodeVmState(saveMachine(replaying.machine, replaying.session), replaying.machine, small);

  it('is a machine’s, whole', () => {
    const other = new Replaying(replayed, 'off');
    const { saved, areas } = decodeVmState(good, other.machine, small, 'it');
    restoreMachine(other.machine, other.session, saved, areas);
    expect(other.digest()).toEqual(replaying.digest());
    other.close();
  });

  it('is refused in one sentence or used, whatever of it is changed', () => {
    const other = new Replaying(replayed, 'off');
    let refused = 0;
    for (let seed = 0, state = 77; seed < 300; seed++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const bytes = Buffer.from(good);
      bytes[80 + ((state >>> 4) % (bytes.length - 80))] = state >>> 24;
      const cut = seed % 4 === 0 ? bytes.subarray(0, 80 + ((state >>> 8) % (bytes.length - 80))) : bytes;
      createHash('sha256').update(cut.subarray(80)).digest().copy(cut, 48);
      try {
        const { saved, areas } = decodeVmState(cut, other.machine, small, 'it');
        restoreMachine(other.machine, other.session, saved, areas);
      } catch (e) {
        expect(e).toBeInstanceOf(UserError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
    other.close();
    replaying.close();
  });
});
