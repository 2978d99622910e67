import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded } from './processes.js';

/** Below the ports that Linux gives to who asks for any (32768 and up, ip(7)): one of these is had by nobody who does not name it. */
const FIRST = 10_000;
const COUNT = 20_000;
/** Test files that run at once begin far from each other. */
let next = (process.pid * 97) % COUNT;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A port of this machine that nobody listens at, and that nobody else will be given. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + (next++ % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('all ports are taken');
}

/** Waits until somebody listens at a port of 127.0.0.1, without connecting. Throws when the program that should do so has ended. */
export async function listening(port: number, program: ChildProcess): Promise<void> {
  const listener = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  while (!readFileSync('/proc/net/tcp', 'latin1').includes(listener)) {
    if (hasEnded(program)) throw new Error(`nobody listens at port ${port}`);
    await sleep(50);
  }
}

/** Connects to a port of 127.0.0.1 or a socket's path as soon as somebody listens there. Throws when the program that should do so has ended. */
export async function dial(where: number | string, program: ChildProcess): Promise<Socket> {
  for (;;) {
    const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (connected) return socket;
    if (hasEnded(program)) throw new Error(`nobody listens at ${where}`);
    await sleep(20);
  }
}
