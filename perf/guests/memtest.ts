import { join } from 'node:path';
import { DEBIAN_PACKAGES } from './debian-disk.js';

/** memtest86+ 6.10 for i386, brought by tools/fetch-debian-i386.sh; a kernel by its header. It writes its screen on the first serial port too. */
export const MEMTEST = join(DEBIAN_PACKAGES, 'memtest86+ia32.bin');
export const MEMTEST_APPEND = 'console=ttyS0,115200';

const [COLUMNS, ROWS] = [80, 25];

/** What memtest86+ shows at a moment. */
export interface MemtestState {
  /** Such as "#4 Moving inversions, 8 bit pattern". */
  readonly test: string;
  /** Such as "0KB - 4MB [4MB of 15.4MB]". */
  readonly range: string;
  /** Such as "0x08080808"; nothing for tests that have none. */
  readonly pattern: string;
  readonly passes: number;
  readonly errors: number;
}

/** The screen that memtest86+ draws through a terminal: positions, and text without line ends. */
export class MemtestScreen {
  private readonly cells = Array.from({ length: ROWS }, () => new Array<string>(COLUMNS).fill(' '));

  /** The state whenever a drawing of the whole changing part was finished, without repetitions. */
  readonly states: MemtestState[] = [];

  constructor(output: string) {
    for (const part of output.split('\x1b[')) {
      // ECMA-48: CUP (row and column from 1), others of no interest; behind them, text.
      const [, row, column, text] = /^(?:(\d+);(\d+)H|[\d;?]*[A-Za-z])(.*)$/s.exec(part) ?? [];
      if (row !== undefined) {
        // The last line of a drawing.
        if (row === '9') this.note();
        [this.y, this.x] = [Number(row) - 1, Number(column) - 1];
      }
      this.put(text ?? '');
    }
    this.note();
  }

  private x = 0;
  private y = 0;

  /** Rows as text, without spaces at their ends. */
  get rows(): string[] {
    return this.cells.map((row) => row.join('').trimEnd());
  }

  private put(text: string): void {
    for (const character of text) {
      const row = this.cells[this.y];
      if (row !== undefined && this.x < COLUMNS) row[this.x++] = character;
    }
  }

  private note(): void {
    const { rows } = this;
    const test = /Test (#\d+) +\[([^\]]*)\]/.exec(rows[3]!);
    const range = /Testing: (\S.*?\]) /.exec(rows[4]!)?.[1];
    const counts = /Pass: +(\d+) +Errors: +(\d+)/.exec(rows[8]!);
    if (test === null || range === undefined || counts === null) return;
    const pattern = /Pattern: *(.*)/.exec(rows[5]!)?.[1] ?? '';
    const state = { test: `${test[1]} ${test[2]}`, range, pattern, passes: Number(counts[1]), errors: Number(counts[2]) };
    const last = this.states.at(-1);
    if (last === undefined || JSON.stringify(last) !== JSON.stringify(state)) this.states.push(state);
  }
}
