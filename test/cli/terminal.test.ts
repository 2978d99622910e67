// Oracle: manual page of QEMU (-nographic and its keys; -serial stdio), and what stty says of the terminal afterwards.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MAIN, summary, temporaryFolder } from '../cli.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { endWithTest, hasEnded } from '../processes.js';
import { requireTool } from '../tools.js';
import { guestOptions } from './guest.js';

const folder = temporaryFolder();
const guest = guestOptions(folder);
const KERNEL = ['-m', '8', '-net', 'none', '-kernel', join(folder, 'guest.bin')];
const AFTERWARDS = 'echo "exit code $?"; stty -a';

/** A program at a terminal of its own; a shell says at the end how the terminal was left. */
class AtTerminal {
  text = '';
  readonly ended: Promise<unknown>;
  private readonly child: ChildProcess;

  constructor(...command: string[]) {
    const quoted = [process.execPath, ...command].map((word) => `'${word}'`).join(' ');
    const line = `stty sane; ${quoted}; ${AFTERWARDS}`;
    this.child = endWithTest(spawn('script', ['-qfc', line, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] }));
    this.child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      this.text += piece;
    });
    this.ended = once(this.child, 'close');
  }

  /** Waits for a pattern, and takes everything up to it. */
  async until(pattern: RegExp): Promise<string> {
    for (let ended = false; ; ended = hasEnded(this.child)) {
      const match = pattern.exec(this.text);
      if (match !== null) {
        const taken = this.text.slice(0, match.index + match[0].length);
        this.text = this.text.slice(taken.length);
        return taken;
      }
      if (ended) throw new Error(`waited in vain for ${pattern}: ${this.text}`);
      await sleep(10);
    }
  }

  type(keys: string): void {
    this.child.stdin!.write(keys);
  }

  /** How the program ended, and the terminal's modes then. */
  async end(): Promise<string[]> {
    const code = /exit code \d+/.exec(await this.until(/exit code \d+/))![0];
    const modes = (await this.until(/iexten[\s\S]*\n/)).split(/[\s;]+/);
    return [code, ...['isig', 'icanon', 'echo', 'opost', 'icrnl'].map((mode) => modes.find((m) => m === mode || m === `-${mode}`) ?? '')];
  }
}

const SANE = ['exit code 0', 'isig', 'icanon', 'echo', 'opost', 'icrnl'];

describe.skipIf(!requireTool('script', 'bsdutils'))('a terminal', () => {
  it('is shared by serial port and monitor with -nographic, and left as it was', async () => {
    const program = new AtTerminal(SYSTEM, ...KERNEL, '-nographic', '-name', 'somebody');
    await program.until(/round/);
    program.type('\x01h');
    await program.until(/C-a c +switch between console and monitor/);
    program.type('\x01c');
    await program.until(/palindrome monitor[\s\S]*\(qemu\) /);
    // Names are completed, mistakes mended, lines called back.
    program.type('info nx\x7fa\t');
    await program.until(/ame/);
    program.type('\r');
    await program.until(/\r[\s\S]*somebody\r[\s\S]*\(qemu\) /);
    program.type('\x1b[A\r');
    await program.until(/info name[\s\S]*somebody\r[\s\S]*\(qemu\) /);
    // Ctrl-C is a key like others.
    program.type('\x03stop\rinfo status\r');
    await program.until(/VM status: paused\r/);
    program.type('\x01c\x01c');
    await program.until(/\(qemu\) /);
    program.type('\x01x');
    expect(await program.end()).toEqual(SANE);
  });

  it('is left as it was when signals end the program, and Ctrl-C on -serial stdio is one', async () => {
    const log = join(folder, 'keys.rr');
    const pid = join(folder, 'pid');
    const terminated = new AtTerminal(SYSTEM, ...KERNEL, '-nographic', '-pidfile', pid);
    await terminated.until(/round/);
    expect(existsSync(pid)).toBe(true);
    process.kill(Number(readFileSync(pid, 'utf8')), 'SIGTERM');
    await terminated.until(/terminating on signal 15/);
    expect(await terminated.end()).toEqual(SANE);

    const typed = new AtTerminal(MAIN, 'record', log, ...guest, '--serial', 'stdio');
    await typed.until(/round/);
    // The guest would write at its end what it has read; the terminal does not.
    typed.type('Q\x03');
    expect(await typed.until(/stopped on request/)).not.toContain('Q');
    expect(await typed.end()).toEqual(SANE);
    expect(summary('replay', log)).toMatchObject({ status: 0, divergence: null });
  });
});
