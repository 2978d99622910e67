import { createServer, type Server, type Socket } from 'node:net';
import type { DebuggedMachine } from '../debug/machine-thread.js';
import { GdbSession, type GdbSurroundings } from './gdb-session.js';
import { framePacket } from './packet-reader.js';

/** How long one that is turned away may take to leave. */
const TURNED_AWAY_MS = 5000;

/** Serves one debugger at a time on a socket; a second one is turned away. */
export class GdbServer {
  private readonly server: Server;
  private socket: Socket | null = null;
  private session: GdbSession | null = null;

  constructor(machine: DebuggedMachine, around: Omit<GdbSurroundings, 'send'>) {
    this.server = createServer((socket) => {
      if (this.socket !== null) {
        turnAway(socket);
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

/** gdb shows an error that it is told in answer to its first packet. */
function turnAway(socket: Socket): void {
  socket.on('error', () => {});
  socket.once('data', () => socket.end(Buffer.concat([Buffer.from('+'), framePacket('E.another debugger is connected')])));
  socket.setTimeout(TURNED_AWAY_MS, () => socket.destroy());
}
