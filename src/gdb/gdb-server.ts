import type { Readable, Writable } from 'node:stream';
import type { DebuggedMachine } from '../debug/machine-thread.js';
import { GdbSession, type GdbSurroundings } from './gdb-session.js';
import { framePacket } from './packet-reader.js';

/** How long one that is turned away may take to leave. */
const TURNED_AWAY_MS = 5000;
/** Packets and bytes of answers that wait; a debugger that causes more is not read meanwhile. */
const MAX_WAITING = 1024;
const MAX_UNREAD_BYTES = 1 << 24;

/** Serves one debugger at a time; a second one is turned away. */
export class GdbServer {
  private readonly machine: DebuggedMachine;
  private readonly around: Omit<GdbSurroundings, 'send'>;
  private session: GdbSession | null = null;

  constructor(machine: DebuggedMachine, around: Omit<GdbSurroundings, 'send'>) {
    this.machine = machine;
    this.around = around;
  }

  /** A debugger's line; `input` and `output` may be the same stream, which belongs to who opened it. */
  serve(input: Readable, output: Writable): void {
    if (this.session !== null) {
      turnAway(input, output);
      return;
    }
    const session = new GdbSession(this.machine, { ...this.around, send: (bytes) => void output.write(bytes) });
    this.session = session;
    input.on('data', (bytes: Buffer) => {
      const crowded = session.receive(bytes) >= MAX_WAITING;
      const unread = output.writableLength >= MAX_UNREAD_BYTES;
      if (!crowded && !unread) return;
      input.pause();
      void session
        .idle()
        .then(() => (output.writableNeedDrain ? new Promise<void>((resolve) => output.once('drain', resolve)) : undefined))
        .then(() => input.resume());
    });
    const close = (): void => {
      session.close();
      if (this.session === session) this.session = null;
    };
    input.on('error', () => {});
    output.on('error', () => {});
    input.once('end', close).once('close', close);
  }

  close(): void {
    this.session?.close();
    this.session = null;
  }
}

/** gdb shows an error that it is told in answer to its first packet. */
function turnAway(input: Readable, output: Writable): void {
  input.on('error', () => {});
  output.on('error', () => {});
  const hangUp = setTimeout(() => output.destroy(), TURNED_AWAY_MS);
  input.once('data', () => output.end(Buffer.concat([Buffer.from('+'), framePacket('E.another debugger is connected')])));
  input.once('close', () => clearTimeout(hangUp));
}
