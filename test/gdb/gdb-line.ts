import type { Socket } from 'node:net';
import { framePacket } from '../../src/gdb/packet-reader.js';

/** A line to a gdb server, on which anything may be said. */
export class GdbLine {
  private readonly socket: Socket;
  private text = '';
  private wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (piece: string) => {
      this.text += piece;
      this.wake();
    });
    socket.on('close', () => {
      this.text += '(closed)';
      this.wake();
    });
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Waits for what matches, and forgets everything up to there. */
  async until(wanted: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = wanted.exec(this.text);
      if (match !== null) {
        this.text = this.text.slice(match.index + match[0].length);
        return match;
      }
      if (this.text.endsWith('(closed)')) throw new Error(`the line was closed while waiting for ${wanted}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** Sends a packet, and gives the next one that comes. */
  async ask(packet: string): Promise<string> {
    this.write(framePacket(packet));
    return (await this.until(/\$([^#]*)#[0-9a-f]{2}/))[1]!;
  }

  /** What the monitor prints. */
  async monitor(command: string): Promise<string> {
    const printed = await this.ask(`qRcmd,${Buffer.from(command).toString('hex')}`);
    if (!printed.startsWith('O') || printed === 'OK') return '';
    await this.until(/\$OK#9a/);
    return Buffer.from(printed.slice(1), 'hex').toString();
  }

  end(): void {
    this.socket.destroy();
  }
}
