// Oracle: QEMU run (7.2.22): the same guest says the same; its recording replays here; the host's own hash of the file that was fetched
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEBIAN_I386 } from '../../perf/guests/debian.js';
import { GUEST_PORT, makeNetworkGuest } from '../../perf/guests/debian-network.js';
import { MAIN, palindrome, summary, temporaryFolder } from '../cli.js';
import { endWithTest } from '../processes.js';
import { freePort } from '../sockets.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const FILE = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 31) ^ (i >> 7));
const SYSTEM = MAIN.replace(/main\.js$/, 'system/main.js');
const cable = (forwarded = ''): string[] => [
  'netdev',
  `user,id=net1${forwarded}`,
  'device',
  'rtl8139,netdev=net1,romfile=',
  'object',
  'filter-replay,id=replay,netdev=net1',
];
/** The guest's port, at one of this machine. */
const forward = (port: number): string => `,hostfwd=tcp:127.0.0.1:${port}-:${GUEST_PORT}`;

/** Says a line to whoever listens behind a port, and what it heard until the other end had said all; null: nobody was there. */
function call(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.end('said by the host\n'));
    socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(heard === '' ? null : heard));
  });
}

/** A program beside which this one goes on serving. */
function run(program: string, args: readonly string[]): Promise<{ status: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = endWithTest(spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE_MS }));
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString('latin1')));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, said }));
  });
}

/** What the guest's script says, without times; IPv6, which our network does not have, is left out, and what firmware would have done before. */
function lines(output: string): string[] {
  const all = output.split('\r\n').map((line) => line.replace(/^\[ *[\d.]+\] /, '').replace(/time=\S+ ms|= [\d./]+ ms$/, 'time'));
  const begin = all.findIndex((line) => line.startsWith('udhcpc'));
  expect(begin, output.slice(-2000)).toBeGreaterThanOrEqual(0);
  return all.slice(begin).filter((line) => !/inet6|valid_lft|enabling device|tsc: Refined|clocksource/.test(line));
}

const absent =
  !requireTool('qemu-system-i386', 'qemu-system-x86') ||
  !requireTool(join(DEBIAN_I386, 'linux'), 'debian-installer-12-netboot-i386') ||
  !requireTool('/usr/share/seabios/bios-256k.bin', 'seabios') ||
  !requireTool('xz', 'xz-utils');

