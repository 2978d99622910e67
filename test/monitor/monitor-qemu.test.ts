// Oracle: QEMU run (7.2.22): the same commands in both monitors say the same.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createQcow2 } from '../../src/block/qcow2/create.js';
import { RECORDINGS, temporaryFolder } from '../cli.js';
import { QEMU_PC, qemuRecordedOptions } from '../machines.js';
import { requireTool } from '../tools.js';
import { QmpProgram, type QmpReply } from './qmp-program.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const HERE = requireTool('qemu-system-i386', 'qemu-system-x86') && requireTool(BIOS, 'seabios');
const folder = temporaryFolder();
const MACHINE = [...QEMU_PC, '-m', '32', '-nodefaults', '-S', '-global', 'apic.vapic=off'];

const HUMAN = `
info status|info nonsense|info replay|info replay x|info registers|info registers -a|info registers 5|info registers -z|info name|info snapshots|info block|info qtree -x|info mtree -z
sendkey|sendkey nokey|sendkey a-nokey|sendkey 0xzz|sendkey a 100|sendkey a 100 5|sendkey ctrl-alt-f1|sendkey <|sendkey ""|sendkey "a"|sendkey 0x1e|sendkey -
mouse_move 1|mouse_move|mouse_move 1 2|mouse_move 1 2 3 4|mouse_move abc def|mouse_button|mouse_button 1|mouse_button xyz|mouse_button 0x100000000|mouse_button 0
screendump|screendump /nonexistent/x.ppm|screendump x.ppm extra|screendump x.gif -f gif
replay_break|replay_break 5|replay_break x|replay_seek|replay_seek x|replay_seek 5|replay_delete_break 1|replay_delete_break
savevm x y|savevm one|loadvm|loadvm nobody|delvm|delvm nobody
stop|stop x|cont x|system_reset x|system_powerdown x|quit now
x|x /q 0|x /3x|x /4xb 0x7c00+$zzz|x /4xb 0xfff0|x /2dh 0|x /1gx 0|x /2L 0|x /2ob 0|x /1u 0|xp/4xb 0xffff0|xp /8xb 0xffff0|xp /3xw 0xfffe0|xp /2xw 0x100000000|x/0x 0
p|print 1+|print 5|p/x 255|p/c 65|p/c 10|print 1/0|print 7%3|print 1 2|print (1|print 0x|p/x $eip|p/x $eflags|p/x $cs|p/x $cs.base|p/x $pc|p/x $edx|p/x $al|p/x $cr0|p/x 0x123456789
p/d 0x80000000|p -1|p/x -1|p/u -1|p/o 8|p 'A'|p ~0|p 2+3*4|p 6&3+1|p 010|p 0x10zz|p 99999999999999999999999|p $|p/i 5|p/d 'ab|p/d '
help stop|help info replay|help nonsense|? sendkey|help savevm|help loadvm|help delvm|help system_reset|help system_powerdown|help x|help info status|help info snapshots|help info qtree|nonsense 1 2
`;

const key = (data: object, type = 'qcode') => ({ execute: 'send-key', arguments: { keys: [{ type, ...data }] } });
const event = (type: string, data: object) => ({ execute: 'input-send-event', arguments: { events: [{ type, data }] } });
const REQUESTS: readonly (object | string)[] = [
  ...['query-status', 'query-name', 'query-uuid', 'query-target', 'query-replay', 'query-block', 'query-named-block-nodes'].map(
    (execute) => ({ execute }),
  ),
  ...['replay-break', 'replay-seek', 'screendump', 'human-monitor-command', 'send-key', 'input-send-event'].map((execute) => ({ execute })),
  ...['stop', 'replay-delete-break', 'nope', 'qmp_capabilities', ''].map((execute) => ({ execute })),
  ...[5, -5, 1.5, '5', null, [5]].map((icount) => ({ execute: 'replay-break', arguments: { icount } })),
  { execute: 'replay-break', arguments: { icount: 5, x: 1 } },
  { execute: 'replay-seek', arguments: { icount: 5 } },
  ...[
    key({ data: 'nokey' }),
    key({ data: 'a' }, 'x'),
    key({ data: 'a' }, 'number'),
    key({}),
    key({ data: 'a', z: 1 }),
    key({ data: 'a' }),
    key({ data: 30 }, 'number'),
  ],
  ...[[], [5], 'a', [{}], [[]]].map((keys) => ({ execute: 'send-key', arguments: { keys } })),
  ...[
    event('rel', { axis: 'z', value: 1 }),
    event('rel', { axis: 'x', value: 'a' }),
    event('rel', { axis: 'x' }),
    event('abs', { axis: 'x', value: 1 }),
  ],
  ...[
    event('btn', { button: 'q', down: true }),
    event('btn', { button: 'left' }),
    event('btn', { button: 'left', down: 1 }),
    event('foo', {}),
  ],
  event('key', { key: { type: 'qcode', data: 'a' }, down: true }),
  event('key', { key: { type: 'qcode', data: 'qq' }, down: true }),
  event('key', { key: 'a', down: true }),
  { execute: 'input-send-event', arguments: { events: [] } },
  { execute: 'input-send-event', arguments: { device: 'nobody', events: [] } },
  { execute: 'human-monitor-command', arguments: { 'command-line': 'info status', 'cpu-index': 3 } },
  { execute: 'screendump', arguments: { filename: '/nonexistent/a' } },
  { execute: 'screendump', arguments: { filename: 'x', format: 'gif' } },
  { execute: 'screendump', arguments: { filename: 'x', device: 'nobody' } },
  ...[
    { foo: 1 },
    { execute: 1 },
    {},
    { execute: 'stop', arguments: 5 },
    { execute: 'stop', arguments: { a: 1 } },
    { execute: 'stop', id: 7, x: 1 },
  ],
  ...[{ execute: 'query-name', id: { a: [1] } }, { execute: 'query-name', id: null }, '[1]'],
];

