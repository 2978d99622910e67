// Oracle: Intel 8254 data sheet (231164), "Mode definitions" and "Read operations"
import { beforeEach, describe, expect, it } from 'vitest';
import { PIT_HZ } from '../../devices/timer/pit-channel.js';
import { IsaBoard } from './isa-board.js';

const clocksToNs = (clocks: number) => Math.ceil((clocks * 1e9) / PIT_HZ);

describe('8254 timer', () => {
  let board: IsaBoard;

  const program = (channel: number, mode: number, count: number) => {
    board.out(0x43, (channel << 6) | 0x30 | (mode << 1));
    board.out(0x40 + channel, count & 0xff);
    board.out(0x40 + channel, count >> 8);
  };
  const count = (channel: number) => {
    board.out(0x43, channel << 6);
    return board.in(0x40 + channel) | (board.in(0x40 + channel) << 8);
  };
  const irr0 = () => board.in(0x20) & 1;

  beforeEach(() => {
    board = new IsaBoard();
  });

  it('counts down once per input clock in mode 2 and starts over', () => {
    program(0, 2, 1000);
    board.run(clocksToNs(400));
    expect(count(0)).toBe(600);
    board.run(clocksToNs(1000));
    expect(count(0)).toBeGreaterThanOrEqual(599);
    expect(count(0)).toBeLessThanOrEqual(600);
  });

  it('counts by two in mode 3', () => {
    program(0, 3, 1000);
    board.run(clocksToNs(100));
    expect(count(0)).toBe(800);
  });

  it('raises the interrupt at terminal count in mode 0', () => {
    program(0, 0, 100);
    expect(irr0()).toBe(0);
    board.run(clocksToNs(100) - 2);
    expect(irr0()).toBe(0);
    board.run(3);
    expect(irr0()).toBe(1);
  });

  it('reads a latched count that stands still until it is read', () => {
    program(2, 2, 0x2000);
    board.out(0x61, 1);
    board.out(0x43, 0x80);
    board.run(100_000);
    expect(board.in(0x42) | (board.in(0x42) << 8)).toBe(0x2000);
    expect(board.in(0x42) | (board.in(0x42) << 8)).toBeLessThan(0x2000);
  });

  it('reads back output, access mode and mode of several channels', () => {
    program(0, 2, 1000);
    program(2, 3, 1000);
    board.out(0x43, 0xea);
    expect(board.in(0x40) & 0x3f).toBe(0x34);
    expect(board.in(0x42)).toBe(0xb6);
  });

  it('takes 0 for 65536', () => {
    program(0, 2, 0);
    board.run(clocksToNs(1));
    expect(count(0)).toBe(65535);
  });

  it('shows channel 2 at port 61, restarts it by its gate, and toggles the refresh bit', () => {
    program(2, 1, 1000);
    expect(board.in(0x61) & 0x21).toBe(0x20);
    board.run(clocksToNs(1001));
    expect(board.in(0x61) & 0x20).toBe(0);
    board.out(0x61, 1);
    expect(board.in(0x61) & 0x21).toBe(0x21);
    expect((board.in(0x61) ^ board.in(0x61)) & 0x10).toBe(0x10);
  });
});
