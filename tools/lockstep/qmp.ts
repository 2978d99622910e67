import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Watchdog } from './watchdog.js';

/** Without an answer for so long, QEMU hangs. */
const SILENCE_MS = 60_000;

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
}

/** QEMU's monitor protocol on the standard streams of a process. */
export class Qmp {
  private readonly process: ChildProcess;
  private readonly messages: AsyncIterator<string>;

  constructor(process: ChildProcess) {
    this.process = process;
    this.messages = createInterface({ input: process.stdout! })[Symbol.asyncIterator]();
  }

  /** Takes the greeting. */
  async start(): Promise<void> {
    await this.next();
    await this.execute('qmp_capabilities');
  }

  /** Runs a command; events on the way are dropped. */
  async execute(command: string, args: Record<string, string | number> = {}): Promise<unknown> {
    this.process.stdin!.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const message = await this.next();
      if (message.error !== undefined) throw new Error(`QEMU refuses ${command}: ${message.error.desc}`);
      if (message.return !== undefined) return message.return;
    }
  }

  async waitFor(event: string): Promise<void> {
    while ((await this.next()).event !== event);
  }

  private async next(): Promise<Message> {
    const watchdog = new Watchdog(SILENCE_MS, () => this.process.kill('SIGKILL'));
    const { value, done } = await this.messages.next();
    watchdog.cancel();
    if (done) throw new Error('QEMU has gone');
    return JSON.parse(value) as Message;
  }
}
