import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { DatagramTaker, HostDatagrams, HostPort, HostSockets, HostStream, HostStreamEvents } from './host-sockets.js';
import { parseIpv4 } from './ipv4-address.js';

const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM', 'ETIMEDOUT'];
const OWN_NAME_SERVER = '127.0.0.1';
/** Connections that wait for the guest to take them. */
const BACKLOG = 16;

/** The host's own sockets, clock and random numbers. */
export class NodeSockets implements HostSockets {
  private readonly startedMs = performance.now();

  nowMs(): number {
    return performance.now() - this.startedMs;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  }

  random(): number {
    return randomBytes(4).readUInt32LE();
  }

  nameServer(): string {
    return getServers().find((server) => parseIpv4(server) !== null) ?? OWN_NAME_SERVER;
  }

  connect(address: string, port: number, events: HostStreamEvents): HostStream {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    socket.once('connect', () => events.connected());
    return stream(socket, events);
  }

  listen(
    address: string,
    port: number,
    accept: (stream: HostStream, peer: { readonly address: string; readonly port: number }) => HostStreamEvents | null,
  ): Promise<HostPort> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => take(socket, accept));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port, backlog: BACKLOG }, () => resolve(hostPort(server)));
    });
  }

  datagrams(received: DatagramTaker): HostDatagrams {
    return datagrams(createSocket('udp4'), received);
  }

  bindDatagrams(address: string, port: number, received: DatagramTaker): Promise<HostDatagrams> {
    const socket = createSocket('udp4');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port, exclusive: true }, () => resolve(datagrams(socket, received)));
    });
  }
}

function hostPort(server: Server): HostPort {
  const address = server.address();
  // A port that fails later takes no more connections; those that are there go on.
  server.on('error', () => {});
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close: () => void server.close() };
}

function take(
  socket: Socket,
  accept: (stream: HostStream, peer: { readonly address: string; readonly port: number }) => HostStreamEvents | null,
): void {
  const { remoteAddress, remotePort } = socket;
  let events: HostStreamEvents | null = null;
  const told: HostStreamEvents = {
    connected: () => events?.connected(),
    received: (bytes) => events?.received(bytes),
    drained: () => events?.drained(),
    ended: () => events?.ended(),
    failed: (reason) => events?.failed(reason),
  };
  const made = stream(socket, told);
  events = remoteAddress === undefined || remotePort === undefined ? null : accept(made, { address: remoteAddress, port: remotePort });
  if (events === null) made.destroy();
  else socket.resume();
}

function stream(socket: Socket, events: HostStreamEvents): HostStream {
  let over = false;
  const finish = (reason: 'refused' | 'unreachable' | 'reset'): void => {
    if (over) return;
    over = true;
    events.failed(reason);
  };
  socket.setNoDelay(true);
  socket.on('data', (bytes) => {
    if (!over) events.received(new Uint8Array(bytes as Buffer));
  });
  socket.on('drain', () => {
    if (!over) events.drained();
  });
  socket.on('end', () => {
    if (!over) events.ended();
  });
  socket.on('error', (e: NodeJS.ErrnoException) => {
    const code = e.code ?? '';
    finish(code === 'ECONNREFUSED' ? 'refused' : UNREACHABLE.includes(code) ? 'unreachable' : 'reset');
  });
  return {
    write: (bytes) => void socket.write(bytes),
    get unsent() {
      return socket.writableLength;
    },
    end: () => void socket.end(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => {
      if (over) return;
      over = true;
      // What the guest has written goes out first; a connection that was broken off looks so to the other end, too.
      if (socket.writableEnded) socket.destroySoon();
      else socket.resetAndDestroy();
    },
  };
}

function datagrams(socket: DatagramSocket, received: DatagramTaker): HostDatagrams {
  let open = true;
  socket.on('message', (bytes, { address, port }) => {
    if (open) received(new Uint8Array(bytes), address, port);
  });
  // Nobody there, no way: UDP says nothing of it.
  socket.on('error', () => {});
  return {
    send: (bytes, address, port) => {
      if (open) socket.send(bytes, port, address, () => {});
    },
    close: () => {
      if (open) socket.close();
      open = false;
    },
  };
}
