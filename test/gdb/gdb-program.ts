import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { endWithTest } from '../processes.js';

/** A real gdb that is asked one command after the other. */
export class GdbProgram {
  private readonly process: ChildProcessWithoutNullStreams;
  private text = '';
  private asked = 0;
  private wake: () => void = () => {};
  /** Settles when it has ended. */
  readonly ended: Promise<void>;

  constructor() {
    this.process = endWithTest(spawn('sh', ['-c', 'exec gdb-multiarch -nx -q 2>&1']));
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.wake();
    });
    this.ended = new Promise((resolve) => {
      this.process.once('close', () => {
        this.text += '(gdb has ended)';
        this.wake();
        resolve();
      });
    });
    for (const setting of ['pagination off', 'confirm off', 'width 0', 'architecture i386', 'remotetimeout 300', 'tcp connect-timeout 60'])
      void this.ask(`set ${setting}`);
  }

  /** What it says to a command. Fails when it has ended. */
  async ask(command: string): Promise<string> {
    const mark = `=== done ${++this.asked} ===`;
    this.process.stdin.write(`${command}\necho ${mark}\\n\n`);
    for (;;) {
      const at = this.text.indexOf(`${mark}\n`);
      if (at >= 0) {
        const answer = this.text.slice(0, at).replaceAll('(gdb) ', '');
        this.text = this.text.slice(at + mark.length + 1);
        return answer;
      }
      if (this.text.includes('(gdb has ended)')) throw new Error(`gdb ended at: ${command}\n${this.text}`);
      await new Promise<void>((resolve) => {
        const before = this.wake;
        this.wake = () => {
          before();
          resolve();
        };
      });
    }
  }

  /** The value of an expression. */
  async value(expression: string): Promise<number> {
    const answer = await this.ask(`printf "%u\\n", ${expression}`);
    return Number(/(\d+)\s*$/.exec(answer)?.[1] ?? Number.NaN);
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }

  async quit(): Promise<void> {
    this.process.stdin.end('quit\n');
    await this.ended;
  }
}
