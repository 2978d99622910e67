import { createServer, type Server, type Socket } from 'node:net';
import type { DebuggedMachine } from '../debug/machine-thread.js';
import { GdbSession, type GdbSurroundings } from './gdb-session.js';

/** Serves one debugger at a time on a socket; a second one is turned away. */
export class GdbServer {
  private readonly server: Server;
  private socket: Socket | null = null;
  private session: GdbSession | null = null;

  constructor(machine: DebuggedMachine, around: Omit<GdbSurroundings, 'send'>) {
    this.server = createServer((socket) => {
      if (this.socket !== null) {
        socket.destroy();
        return;
      }
      this.serve(socket, new GdbSession(machine, { ...around, send: (bytes) => void socket.write(bytes) }));
    });
  }

  /** The server to be told where to listen. */
  get listener(): Server {
    return this.server;
  }

  close(): void {
    this.session?.close();
    this.socket?.destroy();
    this.server.close();
  }

  private serve(socket: Socket, session: GdbSession): void {
    this.socket = socket;
    this.session = session;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => session.receive(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      session.close();
      this.socket = null;
      this.session = null;
    });
  }
}
