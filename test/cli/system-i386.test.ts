// Oracle: QEMU run (7.2.22) and its manual page: which options it takes, in which spelling; the rest is self-consistency.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseQemuOptions } from '../../src/cli/system/qemu-options.js';
import { summary, temporaryFolder } from '../cli.js';
import { qemuRecordedOptions } from '../machines.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { endWithTest } from '../processes.js';
import { dial } from '../sockets.js';
import { PATIENCE_MS } from '../tools.js';

const folder = temporaryFolder();
const MACHINE = qemuRecordedOptions('t2');

describe('options in the spelling of QEMU', () => {
  it('name the machine, its debugger and its monitors', () => {
    const chardevs = [
      '-chardev',
      'socket,id=mon,path=/tmp/m.sock',
      '-mon',
      'chardev=mon,mode=control',
      '-chardev',
      'file,id=s,path=out.txt',
    ];
    const line = parseQemuOptions([
      ...[
        ...MACHINE,
        '-vga',
        'none',
        '-serial',
        'chardev:s',
        '-serial',
        'null',
        ...chardevs,
        '-s',
        '-S',
        '-qmp',
        'tcp::4444,server=on,wait=off',
      ],
      ...['-monitor', 'none', '-smp', '1', '--icount', 'shift=7,rr=record,rrfile=a,,b.rr'],
    ]);
    expect(line).toMatchObject({ mode: 'record', log: 'a,b.rr', stopped: true, stays: false });
    expect(line.machine).toMatchObject({ memory: '16', cpu: 'max', vga: 'none', icount: 'shift=7', noReboot: true, net: ['none'] });
    expect(line.machine.serial).toEqual(['file:out.txt', 'null']);
    expect(line.services).toMatchObject([
      { kind: 'monitor', mode: 'control', where: { server: false, address: { kind: 'unix', path: '/tmp/m.sock' } } },
      { kind: 'gdb', where: { address: { host: '127.0.0.1', port: 1234 } } },
      { kind: 'monitor', mode: 'control', where: { server: true, wait: false, address: { host: '127.0.0.1', port: 4444 } } },
    ]);
  });

  it('are refused by name when we do not have them, never ignored', () => {
    const refusals: Record<string, string[]> = {
      '-smp 2': ['-smp', '2'],
      '-display gtk': ['-display', 'gtk'],
      '-vga cirrus': ['-vga', 'cirrus'],
      rrsnapshot: ['-icount', 'shift=3,rrsnapshot=init'],
      rrfile: ['-icount', 'shift=3,rr=record'],
      'Invalid icount rr option: x': ['-icount', 'shift=3,rr=x,rrfile=y'],
      'Please enable icount to use record/replay': ['-icount', 'rr=record,rrfile=y'],
      "not supported for 'smp'": ['-icount', 'shift=3,rr=record,rrfile=y', '-smp', '2'],
      "not supported for '-snapshot'": ['-icount', 'shift=3,rr=record,rrfile=y', '-snapshot'],
      "not supported for '-rtc base=localtime'": ['-icount', 'shift=3,rr=record,rrfile=y', '-rtc', 'base=localtime'],
      'needs a value': ['-m'],
      '-global PIIX4_PM.disable_s3=1': ['-global', 'PIIX4_PM.disable_s3=1'],
      'mux=on': ['-chardev', 'socket,id=a,path=b,mux=on'],
      'must be on or off': ['-chardev', 'socket,id=a,path=b,server=maybe'],
      'port from 0 to 65535': ['-serial', 'tcp:localhost:99999'],
      '"reconnect"': ['-chardev', 'socket,id=a,path=b,reconnect=1'],
      'there is no such -chardev': ['-serial', 'chardev:nobody'],
      'stdio by multiple': ['-serial', 'stdio', '-monitor', 'stdio'],
      '-serial none': ['-serial', 'none', '-serial', 'null'],
      chardev: ['-mon', 'chardev=nobody'],
    };
    for (const [named, argv] of Object.entries(refusals)) expect(() => parseQemuOptions(argv), named).toThrow(named);
  });
});

/** Sends commands of QMP, and gives what is said until that satisfies `done`. */
function qmp(socket: Socket, commands: readonly object[], done: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('error', reject).on('close', () => resolve(text));
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (done.test(text)) socket.destroy();
    });
    for (const command of commands) socket.write(JSON.stringify(command));
  });
}

it('a machine is recorded, driven through QMP, and replayed to the same end', async () => {
  const log = join(folder, 'system.rr');
  const socket = join(folder, 'qmp.sock');
  writeFileSync(join(folder, 'out.txt'), '');
  const machine = [SYSTEM, ...MACHINE, '-debugcon', 'null'];
  const options = ['-S', '-qmp', `unix:${socket},server=on,wait=off`, '-icount', `shift=7,rr=record,rrfile=${log}`];
  const program = endWithTest(spawn(process.execPath, [...machine, ...options], { stdio: 'ignore' }));
  const ended = new Promise((resolve) => program.once('close', resolve));
  const text = await qmp(
    await dial(socket, program),
    ['qmp_capabilities', 'query-status', 'cont', 'query-replay', 'stop', 'query-status', 'quit'].map((execute, id) => ({ execute, id })),
    /"id":6/,
  );
  expect(text).toContain('{"return":{"status":"prelaunch","singlestep":false,"running":false},"id":1}');
  expect(text).toMatch(/"return":\{"mode":"record","filename":"[^"]*system.rr","icount":\d+\},"id":3/);
  expect(text).toContain('{"return":{"status":"paused","singlestep":false,"running":false},"id":5}');
  expect(text).toMatch(/"event":"RESUME"[\s\S]*"event":"STOP"/);
  expect(await ended).toBe(0);
  expect(summary('replay', log)).toMatchObject({ status: 0, divergence: null });
  const again = spawnSync(process.execPath, [...machine, '-icount', `shift=7,rr=replay,rrfile=${log}`], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  expect([again.status, again.stderr]).toEqual([0, '']);
});