describe.skipIf(absent)('Debian with an RTL8139 on a user network', () => {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  const log = at('ours.rr');
  let guest: readonly string[] = [];
  let server: Server;
  let asked = 0;

  beforeAll(async () => {
    server = createServer((_, answer) => {
      asked++;
      answer.end(FILE);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { kernel, initrd } = makeNetworkGuest(folder);
    const port = (server.address() as AddressInfo).port;
    const append = `console=ttyS0 nokaslr rdinit=/run quiet panic=-1 cryptomgr.notests port=${port}`;
    guest = ['kernel', kernel, 'initrd', initrd, 'append', append, 'nodefaults', 'no-reboot'];
  });
  afterAll(() => {
    server.close();
  });
  /** Runs a program with the guest, and calls the guest once it has fetched its file, until somebody is there. */
  const runAndCall = async (
    program: string,
    words: readonly string[],
    port: number,
  ): Promise<{ status: number | null; said: string; heard: string | null }> => {
    const before = asked;
    let over = false;
    const ended = run(program, words).finally(() => (over = true));
    let heard: string | null = null;
    while (heard === null && !over) {
      if (asked > before) heard = await call(port);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { ...(await ended), heard };
  };
  const options = (dashes: string, ...words: readonly string[]): string[] =>
    words.flatMap((word, i) =>
      /^(nodefaults|no-reboot|kernel|initrd|append|netdev|device|object|m|serial|icount)$/.test(word) && words[i - 1] !== 'append'
        ? [dashes + word]
        : [word],
    );

  it('gets its address, pings its host, fetches a file and is called from outside, as in QEMU, and QEMU records it', async () => {
    const port = await freePort();
    const machine = (dashes: string, console: string): string[] =>
      options(dashes, ...guest, ...cable(forward(port)), 'm', '128M', 'serial', `file:${at(console)}`);
    const record = [...machine('--', 'ours.txt'), '--icount', 'shift=3'];
    const ours = await runAndCall(process.execPath, ['--v8-pool-size=0', MAIN, 'record', log, ...record], port);
    expect(ours.status, ours.said).toBe(0);
    expect(ours.heard).toBe('said by the guest\n');
    const output = readFileSync(at('ours.txt'), 'latin1');
    expect(output).toContain(`${createHash('sha1').update(FILE).digest('hex')}  /tmp/file`);
    expect(output).toContain('said by the host\r\n');
    expect(output).toContain('guest: lease 10.0.2.15 255.255.255.0 10.0.2.2 10.0.2.3 86400');

    const rr = ['-icount', `shift=3,rr=record,rrfile=${at('qemu.rr')}`];
    const bare = ['-M', 'pc', '-cpu', 'qemu32', '-display', 'none', '-global', 'apic.vapic=off', ...rr];
    const theirs = await runAndCall('qemu-system-i386', [...bare, ...machine('-', 'qemu.txt')], port);
    expect(theirs.status, theirs.said).toBe(0);
    expect(theirs.heard).toBe(ours.heard);
    expect(lines(output)).toEqual(lines(readFileSync(at('qemu.txt'), 'latin1')));
    expect(asked).toBe(2);
  });

  it('replays with the server gone, and nobody is asked', () => {
    server.close();
    const { divergence, digest, shutdownCause } = summary('replay', log, '--serial', `file:${at('replayed.txt')}`);
    expect({ divergence, shutdownCause }).toEqual({ divergence: null, shutdownCause: 'guest-shutdown' });
    expect(digest).toBe((JSON.parse(readFileSync(`${log}.json`, 'utf8')) as { final: { digest: string } }).final.digest);
    expect(readFileSync(at('replayed.txt'), 'latin1')).toBe(readFileSync(at('ours.txt'), 'latin1'));
    expect(asked).toBe(2);
  });

  it('is the same machine while packets come, with the JIT off, on and forced', () => {
    const events = palindrome('log', 'events', log)
      .stdout.split('\n')
      .filter((line) => line.includes('ASYNC_NET'));
    expect(events.length).toBeGreaterThan(500);
    const packets = events.map((line) => Number(line.split(' ')[2]));
    const stretch = 300_000;
    const behind = (icount: number): number => packets.filter((at) => at > icount && at <= icount + stretch).length;
    // Which checkpoints a recording has depends on how busy the host was.
    const from = packets.reduce((a, b) => (behind(b - 1) > behind(a - 1) ? b : a)) - 1;
    expect(behind(from)).toBeGreaterThan(1);
    expect(palindrome('snapshot', 'create', log, 'packets', '--at', String(from))).toMatchObject({ status: 0, stderr: '' });
    const there = ['--icount', 'shift=3,rrsnapshot=packets', '--until', String(from + stretch)];
    const replays = ['on', 'off', 'force'].map((jit) => summary('replay', log, ...there, '--jit', jit));
    for (const { status, icount, digest } of replays)
      expect({ status, icount, digest }).toEqual({ status: 0, icount: from + stretch, digest: replays[0]!.digest });
  });

  it("replays QEMU's recording to its end, by the same command line", async () => {
    const rr = [
      '-icount',
      `shift=3,rr=replay,rrfile=${at('qemu.rr')}`,
      '-M',
      'pc',
      '-cpu',
      'qemu32',
      '-display',
      'none',
      '-L',
      '/usr/share/qemu',
    ];
    const machine = options('-', ...guest, ...cable(), 'm', '128M', 'serial', `file:${at('again.txt')}`);
    expect(existsSync(at('qemu.rr'))).toBe(true);
    const { status, said } = await run(process.execPath, ['--v8-pool-size=0', SYSTEM, ...rr, ...machine]);
    expect([status, said]).toEqual([0, '']);
    expect(readFileSync(at('again.txt'), 'latin1')).toBe(readFileSync(at('qemu.txt'), 'latin1'));
  });
});