/** Two programs with one command line. */
async function both(...args: string[]): Promise<readonly [QmpProgram, QmpProgram]> {
  const pair = [QmpProgram.qemu(...args), QmpProgram.ours(...args)] as const;
  return [await pair[0].start(), await pair[1].start()];
}

async function sameHuman([qemu, ours]: readonly [QmpProgram, QmpProgram], lines: readonly string[]): Promise<void> {
  const said = async (p: QmpProgram): Promise<string[]> => {
    const all: string[] = [];
    for (const line of lines) all.push(`${line}\n${await p.human(line)}`);
    return all;
  };
  expect(await said(ours)).toEqual(await said(qemu));
}

describe.skipIf(!HERE)("the monitors say what QEMU's say", () => {
  it('to people', async () => {
    const pair = await both(...MACHINE, '-vga', 'std', '-bios', BIOS);
    await sameHuman(pair, HUMAN.trim().split(/[|\n]/));
  });

  it('to programs', async () => {
    const pair = await both(...MACHINE, '-vga', 'std', '-bios', BIOS);
    const answers = async (p: QmpProgram): Promise<[string, QmpReply][]> => {
      const all: [string, QmpReply][] = [];
      for (const request of REQUESTS) all.push([JSON.stringify(request), await p.ask(request)]);
      return all;
    };
    expect(await answers(pair[1])).toEqual(await answers(pair[0]));
  });

  it('of a machine that runs, stops, and is reset', async () => {
    const pair = await both(...MACHINE, '-bios', BIOS, '-name', 'guest');
    const story = async (p: QmpProgram): Promise<unknown[]> => {
      const told: unknown[] = [await p.qmp('query-name')];
      const act = async (execute: string, event: string | null, times = 1): Promise<void> => {
        await p.qmp(execute);
        if (event !== null) await p.event(event, times);
        told.push(execute, await p.qmp('query-status'), await p.human('info status'));
      };
      await act('system_powerdown', 'POWERDOWN');
      await act('cont', 'RESUME');
      await act('cont', null);
      await act('stop', 'STOP');
      await act('stop', null);
      await act('cont', 'RESUME', 2);
      await act('stop', 'STOP', 2);
      await act('system_reset', 'RESET');
      return [...told, p.events.map(({ event, data }) => ({ event, data }))];
    };
    expect(await story(pair[1])).toEqual(await story(pair[0]));
  });

  it('of a machine that ends, with the program or without it', async () => {
    // mov al,6; mov dx,0xcf9; out dx,al; jmp $: a reset, which is the end with -no-reboot
    const rom = Buffer.alloc(0x10000);
    rom.set([0xb0, 0x06, 0xba, 0xf9, 0x0c, 0xee, 0xeb, 0xfe], 0xff00);
    rom.set([0xea, 0x00, 0xff, 0x00, 0xf0], 0xfff0);
    const bios = join(folder, 'reset.bin');
    writeFileSync(bios, rom);
    const story = async (p: QmpProgram, stays: boolean): Promise<unknown[]> => {
      const told: unknown[] = [];
      await p.qmp('cont');
      if (!stays) told.push(await p.end());
      else {
        await p.event('STOP');
        told.push(await p.qmp('query-status'), await p.human('info status'), await p.ask({ execute: 'cont' }), await p.human('cont'));
        told.push(await p.qmp('query-status'));
      }
      return [...told, p.events.map(({ event, data }) => ({ event, data }))];
    };
    for (const more of [[], ['-no-shutdown']]) {
      const [qemu, ours] = await both(...MACHINE, '-bios', bios, '-no-reboot', ...more);
      expect(await story(ours, more.length > 0), more.join()).toEqual(await story(qemu, more.length > 0));
    }
  });

  it('of snapshots that are jobs, of drives, character devices and mice', async () => {
    const story = async (p: QmpProgram): Promise<unknown[]> => {
      const told: unknown[] = [];
      let done = 0;
      const job = async (kind: string, tag: string, devices: readonly string[], vmstate?: string): Promise<void> => {
        const id = `job${++done}`;
        const more = vmstate === undefined ? {} : { vmstate };
        told.push(await p.ask({ execute: `snapshot-${kind}`, arguments: { 'job-id': id, tag, devices, ...more } }));
        const over = (): boolean => p.events.some(({ data }) => JSON.stringify(data) === JSON.stringify({ status: 'concluded', id }));
        for (; !over(); await sleep(10)) await p.qmp('query-name');
      };
      await job('save', 'one', ['store'], 'store');
      await job('save', 'one', ['store'], 'store');
      await job('save', 'two', ['store'], 'nobody');
      await job('save', 'two', ['nobody'], 'store');
      await job('save', 'two', [], 'store');
      await job('load', 'one', ['store'], 'store');
      await job('load', 'three', ['store'], 'store');
      await job('delete', 'three', ['store']);
      await job('delete', 'one', ['store']);
      await job('load', 'one', ['store'], 'store');
      told.push(await p.qmp('query-jobs'));
      for (const [execute, id] of [
        ['job-dismiss', 'job1'],
        ['job-dismiss', 'job1'],
        ['job-cancel', 'job2'],
        ['job-pause', 'job2'],
        ['job-dismiss', 'nobody'],
      ] as const)
        told.push(await p.ask({ execute, arguments: { id } }));
      told.push(await p.ask({ execute: 'snapshot-delete', arguments: { 'job-id': '7', tag: 'a', devices: [] } }));
      told.push(await p.ask({ execute: 'snapshot-delete', arguments: { 'job-id': 'job2', tag: 'a', devices: [] } }));
      told.push(await p.ask({ execute: 'snapshot-save', arguments: { 'job-id': 'job2', tag: 'a', devices: ['store'] } }));
      told.push(p.events.map(({ event, data }) => ({ event, data })));
      const [block] = (await p.qmp('query-block')) as { device: string; inserted: Record<string, unknown> }[];
      const [node] = (await p.qmp('query-named-block-nodes')) as Record<string, unknown>[];
      told.push([block!.device, block!.inserted['node-name'], block!.inserted.drv, node!['node-name']]);
      const labels = (await p.qmp('query-chardev')) as { label: string; filename: string }[];
      told.push(labels.filter(({ label }) => !label.startsWith('#')).sort((a, b) => (a.label < b.label ? -1 : 1)));
      return [...told, await p.qmp('query-mice'), await p.human('info mice')];
    };
    const told = [];
    for (const start of [QmpProgram.qemu, QmpProgram.ours]) {
      const image = join(folder, `store${told.length}.qcow2`);
      createQcow2(image, { sizeBytes: 1 << 20 });
      const drive = ['-drive', `file=${image},if=none,id=rr,node-name=store`];
      const p = start(...MACHINE, '-bios', BIOS, ...drive, '-serial', 'null', '-debugcon', 'null');
      told.push(await story(await p.start()));
    }
    expect(told[1]).toEqual(told[0]);
  });

  it('of a machine that ran, and that a snapshot could not be loaded into', async () => {
    const story = async (p: QmpProgram): Promise<unknown[]> => {
      const told: unknown[] = [];
      const state = async (): Promise<unknown> => told.push(await p.qmp('query-status'), await p.human('info status'));
      await p.qmp('cont');
      told.push(await p.human('loadvm nobody'));
      await state();
      await p.human('savevm one');
      told.push(await p.human('loadvm one'));
      await state();
      await p.qmp('cont');
      await state();
      told.push(await p.human('loadvm one'));
      await state();
      await p.qmp('stop');
      told.push(await p.human('loadvm nobody'));
      await state();
      return [...told, p.events.map(({ event }) => event)];
    };
    const told = [];
    for (const start of [QmpProgram.qemu, QmpProgram.ours]) {
      const image = join(folder, `loaded${told.length}.qcow2`);
      createQcow2(image, { sizeBytes: 1 << 20 });
      const p = start(...MACHINE, '-bios', BIOS, '-drive', `file=${image},if=none,id=rr`);
      told.push(await story(await p.start()));
    }
    expect(told[1]).toEqual(told[0]);
  });

  it('of a recording and its replay', async () => {
    const rom = [...qemuRecordedOptions('t2'), '-debugcon', 'null'];
    const lines = 'info replay|info status|replay_break 300000000|replay_break 0|replay_delete_break|replay_delete_break|info replay'.split(
      '|',
    );
    const log = join(folder, 'q.rr');
    writeFileSync(log, '');
    const recording = [...rom, '-S', '-icount', `shift=7,rr=record,rrfile=${log}`];
    const qemu = await QmpProgram.qemu(...recording).start();
    const qemuSays = [await qemu.qmp('query-replay'), await qemu.human('info replay'), await qemu.human('replay_seek 1')];
    qemu.kill();
    const ours = await QmpProgram.ours(...recording).start();
    expect([await ours.qmp('query-replay'), await ours.human('info replay'), await ours.human('replay_seek 1')]).toEqual(qemuSays);
    expect(await ours.quit()).toBe(0);
    await sameHuman(await both(...rom, '-S', '-icount', `shift=7,rr=replay,rrfile=${join(RECORDINGS, 't2.rr')}`), lines);
  });
});
