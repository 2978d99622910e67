import type { Socket } from 'node:net';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { UserError } from '../core/errors.js';
import type { MachineThread } from '../debug/machine-thread.js';
import { GdbServer } from '../gdb/gdb-server.js';
import { HumanMonitor } from '../monitor/hmp.js';
import { MachineControl } from '../monitor/machine-control.js';
import { serveHuman, serveMachineProtocol } from '../monitor/monitor-server.js';
import { serveTerminal } from '../monitor/terminal-monitor.js';
import { openKeyboard } from './keyboard.js';
import { parseListenAddress } from './listen.js';
import { openSocketEnd } from './socket-end.js';
import type { SocketOption } from './socket-option.js';
import { TELNET_GREETING, TelnetInput } from './telnet.js';

/** Monitors of one kind that may be connected at a time. */
const MAX_CLIENTS = 16;

/** A monitor's place. */
export interface MonitorConfig {
  readonly kind: 'monitor';
  readonly mode: 'readline' | 'control';
  readonly option: string;
  readonly where: SocketOption | 'stdio';
}

/** A debugger's place. */
export interface GdbConfig {
  readonly kind: 'gdb';
  readonly option: string;
  readonly where: SocketOption | 'stdio';
}

export type ServiceConfig = GdbConfig | MonitorConfig;

/** Decodes where gdb finds us: stdio, or an address. Null: `none`. */
export function gdbService(option: string, text: string): GdbConfig | null {
  if (text === 'none') return null;
  if (text === 'stdio') return { kind: 'gdb', option, where: 'stdio' };
  return { kind: 'gdb', option, where: { address: parseListenAddress(option, text), server: true, wait: false, telnet: false } };
}

/** Decodes where a monitor listens: stdio, or an address. Null: `none` and `null`. */
export function monitorService(option: string, mode: 'readline' | 'control', text: string): ServiceConfig | null {
  if (text === 'none' || text === 'null') return null;
  if (text === 'stdio') return { kind: 'monitor', mode, option, where: 'stdio' };
  const where = { address: parseListenAddress(option, text), server: true, wait: false, telnet: text.startsWith('telnet:') };
  return { kind: 'monitor', mode, option, where };
}

/** Debugger and monitors of one machine, as long as it lives. */
export class DebugServices {
  readonly control: MachineControl;
  readonly human: HumanMonitor;
  private readonly machine: MachineThread;
  private readonly quit: () => void;
  private readonly closers: (() => void)[] = [];
  private readonly begun: Promise<void>;
  /** Monitors are answered from now on. Whoever asks before, waits: a machine that starts by itself is never seen before its start. */
  begin: () => void = () => {};

  constructor(machine: MachineThread, quit: () => void) {
    this.machine = machine;
    this.quit = quit;
    this.control = new MachineControl(machine, quit);
    this.human = new HumanMonitor(this.control);
    this.begun = new Promise((resolve) => {
      this.begin = resolve;
    });
  }

  /**
   * Begins to serve (see openPipes for a debugger on stdio); gives the address that was bound, in words for `target remote` or clients; null when nothing listens.
   * @param waiting told when nothing goes on before a client has connected
   */
  async open(service: ServiceConfig, waiting: (address: string) => void = () => {}): Promise<string | null> {
    const { where, option } = service;
    if (where === 'stdio') {
      if (service.kind === 'monitor') void this.begun.then(() => this.serveStdio(service.mode));
      return null;
    }
    const gdb = service.kind === 'gdb' ? this.gdbServer() : null;
    const end = await openSocketEnd(option, where, MAX_CLIENTS, (socket) => {
      if (gdb !== null) gdb.serve(socket.setNoDelay(true), socket);
      else if (service.kind === 'monitor') void this.begun.then(() => this.serve(socket, service.mode, where.telnet));
    });
    this.closers.push(() => end.close());
    if (where.wait) {
      waiting(end.bound ?? option);
      await Promise.race([end.connected, this.machine.ended]);
    }
    return end.bound;
  }

  private gdbServer(): GdbServer {
    const server = new GdbServer(this.machine, { monitor: (line) => this.human.execute(line), quit: this.quit });
    this.closers.push(() => server.close());
    return server;
  }

  /** What gdb asks while the machine is built is acknowledged, and answered then. */
  openPipes(services: readonly ServiceConfig[]): void {
    for (const service of services) if (service.kind === 'gdb' && service.where === 'stdio') this.debugStdio(this.gdbServer());
  }

  /** gdb has started us (`target remote | ...`), and we end with it. */
  private debugStdio(server: GdbServer): void {
    const { stdin, stdout } = process;
    server.serve(stdin, stdout);
    stdin.once('end', this.quit);
    this.closers.push(() => stdin.pause());
  }

  private serveStdio(mode: MonitorConfig['mode']): void {
    const { stdin, stdout } = process;
    const typed = new PassThrough();
    const endKeyboard = mode === 'readline' && stdin.isTTY ? openKeyboard((bytes) => void typed.write(bytes), true) : null;
    const end = this.serveStreams(mode, endKeyboard === null ? stdin : typed, stdout, endKeyboard !== null);
    this.closers.push(() => {
      end();
      endKeyboard?.();
      stdin.pause();
    });
  }

  private serve(socket: Socket, mode: MonitorConfig['mode'], telnet: boolean): void {
    socket.on('close', this.serveStreams(mode, telnet ? withoutTelnet(socket) : socket, socket, telnet));
  }

  /** @param echoes what is typed is shown by us. Returns what ends it. */
  private serveStreams(mode: MonitorConfig['mode'], input: Readable, output: Writable, echoes: boolean): () => void {
    const { human, control } = this;
    if (mode === 'control') return serveMachineProtocol(control, human, input, output);
    return echoes ? serveTerminal(human, input, output).end : serveHuman(human, input, output);
  }

  close(): void {
    for (const close of this.closers) close();
  }
}

/** What a telnet client types. */
function withoutTelnet(socket: Socket): PassThrough {
  const commands = new TelnetInput();
  const typed = new PassThrough();
  socket.write(TELNET_GREETING);
  socket.on('data', (bytes) => {
    if (typed.write(commands.take(bytes))) return;
    socket.pause();
    typed.once('drain', () => socket.resume());
  });
  return typed;
}

/** Refuses what cannot be served twice. Throws UserError. */
export function refuseTwoTerminals(services: readonly ServiceConfig[]): void {
  if (services.filter((s) => s.where === 'stdio').length > 1)
    throw new UserError('bad-option', 'only one of --gdb, --monitor and --qmp can have stdio');
}
