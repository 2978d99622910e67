// Oracle: QEMU's manual page (-chardev, -serial, -mon) and RFC 854; the rest is self-consistency.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { TELNET_GREETING } from '../../src/cli/telnet.js';
import { palindrome, summary, temporaryFolder } from '../cli.js';
import { qemuDemoOptions } from '../machines.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { endWithTest } from '../processes.js';
import { dial } from '../sockets.js';
import { receivedCharacters } from './guest.js';

const folder = temporaryFolder();
const GUEST = qemuDemoOptions(folder);
const at = (name: string): string => join(folder, name);

/** Everything a stream has said so far. */
class Listener {
  bytes = Buffer.alloc(0);
  readonly stream: Duplex;
  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (piece: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, piece]);
    });
    stream.on('error', () => {});
  }
  async until(wanted: string): Promise<void> {
    while (!this.bytes.includes(wanted)) await sleep(10);
  }
}

it('serial port, monitors and QMP are on sockets, as client, server, and inherited', async () => {
  const called = createServer();
  called.listen(at('called'));
  const caller = once(called, 'connection');
  const log = at('s.rr');
  const args = [
    ...[SYSTEM, ...GUEST, '-icount', `shift=3,rr=record,rrfile=${log}`],
    ...['-chardev', `socket,id=console,path=${at('console')},server=on`, '-serial', 'chardev:console'],
    ...['-chardev', 'socket,id=mon,fd=3', '-mon', 'chardev=mon,mode=control', '-qmp', `unix:${at('called')}`],
    ...['-monitor', `unix:${at('monitor')},server=on,wait=off,telnet=on`],
  ];
  const program = endWithTest(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] }));
  const ended = once(program, 'close');
  const dialled = async (name: string): Promise<Listener> => new Listener(await dial(at(name), program));
  let complaint = '';
  program.stderr!.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  // Nothing begins before somebody looks at the console.
  const console = await dialled('console');
  const [incoming] = (await caller) as [Socket];
  await new Listener(incoming).until('"QMP"');
  await console.until('\n');
  expect(complaint).toBe(`palindrome-system-i386: waiting for connection on: unix:${at('console')}\n`);
  console.stream.write('hi');

  const monitor = await dialled('monitor');
  await monitor.until('(qemu) ');
  expect(monitor.bytes.subarray(0, TELNET_GREETING.length)).toEqual(Buffer.from(TELNET_GREETING));
  monitor.stream.write(Buffer.from([0xff, 0xfd, 0x01, ...Buffer.from('info sta'), 0xff, 0xfb, 0x03, ...Buffer.from('tus\r\0\n')]));
  await monitor.until('VM status: running');

  const inherited = new Listener(program.stdio[3] as Duplex);
  inherited.stream.write('{"execute":"qmp_capabilities"}{"execute":"query-status","id":1}');
  await inherited.until('"id":1}');
  expect(inherited.bytes.toString()).toContain('{"return":{"status":"running","singlestep":false,"running":true},"id":1}');
  // A second one finds the line busy.
  const second = await dialled('console');
  if (!second.stream.closed) await new Promise((resolve) => second.stream.once('close', resolve));
  while (!receivedCharacters(log)) await sleep(10);
  inherited.stream.write('{"execute":"quit","id":2}');
  expect(await ended).toEqual([0, null]);
  called.close();
  expect(summary('replay', log)).toMatchObject({ status: 0, divergence: null });
  expect(palindrome('log', 'events', log).stdout).toMatch(/ASYNC_CHAR_READ 0 "h/);
});

it('an address that cannot be had is one clear sentence, and ends the program', async () => {
  writeFileSync(at('file'), '');
  for (const [option, value] of [
    ['-serial', `unix:${at('nobody')}`],
    ['-qmp', `unix:${at('file')},server=on,wait=off`],
    ['-qmp', `tcp:127.0.0.1:1`],
  ] as const) {
    const args = [SYSTEM, ...GUEST, option, value];
    const program = endWithTest(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] }));
    let complaint = '';
    program.stderr!.on('data', (text: Buffer) => {
      complaint += text.toString();
    });
    expect(await once(program, 'close')).toEqual([2, null]);
    expect(complaint).toMatch(new RegExp(`^palindrome-system-i386: ${option}: cannot [^\\n]*\\n$`));
  }
});
