import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { endWithTest } from '../processes.js';

/** Our program with QEMU's command line, as built. */
export const SYSTEM = new URL('../../dist/src/cli/system/main.js', import.meta.url).pathname;

export interface QmpReply {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

/** QEMU or palindrome-system-i386, spoken to over QMP on its standard input and output. */
export class QmpProgram {
  /** Names of the events since the start, with their data. */
  readonly events: { readonly event: string; readonly data?: unknown }[] = [];
  private readonly child: ChildProcess;
  private readonly replies: AsyncIterator<string>;
  private errors = '';

  constructor(command: readonly string[], args: readonly string[]) {
    this.child = endWithTest(spawn(command[0]!, [...command.slice(1), ...args, '-qmp', 'stdio'], { stdio: 'pipe' }));
    this.child.stderr!.on('data', (d: Buffer) => {
      this.errors += d.toString();
    });
    // One that has gone is met when its answer is waited for.
    this.child.stdin!.on('error', () => {});
    this.replies = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  static ours(...args: string[]): QmpProgram {
    return new QmpProgram([process.execPath, SYSTEM], args);
  }

  static qemu(...args: string[]): QmpProgram {
    return new QmpProgram(['qemu-system-i386'], args);
  }

  async start(): Promise<this> {
    await this.line();
    await this.ask({ execute: 'qmp_capabilities' });
    return this;
  }

  /** Sends a request (an object, or text as it is) and gives the reply to it. */
  async ask(request: object | string): Promise<QmpReply> {
    this.child.stdin!.write(`${typeof request === 'string' ? request : JSON.stringify(request)}\n`);
    for (;;) {
      const message = JSON.parse(await this.line()) as QmpReply & { event: string };
      if (message.event === undefined) return message;
      this.events.push(message);
    }
  }

  async qmp(execute: string, args: object = {}): Promise<unknown> {
    const { return: value, error } = await this.ask({ execute, arguments: args });
    if (error !== undefined) throw new Error(`${execute}: ${error.desc}`);
    return value;
  }

  /** What the human monitor says. */
  async human(line: string): Promise<string> {
    return (await this.qmp('human-monitor-command', { 'command-line': line })) as string;
  }

  /** Waits until an event of that name has come (again). */
  async event(name: string, times = 1): Promise<void> {
    // Asking without a pause keeps QEMU's lock from the thread that would make the event.
    for (; this.events.filter((e) => e.event === name).length < times; await sleep(10)) await this.qmp('query-name');
  }

  async icount(): Promise<number> {
    return ((await this.qmp('query-replay')) as { icount: number }).icount;
  }

  /** Ends the program; gives its exit code. */
  async quit(): Promise<number | null> {
    const closed = once(this.child, 'close');
    await this.qmp('quit');
    return (await closed)[0] as number | null;
  }

  /** Waits until it has ended by itself, and hears its last events; gives its exit code. */
  async end(): Promise<number | null> {
    const closed = this.child.exitCode === null ? once(this.child, 'close') : null;
    for (let said = await this.replies.next(); !said.done; said = await this.replies.next()) this.events.push(JSON.parse(said.value));
    await closed;
    return this.child.exitCode;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }

  private async line(): Promise<string> {
    const { value, done } = await this.replies.next();
    if (done) throw new Error(`it has ended: ${this.errors}`);
    return value as string;
  }
}
