import { connect, createServer, type Server, Socket } from 'node:net';
import { UserError } from '../core/errors.js';
import { type ListenAddress, listen } from './listen.js';
import type { SocketOption } from './socket-option.js';

/** What a socket option has become: somebody who is connected is handed over, one at a time or all at once. */
export interface SocketEnd {
  /** The address that was bound, as `tcp:HOST:PORT` or `unix:PATH`; null: we are the client. */
  readonly bound: string | null;
  /** Settles when somebody is connected for the first time. */
  readonly connected: Promise<void>;
  close(): void;
}

/**
 * Listens, connects, or takes over what is connected. A connection is ended by who asked for it.
 * @param option names it in messages
 * @param most connections at a time; further ones are closed
 * @throws UserError 'file-io'
 */
export async function openSocketEnd(option: string, wanted: SocketOption, most: number, use: (socket: Socket) => void): Promise<SocketEnd> {
  const sockets = new Set<Socket>();
  let first: () => void = () => {};
  const connected = new Promise<void>((resolve) => {
    first = resolve;
  });
  const take = (socket: Socket): void => {
    if (sockets.size >= most) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    use(socket);
    first();
  };
  let server: Server | null = null;
  let bound: string | null = null;
  const { address } = wanted;
  if (address.kind === 'fd') take(inherited(option, address.fd));
  else if (wanted.server) {
    server = createServer(take);
    bound = await listen(option, server, address);
  } else take(await call(option, address));
  const close = (): void => {
    server?.close();
    // What was written still goes out.
    for (const socket of sockets) socket.destroySoon();
  };
  return { bound, connected, close };
}

function inherited(option: string, fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true });
  } catch (e) {
    throw new UserError('file-io', `${option}: fd=${fd} is no open socket (${(e as Error).message})`);
  }
}

function call(option: string, address: ListenAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = address.kind === 'tcp' ? connect(address.port, address.host) : connect(address.path);
    const fail = (e: Error): void => reject(new UserError('file-io', `${option}: cannot connect (${e.message})`));
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
