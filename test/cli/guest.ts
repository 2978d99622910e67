import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { EventKind } from '../../replay/log/kinds.js';
import { openLog } from '../../replay/log/reader.js';
import { MAIN, palindrome } from '../cli.js';
import { demoKernel } from '../machines.js';
import { endWithTest, hasEnded } from '../processes.js';

/** Writes the demo guest into a folder; gives the options of a machine for it, without a serial port. */
export function guestOptions(folder: string): string[] {
  return ['--kernel', demoKernel(folder), '--memory', '8M', '--nodefaults', '--device', 'isa-debug-exit,iobase=0xf4,iosize=1'];
}

/** The program refuses: nothing on stdout, one line on stderr, exit code 2. Returns the line. */
export function refusal(...args: string[]): string {
  const { status, stdout, stderr } = palindrome(...args);
  expect([args.join(' '), status, stdout]).toEqual([args.join(' '), 2, '']);
  expect(stderr).toMatch(/^palindrome: [^\n]+\n$/);
  return stderr;
}

/** The program in the background. */
export class Background {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly ended: Promise<{ status: number | null; signal: string | null }>;

  constructor(...args: string[]) {
    this.child = endWithTest(spawn(MAIN, args, { stdio: 'pipe' }));
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => this.child.once('close', (status, signal) => resolve({ status, signal })));
  }

  /** Waits until the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    for (let ended = false; !condition(); ended = hasEnded(this.child)) {
      if (ended) throw new Error(`waited in vain: ${this.stdout}${this.stderr}`);
      await sleep(10);
    }
  }
}

/** Whether the guest of a log, which may be unfinished, got characters already. */
export function receivedCharacters(log: string): boolean {
  const cursor = openLog(log);
  try {
    while (cursor.next()) if (cursor.kind === EventKind.CHAR_READ) return true;
    return false;
  } finally {
    cursor.close();
  }
}

/** Length of a file that may not exist yet. */
export function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
