// Oracle: Motorola MC146818 data sheet; number of clock reads: recordings by QEMU 7.2.22
import { describe, expect, it } from 'vitest';
import { civilFromSeconds, secondsFromCivil } from '../../devices/timer/civil-time.js';
import { IsaBoard } from './isa-board.js';

const SECOND = 1e9;

function boardAt(iso: string): IsaBoard {
  return new IsaBoard({ dateOffsetSeconds: Date.parse(iso) / 1000 });
}
const get = (board: IsaBoard, register: number) => {
  board.out(0x70, register);
  return board.in(0x71);
};
const set = (board: IsaBoard, register: number, value: number) => {
  board.out(0x70, register);
  board.out(0x71, value);
};
/** Clock reads that `work` makes. */
const reads = (board: IsaBoard, work: () => void) => {
  const before = board.hostClock.reads;
  work();
  return board.hostClock.reads - before;
};
const irq8 = (board: IsaBoard) => board.in(0xa0) & 1;

describe('real-time clock', () => {
  it('shows date and time in BCD, 24 hours', () => {
    const board = boardAt('2024-02-28T23:59:50Z');
    board.run(11 * SECOND);
    expect([9, 8, 7, 6, 4, 2, 0, 0x32].map((r) => get(board, r))).toEqual([0x24, 0x02, 0x29, 5, 0x00, 0x00, 0x01, 0x20]);
    expect(get(board, 0x37)).toBe(0x20);
  });

  it('shows 12 hours with the PM bit, and binary', () => {
    const board = boardAt('2024-07-01T13:30:00Z');
    set(board, 0x0b, 0x00);
    expect(get(board, 4)).toBe(0x81);
    set(board, 0x0b, 0x06);
    expect([get(board, 4), get(board, 2)]).toEqual([13, 30]);
  });

  it('reads the clock as often as QEMU: 5 times at creation, 3 at reset, and so on', () => {
    const board = boardAt('2024-01-01T00:00:00Z');
    expect(board.hostClock.reads).toBe(8);
    expect(reads(board, () => board.rtc.reset())).toBe(3);
    expect(reads(board, () => get(board, 0))).toBe(1);
    expect(reads(board, () => get(board, 0x0a))).toBe(2);
    expect(reads(board, () => get(board, 0x0c))).toBe(0);
    expect(reads(board, () => get(board, 0x0f))).toBe(0);
    expect(reads(board, () => set(board, 1, 0x30))).toBe(3);
    expect(reads(board, () => set(board, 0, 0x30))).toBe(5);
    expect(reads(board, () => set(board, 0x0b, 0x42))).toBe(4);
    expect(reads(board, () => set(board, 0x0a, 0x2a))).toBe(4);
    expect(reads(board, () => set(board, 0x0f, 1))).toBe(0);
    expect(reads(board, () => board.run(2 * SECOND))).toBe(5);
  });

  it('interrupts at every update, and clears the flags when register C is read', () => {
    const board = boardAt('2024-01-01T00:00:00Z');
    set(board, 0x0b, 0x12);
    board.run(SECOND - 1);
    expect(irq8(board)).toBe(0);
    board.run(1);
    expect(irq8(board)).toBe(1);
    expect(get(board, 0x0c)).toBe(0x90);
    expect(get(board, 0x0c)).toBe(0);
  });

  it('interrupts at the alarm time', () => {
    const board = boardAt('2024-01-01T00:00:00Z');
    set(board, 5, 0xc0);
    set(board, 3, 0x01);
    set(board, 1, 0x30);
    set(board, 0x0b, 0x22);
    board.run(90 * SECOND - 1);
    expect(get(board, 0x0c)).toBe(0x10);
    board.run(1);
    expect(get(board, 0x0c)).toBe(0xb0);
  });

  it.each([
    [0x26, 976_562],
    [0x2f, 500_000_000],
    [0x21, 3_906_250],
  ])('interrupts periodically at the rate of register A (%i)', (registerA, periodNs) => {
    const board = boardAt('2024-01-01T00:00:00Z');
    set(board, 0x0a, registerA);
    set(board, 0x0b, 0x42);
    board.run(periodNs - 2);
    expect(get(board, 0x0c) & 0x40).toBe(0);
    board.run(3);
    expect(get(board, 0x0c) & 0xc0).toBe(0xc0);
  });

  it('stands still while SET is on and goes on from what was written', () => {
    const board = boardAt('2024-01-01T00:00:00Z');
    set(board, 0x0b, 0x82);
    set(board, 4, 0x12);
    board.run(5 * SECOND);
    expect([get(board, 4), get(board, 0)]).toEqual([0x12, 0x00]);
    set(board, 0x0b, 0x02);
    board.run(3 * SECOND);
    expect([get(board, 4), get(board, 0)]).toEqual([0x12, 0x03]);
  });

  it('shows UIP during the last 244 us of a second', () => {
    const board = boardAt('2024-01-01T00:00:00Z');
    board.run(SECOND - 245_000);
    expect(get(board, 0x0a)).toBe(0x26);
    board.run(1000);
    expect(get(board, 0x0a)).toBe(0xa6);
    board.run(244_200);
    expect(get(board, 0x0a)).toBe(0x26);
  });

  it('converts dates both ways like the host', () => {
    for (let seconds = -3_000_000_000; seconds < 8_000_000_000; seconds += 86_413 * 41) {
      const date = new Date(seconds * 1000);
      const civil = civilFromSeconds(seconds);
      expect([civil.year, civil.month, civil.day, civil.weekday]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay(),
      ]);
      expect([civil.hour, civil.minute, civil.second]).toEqual([date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]);
      expect(secondsFromCivil(civil)).toBe(seconds);
    }
  });
});
