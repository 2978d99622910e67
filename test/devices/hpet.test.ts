// Oracle: IA-PC HPET specification 1.0a, sections 2.3 and 2.4
import { beforeEach, describe, expect, it } from 'vitest';
import { IsaBoard } from './isa-board.js';

const BASE = 0xfed00000;
const CONFIG = 0x10;
const COUNTER = 0xf0;
const TIMER0 = 0x100;

describe('HPET', () => {
  let board: IsaBoard;
  const read = (offset: number) => board.memory.read(BASE + offset, 4);
  const write = (offset: number, value: number) => board.memory.write(BASE + offset, value, 4);

  beforeEach(() => {
    board = new IsaBoard();
  });

  it('reports three 64-bit timers of 10 ns with legacy replacement', () => {
    expect(read(0)).toBe(0x8086a201);
    expect(read(4)).toBe(10_000_000);
    expect([read(TIMER0), read(TIMER0 + 4)]).toEqual([0x30, 4]);
  });

  it('counts 10 ns ticks while enabled and keeps its count when halted', () => {
    board.run(500);
    expect(read(COUNTER)).toBe(0);
    write(CONFIG, 1);
    board.run(1000);
    expect(read(COUNTER)).toBe(100);
    write(CONFIG, 0);
    board.run(1000);
    expect(read(COUNTER)).toBe(100);
    write(COUNTER, 7);
    write(CONFIG, 1);
    board.run(10);
    expect(read(COUNTER)).toBe(8);
  });

  it('gives timer 0 to IRQ 0 and silences the PIT under legacy replacement', () => {
    write(TIMER0, 0x04);
    write(CONFIG, 3);
    expect(board.pit.irqDisabled).toBe(true);
    write(TIMER0 + 12, 0);
    write(TIMER0 + 8, 100);
    board.run(999);
    expect(board.in(0x20) & 1).toBe(0);
    board.run(1);
    expect(board.in(0x20) & 1).toBe(1);
    write(CONFIG, 0);
    expect(board.pit.irqDisabled).toBe(false);
  });

  it('repeats a periodic timer by the period written after its first comparator', () => {
    // Instructions of 128 ns: the timer never finds the counter exactly at its comparator.
    board = new IsaBoard({ shift: 7 });
    const hits: number[] = [];
    write(TIMER0, 0x14c | (2 << 9));
    write(TIMER0 + 8, 100);
    write(TIMER0 + 8, 50);
    board.hpet.timers[0]!.interrupt = () => hits.push(board.icount);
    write(CONFIG, 1);
    board.run(20);
    expect(hits).toEqual([8, 12, 16, 20]);
  });

  it('keeps a level-triggered interrupt in the status register until it is written', () => {
    write(TIMER0, 0x06 | (5 << 9));
    write(CONFIG, 1);
    write(TIMER0 + 8, 10);
    board.run(100);
    expect(read(0x20)).toBe(1);
    write(0x20, 1);
    expect(read(0x20)).toBe(0);
  });

  it('interrupts a 32-bit one-shot timer at the wrap of the counter too', () => {
    const hits: number[] = [];
    write(COUNTER, 0xffffff00);
    write(TIMER0, 0x104 | (2 << 9));
    board.hpet.timers[0]!.interrupt = () => hits.push(board.icount);
    write(CONFIG, 1);
    write(TIMER0 + 8, 100);
    board.run(20_000);
    expect(hits).toEqual([2550, 3560]);
  });

  it('ignores accesses that are not aligned dwords', () => {
    write(CONFIG, 1);
    board.run(1000);
    expect(board.memory.read(BASE + COUNTER, 2)).toBe(0);
    expect(board.memory.read(BASE + COUNTER, 1)).toBe(0);
  });
});
