import { closeSync, openSync, readSync } from 'node:fs';

/** How long a thread has waited for a processor that others had: proc(5), schedstat, the second number. Only Linux tells; elsewhere it is 0. */
export class ProcessorWait {
  private file: number | null;
  private readonly text = Buffer.alloc(64);

  /** Of the thread that makes it. */
  constructor() {
    this.file = open();
  }

  /** Milliseconds, since the thread began. */
  get ms(): number {
    if (this.file === null) return 0;
    const length = readSync(this.file, this.text, 0, this.text.length, 0);
    const ns = Number(this.text.toString('latin1', 0, length).split(' ')[1]);
    return Number.isFinite(ns) ? ns / 1e6 : 0;
  }

  close(): void {
    if (this.file !== null) closeSync(this.file);
    this.file = null;
  }
}

function open(): number | null {
  try {
    return openSync('/proc/thread-self/schedstat', 'r');
  } catch {
    return null;
  }
}
