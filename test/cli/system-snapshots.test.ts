import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createQcow2 } from '../../src/block/qcow2/create.js';
import { summary, temporaryFolder } from '../cli.js';
import { qemuDemoOptions } from '../machines.js';
import { QmpProgram } from '../monitor/qmp-program.js';

const folder = temporaryFolder();
const GUEST = qemuDemoOptions(folder);
const rr = (mode: string, log: string, more = ''): string[] => ['-icount', `shift=3,rr=${mode},rrfile=${join(folder, log)}${more}`];

const started = (...args: string[]): Promise<QmpProgram> => QmpProgram.ours(...GUEST, ...args).start();

/** Lets it run until it has executed so many instructions, and stops it. */
async function runTo(program: QmpProgram, icount: number): Promise<void> {
  await program.qmp('cont');
  while ((await program.icount()) < icount) await sleep(1);
  await program.qmp('stop');
}

/** The names and instruction counts that a monitor lists. */
async function listed(program: QmpProgram): Promise<string[][]> {
  return (await program.human('info snapshots'))
    .split('\r\n')
    .slice(2, -1)
    .map((line) => [line.split(/\s+/)[1]!, line.split(/\s+/).at(-1)!]);
}

const STORE = join(folder, 'empty.qcow2');
const DRIVE = ['-drive', `file=${STORE},if=none,id=rr`];
/** One story: recorded first, replayed in the tests. */
const recorded = await record();

async function record() {
  createQcow2(STORE, { sizeBytes: 1 << 20 });
  const program = await started(...DRIVE, ...rr('record', 'a.rr', ',rrsnapshot=init'), '-S');
  await runTo(program, 300_000);
  await program.human('savevm mid');
  const mid = { icount: await program.icount(), registers: await program.human('info registers') };
  expect(await program.human('loadvm mid')).toMatch(/^Error: a snapshot cannot be loaded while the machine is recorded/);
  await runTo(program, mid.icount + 100_000);
  await program.qmp('system_reset');
  await program.human('sendkey a');
  await runTo(program, mid.icount + 500_000);
  await program.human('savevm late');
  const late = { icount: await program.icount(), registers: await program.human('info registers') };
  const snapshots = await listed(program);
  expect(await program.quit()).toBe(0);
  return { mid, late, snapshots };
}

describe('a recording with snapshots, a reset, and keys', () => {
  it('replays to its digest', () => {
    expect(summary('replay', join(folder, 'a.rr'))).toMatchObject({ status: 0, divergence: null });
    expect(recorded.snapshots).toEqual([
      ['init', '0'],
      ['mid', String(recorded.mid.icount)],
      ['late', String(recorded.late.icount)],
    ]);
  });

  it('is gone about in by loading them, by seeking, and step by step', async () => {
    const { mid, late } = recorded;
    const program = await started(...DRIVE, ...rr('replay', 'a.rr', ',rrsnapshot=init'), '-S');
    expect(await program.icount()).toBe(0);
    expect(await listed(program)).toEqual(recorded.snapshots);
    for (const [name, there] of [
      ['late', late],
      ['mid', mid],
    ] as const) {
      expect(await program.human(`loadvm ${name}`)).toBe('');
      expect([await program.icount(), await program.human('info registers')]).toEqual([there.icount, there.registers]);
    }
    await program.human('reverse_step');
    await program.event('STOP');
    const before = await program.human('info registers');
    expect(before).not.toBe(mid.registers);
    await program.human('replay_seek 1000');
    await program.event('STOP', 2);
    await program.human(`replay_seek ${mid.icount - 1}`);
    await program.event('STOP', 3);
    expect(await program.icount()).toBe(mid.icount - 1);
    await program.human('delvm mid');
    expect(await program.human('loadvm mid')).toBe("Error: Snapshot 'mid' does not exist in one or more devices\r\n");
    await program.human('savevm again');
    expect((await listed(program)).map(([name]) => name)).toEqual(['init', 'late', 'again']);
    await program.human('delvm again');
    expect(await program.human('replay_events -e')).toMatch(/ASYNC_INPUT key a down/);
    expect(await program.human('replay_events 0 0')).toMatch(/CP_INIT/);
    expect(await program.human('sendkey a')).toBe('a replay takes no input\r\n');
    expect(await program.quit()).toBe(0);
  });

  it('begins where rrsnapshot= says, and goes live there', async () => {
    const { late } = recorded;
    const program = await started(...DRIVE, ...rr('replay', 'a.rr', ',rrsnapshot=late'), '-S');
    expect([await program.icount(), await program.human('info registers')]).toEqual([late.icount, late.registers]);
    expect(await program.human('go_live')).toBe('');
    expect(await program.human('info replay')).toBe('Record/replay is not active\r\n');
    expect(await program.human('info registers')).toBe(late.registers);
    await runTo(program, late.icount + 300_000);
    expect(await program.human('sendkey a')).toBe('');
    expect(await program.human('reverse_step')).toMatch(/replay must be enabled/);
    expect(await program.quit()).toBe(0);
  });
});

it('a machine that is not recorded keeps snapshots in an unused image, and goes back to them', async () => {
  const store = join(folder, 'other.qcow2');
  createQcow2(store, { sizeBytes: 1 << 20 });
  const program = await started('-drive', `file=${store},if=none,id=vm`, '-S');
  await runTo(program, 200_000);
  const registers = await program.human('info registers');
  const icount = await program.icount();
  expect(await program.human('savevm here')).toBe('');
  await runTo(program, icount + 200_000);
  expect(await program.human('loadvm here')).toBe('');
  expect([await program.icount(), await program.human('info registers')]).toEqual([icount, registers]);
  await runTo(program, icount + 300_000);
  const drives = (await program.qmp('query-block')) as { device: string; inserted: { file: string } }[];
  expect(drives.map(({ device, inserted }) => [device, inserted.file])).toEqual([['vm', store]]);
  expect(await program.human('info qtree')).toMatch(/440FX host bridge[\s\S]*PIIX3 ISA bridge[\s\S]*8254 interval timer/);
  expect(await program.human('info mtree')).toMatch(
    /0000000000000000-00000000000bffff: ram @00000000[\s\S]*0000000000000040-0000000000000043: pit/,
  );
  expect(await program.quit()).toBe(0);
  const replay = await started(...DRIVE.map((d) => d.replace(STORE, store)), ...rr('replay', 'a.rr'), '-S');
  expect(await replay.human('loadvm here')).toMatch(/^Error: .* belongs to no recording, unlike this machine/);
  expect(await replay.icount()).toBe(0);
  replay.kill();
});
