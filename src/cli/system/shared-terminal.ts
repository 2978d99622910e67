import { PassThrough } from 'node:stream';

const ESCAPE = 0x01;
const HELP = [
  '',
  'C-a h    print this help',
  'C-a x    exit emulator',
  'C-a c    switch between console and monitor',
  'C-a C-a  sends C-a',
  '',
].join('\r\n');

/** What a shared terminal acts on. */
export interface SharedTerminalHooks {
  /** Takes what is typed for the guest. */
  serial(bytes: Uint8Array): void;
  /** The monitor has the keys from now on. */
  monitorShown(): void;
  /** Ends the program. */
  quit(): void;
}

/** Where the keys of a terminal go that the first serial port and the monitor share: Ctrl-A, then a letter, decides. */
export class SharedTerminal {
  /** What is typed while the monitor has the keys. */
  readonly monitor = new PassThrough();
  private escaped = false;
  private toMonitor = false;
  private readonly hooks: SharedTerminalHooks;

  constructor(hooks: SharedTerminalHooks) {
    this.hooks = hooks;
  }

  /** Bytes from the keyboard. */
  take(bytes: Uint8Array): void {
    const plain: number[] = [];
    for (const b of bytes) {
      if (!this.escaped && b === ESCAPE) this.escaped = true;
      else if (!this.escaped) plain.push(b);
      else {
        this.escaped = false;
        if (b === ESCAPE) plain.push(b);
        else {
          this.send(plain.splice(0));
          this.command(String.fromCharCode(b));
        }
      }
    }
    this.send(plain);
  }

  private send(bytes: readonly number[]): void {
    if (bytes.length === 0) return;
    if (this.toMonitor) this.monitor.write(Uint8Array.from(bytes));
    else this.hooks.serial(Uint8Array.from(bytes));
  }

  private command(letter: string): void {
    if (letter === 'x') this.hooks.quit();
    else if (letter === 'c') {
      this.toMonitor = !this.toMonitor;
      if (this.toMonitor) this.hooks.monitorShown();
    } else if (letter === 'h' || letter === '?') process.stdout.write(HELP);
  }
}
