import { connect, type Server, type Socket } from 'node:net';
import { UserError } from '../core/errors.js';
import type { MachineThread } from '../debug/machine-thread.js';
import { GdbServer } from '../gdb/gdb-server.js';
import { HumanMonitor } from '../monitor/hmp.js';
import { MachineControl } from '../monitor/machine-control.js';
import { monitorServer, serveConnected, serveHuman } from '../monitor/monitor-server.js';
import { type ListenAddress, listen, parseListenAddress } from './listen.js';

/** A debugger's or monitor's place. */
export type ServiceConfig =
  | { readonly kind: 'gdb'; readonly option: string; readonly address: ListenAddress }
  | {
      readonly kind: 'monitor';
      readonly mode: 'readline' | 'control';
      readonly option: string;
      /** `connect`: somebody listens there already and is called. */
      readonly address: ListenAddress | 'stdio';
      readonly connect: boolean;
    };

/** Decodes where a monitor is: stdio, or an address. Null: `none` and `null`. */
export function monitorService(option: string, mode: 'readline' | 'control', text: string): ServiceConfig | null {
  if (text === 'none' || text === 'null') return null;
  const address = text === 'stdio' ? ('stdio' as const) : parseListenAddress(option, text);
  if (address === 'stdio' && mode === 'control') throw new UserError('not-supported', `${option} ${text}: give tcp:HOST:PORT or unix:PATH`);
  return { kind: 'monitor', mode, option, address, connect: false };
}

/** Debugger and monitors of one machine, as long as it lives. */
export class DebugServices {
  readonly control: MachineControl;
  private readonly machine: MachineThread;
  private readonly human: HumanMonitor;
  private readonly quit: () => void;
  private readonly closers: (() => void)[] = [];

  constructor(machine: MachineThread, quit: () => void) {
    this.machine = machine;
    this.quit = quit;
    this.control = new MachineControl(machine);
    this.human = new HumanMonitor(this.control, quit);
  }

  /** Begins to serve; gives the address that was bound, in words for `target remote` or clients; null for stdio. */
  async open(service: ServiceConfig): Promise<string | null> {
    const { human, control, quit } = this;
    if (service.kind === 'gdb') {
      const server = new GdbServer(this.machine, { monitor: (line) => human.execute(line), quit });
      this.closers.push(() => server.close());
      return listen(service.option, server.listener, service.address);
    }
    if (service.address === 'stdio') {
      const end = serveHuman(human, process.stdin, process.stdout);
      this.closers.push(() => {
        end();
        process.stdin.pause();
      });
      return null;
    }
    if (service.connect) {
      await this.call(service.option, service.address);
      return null;
    }
    const server = monitorServer(service.mode, control, human, quit);
    this.closeWithClients(server);
    return listen(service.option, server, service.address);
  }

  close(): void {
    for (const close of this.closers) close();
  }

  private closeWithClients(server: Server): void {
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    this.closers.push(() => {
      server.close();
      // What was written still goes out.
      for (const socket of sockets) socket.destroySoon();
    });
  }

  private call(option: string, address: ListenAddress): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = address.kind === 'tcp' ? connect(address.port, address.host) : connect(address.path);
      socket.once('error', (e) => reject(new UserError('file-io', `${option}: cannot connect (${e.message})`)));
      socket.once('connect', () => {
        serveConnected(this.control, this.human, socket, this.quit);
        this.closers.push(() => socket.destroy());
        resolve();
      });
    });
  }
}
