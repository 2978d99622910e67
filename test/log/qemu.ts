import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

type Reply = { readonly return?: unknown; readonly error?: { readonly desc: string } };

/** A QEMU that records, spoken to over QMP on its standard input and output. */
export class RecordingQemu {
  private readonly child: ChildProcess;
  private readonly replies: AsyncIterator<string>;
  private errors = '';

  /** Starts `qemu-system-i386` with no defaults, recording into `log`. */
  constructor(log: string, args: readonly string[]) {
    const common = ['-m', '32', '-display', 'none', '-nodefaults', '-global', 'apic.vapic=off', '-qmp', 'stdio'];
    this.child = spawn('qemu-system-i386', [...common, '-icount', `shift=7,rr=record,rrfile=${log}`, ...args], { stdio: 'pipe' });
    this.child.stderr!.on('data', (d: Buffer) => {
      this.errors += d.toString();
    });
    this.replies = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Waits until QEMU answers; its server sockets accept connections from then on. */
  async start(): Promise<void> {
    await this.line();
    await this.qmp('qmp_capabilities');
  }

  /** Executes a QMP command and gives what it returns. */
  async qmp(execute: string, args: object = {}): Promise<unknown> {
    this.child.stdin!.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    for (;;) {
      const reply = JSON.parse(await this.line()) as Reply;
      if (reply.error !== undefined) throw new Error(`${execute}: ${reply.error.desc}`);
      if (reply.return !== undefined) return reply.return;
    }
  }

  async icount(): Promise<number> {
    return ((await this.qmp('query-replay')) as { icount: number }).icount;
  }

  /** Waits until the guest has executed that many instructions. */
  async reach(icount: number): Promise<void> {
    while ((await this.icount()) < icount) await sleep(5);
  }

  /** Waits until the instruction count has changed so many times: by then QEMU's main loop has looked at its sockets as often. */
  async turns(count: number): Promise<void> {
    for (let last = await this.icount(), seen = 0; seen < count; await sleep(1)) {
      const now = await this.icount();
      if (now !== last) seen++;
      last = now;
    }
  }

  /** Ends the recording in good order. */
  async quit(): Promise<void> {
    const closed = once(this.child, 'close');
    await this.qmp('quit');
    await closed;
    if (this.child.exitCode !== 0) throw new Error(`QEMU ended with ${this.child.exitCode}: ${this.errors}`);
  }

  /** Ends QEMU at once, if it still runs. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private async line(): Promise<string> {
    const { value, done } = await this.replies.next();
    if (done === true) throw new Error(`QEMU went away: ${this.errors}`);
    return value;
  }
}

/** Sends bytes into a server socket of QEMU and leaves the connection open until `done` is called. */
export async function send(path: string, bytes: Uint8Array): Promise<{ done(): void }> {
  const socket = connect(path);
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(bytes, resolve));
  return { done: () => socket.destroy() };
}
