// Oracle: QEMU's Python package `machine` (7.2): the options that it starts QEMU with and what it then says over QMP, word for word as it was seen to; how QEMU takes them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RECORDINGS, summary, temporaryFolder } from '../cli.js';
import { demoKernel } from '../machines.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { endWithTest } from '../processes.js';
import { dial } from '../sockets.js';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const GUEST = ['-m', '16', '-nodefaults', '-net', 'none', '-kernel', demoKernel(folder), '-bios', join(RECORDINGS, 't2.bin')];
/** `set_console()`, without a device type and with one. */
const CONSOLE_SOCKET = ['-chardev', `socket,id=console,path=${at('vm.con')},server=on,wait=off`];
const CONSOLE = [...CONSOLE_SOCKET, '-serial', 'chardev:console'];
const CONSOLE_DEVICE = [...CONSOLE_SOCKET, '-device', 'isa-serial,chardev=console'];

/** A program as the package starts it: nothing to read, one file for all it says, and QMP by an inherited socket or one that it is to call. */
class Vm {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  private readonly log: string;

  constructor(name: string, monitor: string, more: readonly string[]) {
    this.log = at(`${name}.log`);
    const said = openSync(this.log, 'w');
    const base = ['-display', 'none', '-vga', 'none', '-chardev', `socket,id=mon,${monitor}`, '-mon', 'chardev=mon,mode=control'];
    this.child = endWithTest(spawn(process.execPath, [SYSTEM, ...base, ...more], { stdio: ['ignore', said, said, 'pipe'] }));
    closeSync(said);
    this.ended = once(this.child, 'close');
  }

  /** Our end of the inherited socket. */
  get socket(): Duplex {
    return this.child.stdio[3] as Duplex;
  }

  get output(): string {
    return readFileSync(this.log, 'utf8');
  }
}

type Message = { readonly event?: string; readonly return?: unknown; readonly error?: object; readonly id?: string; readonly QMP?: object };

/** The package's end of QMP. */
class Client {
  readonly events: (string | undefined)[] = [];
  private readonly messages: AsyncIterator<string>;
  private readonly socket: Duplex;

  constructor(socket: Duplex) {
    this.socket = socket;
    this.messages = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  async next(): Promise<Message> {
    return JSON.parse((await this.messages.next()).value as string) as Message;
  }

  async answer(text: string): Promise<Message> {
    this.socket.write(`${text}\n`);
    for (;;) {
      const message = await this.next();
      if (message.event === undefined) return message;
      this.events.push(message.event);
    }
  }

  /** Greeting and negotiation. */
  async accept(): Promise<this> {
    expect(await this.next()).toMatchObject({ QMP: { version: { qemu: { major: 7, minor: 2, micro: 22 } }, capabilities: [] } });
    expect(await this.answer('{"execute":"qmp_capabilities","arguments":{}}')).toEqual({ return: {} });
    return this;
  }

  async waitFor(event: string): Promise<void> {
    while (!this.events.includes(event)) this.events.push((await this.next()).event);
  }
}

const consoleSocket = ({ child }: Vm): Promise<Socket> => dial(at('vm.con'), child);

describe("as by QEMU's Python package, a machine", () => {
  it('is launched with a console, let run, stopped, reset, asked, and shut down', async () => {
    const vm = new Vm('a', 'fd=3', ['-machine', 'pc', '-serial', 'null', ...CONSOLE, ...GUEST, '-S']);
    const qmp = await new Client(vm.socket).accept();
    expect(await qmp.answer('{"execute":"query-status","arguments":{},"id":"__qmp#00000"}')).toEqual({
      return: { status: 'prelaunch', singlestep: false, running: false },
      id: '__qmp#00000',
    });
    const second = await consoleSocket(vm);
    expect(await qmp.answer('{"execute":"cont"}')).toEqual({ return: {} });
    await qmp.waitFor('RESUME');
    expect(await qmp.answer('{"execute":"human-monitor-command","arguments":{"command-line":"info status"}}')).toEqual({
      return: 'VM status: running\r\n',
    });
    expect(await qmp.answer('{"execute":"nonsense","arguments":{},"id":"__qmp#00001"}')).toEqual({
      error: { class: 'CommandNotFound', desc: 'The command nonsense has not been found' },
      id: '__qmp#00001',
    });
    expect(await qmp.answer('{"execute":"stop"}')).toEqual({ return: {} });
    await qmp.waitFor('STOP');
    expect(await qmp.answer('{"execute":"system_reset"}')).toEqual({ return: {} });
    await qmp.waitFor('RESET');
    for (const what of ['query-block', 'query-named-block-nodes'])
      expect(await qmp.answer(`{"execute":"${what}"}`)).toEqual({ return: [] });
    // The package closes the console before it asks us to end, and reads no further once it has the answer.
    second.destroy();
    expect(await qmp.answer('{"execute":"quit"}')).toEqual({ return: {} });
    vm.socket.destroy();
    expect(await vm.ended).toEqual([0, null]);
    expect([vm.output, existsSync(at('vm.con'))]).toEqual(['', false]);
  });

  it('calls the package at a path, says on its console what the guest says, and is recorded up to where it is killed', async () => {
    const called = createServer().listen(at('vm.mon'));
    const caller = once(called, 'connection');
    const log = at('killed.rr');
    const vm = new Vm('b', `path=${at('vm.mon')}`, [
      '-machine',
      'pc',
      ...CONSOLE_DEVICE,
      ...GUEST,
      '-S',
      '-icount',
      `shift=3,rr=record,rrfile=${log}`,
    ]);
    const [socket] = (await caller) as [Socket];
    const qmp = await new Client(socket).accept();
    const screen = await consoleSocket(vm);
    expect(JSON.stringify(await qmp.answer('{"execute":"query-chardev"}'))).toMatch(
      /\{(?=[^{]*"label":"console")[^{]*"frontend-open":true/,
    );
    await qmp.answer('{"execute":"cont"}');
    await once(screen, 'data');
    while (!/"icount":\d{6}/.test(JSON.stringify(await qmp.answer('{"execute":"query-replay"}')))) await sleep(50);
    // shutdown(hard=True)
    screen.destroy();
    vm.child.kill('SIGKILL');
    expect(await vm.ended).toEqual([null, 'SIGKILL']);
    called.close();
    expect(summary('replay', log)).toMatchObject({ status: 0, stop: 'end-of-log', divergence: null });
  });

  it('that cannot be launched says why in one sentence, with an exit code', async () => {
    const vm = new Vm('c', 'fd=3', ['-machine', 'pc', '-bogus']);
    expect(await vm.ended).toEqual([2, null]);
    expect(vm.output).toBe('palindrome-system-i386: -bogus is not supported\n');
    const without = new Vm('d', 'fd=3', ['-machine', 'pc', '-device', 'isa-serial']);
    expect(await without.ended).toEqual([2, null]);
    expect(without.output).toContain("Can't create serial device, empty char device");
  });
});
