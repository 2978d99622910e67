// Oracle: QEMU's own test of reverse debugging (tests/avocado/reverse_debugging.py of 7.2: its steps, and the answers it expects), over gdb's protocol and QMP.
import { spawn, spawnSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { framePacket } from '../../src/gdb/packet-reader.js';
import { Background } from '../cli/guest.js';
import { summary, temporaryFolder } from '../cli.js';
import { QEMU_PC } from '../machines.js';
import { endWithTest } from '../processes.js';
import { dial, freePort } from '../sockets.js';
import { requireTool } from '../tools.js';
import { GdbProgram } from './gdb-program.js';

const BIOS = '/usr/share/seabios/bios-256k.bin';
const STEPS = 10;
const SYSTEM = new URL('../../dist/src/cli/system/main.js', import.meta.url).pathname;

/** A connection that is read piece by piece. */
class Line {
  private text = '';
  private closed = false;
  private wake: () => void = () => {};
  readonly socket: Socket;
  constructor(socket: Socket) {
    this.socket = socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text;
      this.wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }
  /** Waits for the pattern, and takes everything up to its end. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) {
        this.text = this.text.slice(match.index + match[0].length);
        return match;
      }
      if (this.closed) throw new Error(`the line was closed while waiting for ${pattern}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
  async packet(text: string): Promise<string> {
    this.socket.write(framePacket(text));
    const reply = (await this.until(/\+\$([^#]*)#../))[1]!;
    this.socket.write('+');
    return reply;
  }
  async qmp(execute: string, args: object = {}): Promise<Record<string, unknown>> {
    this.socket.write(JSON.stringify({ execute, arguments: args, id: 1 }));
    return JSON.parse((await this.until(/(\{"(?:return|error)".*\})\r\n/))[1]!) as Record<string, unknown>;
  }
}

it.skipIf(!requireTool(BIOS, 'seabios'))(
  'ten steps forward and back, to the end by replay-break, and back to the last of ten breakpoints',
  async () => {
    const log = join(temporaryFolder(), 'bios.rr');
    const last = summary('record', log, '--bios', BIOS, '--memory', '32M', '--icount', 'shift=7', '--until', '300000').icount;
    const program = new Background('debug', log, '--gdb', 'tcp:127.0.0.1:0', '--qmp', 'tcp:127.0.0.1:0');
    await program.until(() => /--qmp at tcp:.*\n/.test(program.stderr));
    const portIn = (said: RegExp): number => Number(said.exec(program.stderr)![1]);
    const gdb = new Line(await dial(portIn(/target remote \S+:(\d+)/), program.child));
    const qmp = new Line(await dial(portIn(/--qmp at tcp:\S+:(\d+)/), program.child));
    await qmp.until(/\{"QMP".*\r\n/);
    await qmp.qmp('qmp_capabilities');
    expect(await gdb.packet('qSupported')).toMatch(/ReverseStep\+;ReverseContinue\+/);
    await gdb.packet('qXfer:features:read:target.xml:0,ffb');

    const register = async (n: number): Promise<number> => Buffer.from(await gdb.packet(`p${n.toString(16)}`), 'hex').readUInt32LE();
    const pc = async (): Promise<number> => (await register(8)) + (await register(10)) * 16;
    const steps: number[] = [];
    for (let k = 0; k < STEPS; k++) {
      steps.push(await pc());
      expect(await gdb.packet('s')).toBe('T05thread:01;');
    }
    for (const address of steps.toReversed()) {
      expect(await gdb.packet('bs')).toBe('T05thread:01;');
      expect(await pc()).toBe(address);
    }
    expect(await gdb.packet('bs')).toBe('E14');
    expect(await qmp.qmp('replay-break', { icount: last - 1 })).toEqual({ return: {}, id: 1 });
    expect(await gdb.packet('c')).toBe('T02thread:01;');
    expect(await qmp.qmp('query-replay')).toEqual({ return: { mode: 'play', filename: log, icount: last - 1 }, id: 1 });
    for (const address of steps) expect(await gdb.packet(`Z1,${address.toString(16)},1`)).toBe('OK');
    expect(await gdb.packet('bc')).toBe('T05thread:01;');
    expect(await pc()).toBe(steps.at(-1));
    expect(await qmp.qmp('query-status')).toMatchObject({ return: { status: 'debug', running: false } });
    expect(await qmp.qmp('quit')).toEqual({ return: {}, id: 1 });
    expect(await program.ended).toEqual({ status: 0, signal: null });
    gdb.socket.destroy();
    qmp.socket.destroy();
  },
);

/** palindrome-system-i386 with the options of QEMU's test, and its QMP. */
async function system(folder: string, more: readonly string[]): Promise<{ ended: Promise<unknown>; qmp: Line }> {
  const port = await freePort();
  const machine = [...QEMU_PC, '-m', '32', '-vga', 'none', '-bios', BIOS];
  const disk = ['-drive', `file=${join(folder, 'disk.qcow2')},if=none`];
  const qmpAt = ['-qmp', `tcp:127.0.0.1:${port},server=on,wait=off`];
  const args = [SYSTEM, ...machine, ...disk, ...qmpAt, ...more];
  const child = endWithTest(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const qmp = new Line(await dial(port, child));
  await qmp.until(/\{"QMP".*\r\n/);
  await qmp.qmp('qmp_capabilities');
  return { ended, qmp };
}

const isRunning = async (qmp: Line): Promise<boolean> => ((await qmp.qmp('query-status')).return as { readonly running: boolean }).running;
const icountOf = async (qmp: Line): Promise<number> => ((await qmp.qmp('query-replay')).return as { readonly icount: number }).icount;

it.skipIf(!requireTool('gdb-multiarch', 'gdb-multiarch') || !requireTool('qemu-img', 'qemu-utils') || !requireTool(BIOS, 'seabios'))(
  'the same with a real gdb on palindrome-system-i386, which gdb can leave and come back to',
  async () => {
    const folder = temporaryFolder();
    const clock = `shift=7,rrfile=${join(folder, 'replay.bin')},rrsnapshot=init`;
    spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(folder, 'disk.qcow2'), '128M']);
    const recorder = await system(folder, ['-icount', `${clock},rr=record`]);
    while ((await icountOf(recorder.qmp)) < 300_000) await sleep(20);
    await recorder.qmp.qmp('stop');
    const last = await icountOf(recorder.qmp);
    await recorder.qmp.qmp('quit');
    await recorder.ended;
    recorder.qmp.socket.destroy();

    const port = await freePort();
    const { qmp, ended } = await system(folder, ['-icount', `${clock},rr=replay`, '-gdb', `tcp:127.0.0.1:${port}`, '-S']);
    const gdb = new GdbProgram();
    await gdb.ask(`target remote 127.0.0.1:${port}`);
    const pc = (): Promise<number> => gdb.value('(unsigned)$eip + (unsigned)$cs * 16');
    const steps: number[] = [];
    for (let k = 0; k < STEPS; k++) {
      steps.push(await pc());
      await gdb.ask('stepi');
    }
    for (const address of steps.toReversed()) {
      await gdb.ask('reverse-stepi');
      expect(await pc()).toBe(address);
    }
    // Left alone it goes on: as far as here, however long it takes until it is asked again.
    const middle = Math.floor(last / 2);
    expect(await qmp.qmp('replay-break', { icount: middle })).toEqual({ return: {}, id: 1 });
    await gdb.ask('detach');
    while ((await icountOf(qmp)) < middle || (await isRunning(qmp))) await sleep(20);
    expect(await icountOf(qmp)).toBe(middle);
    await gdb.ask(`target remote 127.0.0.1:${port}`);
    expect(await qmp.qmp('replay-break', { icount: last - 1 })).toEqual({ return: {}, id: 1 });
    await gdb.ask('continue');
    expect(await icountOf(qmp)).toBe(last - 1);
    for (const address of steps) await gdb.ask(`hbreak *${address}`);
    expect(await gdb.ask('reverse-continue')).toMatch(/SIGTRAP|Breakpoint/);
    expect(await pc()).toBe(steps.at(-1));
    expect(await gdb.ask('monitor info replay')).toMatch(/^Replaying execution '.*replay.bin': instruction count = \d+\n$/m);
    await qmp.qmp('quit');
    await ended;
    await gdb.quit();
    qmp.socket.destroy();
  },
);
