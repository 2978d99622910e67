import { createServer, type Server, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { type HumanMonitor, MAX_LINE_BYTES } from './hmp.js';
import type { MachineControl } from './machine-control.js';
import { QmpSession } from './qmp.js';

const PROMPT = '(qemu) ';
const MAX_CLIENTS = 16;

/** A human monitor on two streams: banner, prompt, a command a line. Returns what ends it. */
export function serveHuman(human: HumanMonitor, input: Readable, output: Writable): () => void {
  let pending = '';
  let tooLong = false;
  let queue: Promise<void> = Promise.resolve();
  const print = (text: string): void => void output.write(text.replaceAll('\n', '\r\n'));
  const onData = (bytes: Buffer | string): void => {
    for (const c of bytes.toString()) {
      if (c !== '\n' && c !== '\r') {
        if (pending.length < MAX_LINE_BYTES) pending += c;
        else tooLong = true;
        continue;
      }
      const line = tooLong ? '' : pending;
      pending = '';
      tooLong = false;
      if (line === '' && c === '\r') continue;
      queue = queue.then(async () => {
        print(await human.execute(line));
        print(PROMPT);
      });
    }
  };
  print(`palindrome monitor - type 'help' for more information\n${PROMPT}`);
  input.on('data', onData);
  return () => {
    input.off('data', onData);
  };
}

/** A machine protocol on a socket. */
function serveMachineProtocol(control: MachineControl, human: HumanMonitor, socket: Socket, quit: () => void): () => void {
  const session = new QmpSession(control, human, { send: (line) => void socket.write(line), quit, now: () => Date.now() });
  socket.setEncoding('utf8').on('data', (text: string) => session.receive(text));
  return () => session.close();
}

/** A server for monitors of one kind; several clients may be connected. */
export function monitorServer(mode: 'readline' | 'control', control: MachineControl, human: HumanMonitor, quit: () => void): Server {
  let clients = 0;
  return createServer((socket) => {
    if (clients >= MAX_CLIENTS) {
      socket.destroy();
      return;
    }
    clients++;
    const end = mode === 'control' ? serveMachineProtocol(control, human, socket, quit) : serveHuman(human, socket, socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      clients--;
      end();
    });
  });
}

/** A machine protocol on a socket that is connected already (the program was told to call, not to listen). */
export function serveConnected(control: MachineControl, human: HumanMonitor, socket: Socket, quit: () => void): void {
  const end = serveMachineProtocol(control, human, socket, quit);
  socket.on('error', () => {});
  socket.on('close', end);
}
