// Oracle: self-consistency
import { describe, expect, it } from 'vitest';
import { restoreState, saveState } from '../../src/core/save.js';
import type { StatefulPart } from '../../src/core/state.js';
import { IsaBoard } from './isa-board.js';
import { runScript } from './port-script.js';
import { randomScript, SCRIPT_PARTS, type ScriptPart } from './random-script.js';

const ALL = Object.keys(SCRIPT_PARTS) as ScriptPart[];

function parts(board: IsaBoard): StatefulPart[] {
  const { time, pic, ioapic, apic, hpet, pit, rtc, i8042, uart, dma, port61, port92 } = board;
  return [time, pic, ioapic, apic, hpet, pit, rtc, i8042, uart, dma, port61, port92];
}

describe('saving and restoring the ISA devices', () => {
  it.each([11, 12, 13])('a board restored in the middle of random accesses goes on like the one that was saved (seed %i)', (seed) => {
    const first = randomScript(seed, ALL, 300);
    const second = randomScript(seed + 1000, ALL, 300);
    const board = new IsaBoard({ shift: 3 });
    runScript(board, first);
    const saved = parts(board).map((part) => saveState(part));
    const other = new IsaBoard({ shift: 3 });
    other.icount = board.icount;
    for (const [i, part] of parts(other).entries()) restoreState(part, saved[i]!);
    expect(parts(other).map((part) => saveState(part))).toEqual(saved);
    expect(runScript(other, second)).toEqual(runScript(board, second));
    expect(parts(other).map((part) => saveState(part))).toEqual(parts(board).map((part) => saveState(part)));
  });
});
