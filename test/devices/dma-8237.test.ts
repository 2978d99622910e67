// Oracle: Intel 8237A data sheet (231466)
import { beforeEach, describe, expect, it } from 'vitest';
import { IsaBoard } from './isa-board.js';

describe('8237A pair', () => {
  let board: IsaBoard;
  const program = (mode: number, address: number, count: number) => {
    board.out(0x0c, 0);
    board.out(0x0b, mode | 2);
    for (const byte of [address & 0xff, (address >> 8) & 0xff]) board.out(0x04, byte);
    for (const byte of [count & 0xff, count >> 8]) board.out(0x05, byte);
    board.out(0x81, address >> 16);
  };

  beforeEach(() => {
    board = new IsaBoard();
    board.memory.map(0, 0x40000, board.memory.allocate(0x40000), 0);
  });

  it('moves a block when it is requested and unmasked, and reports terminal count', () => {
    const channel = board.dma.bytes.channels[2]!;
    channel.transfer = (position, length) => {
      board.dma.bytes.writeMemory(
        2,
        Uint8Array.from({ length: length - position }, (_, i) => i + 1),
        position,
      );
      return length;
    };
    program(0x44, 0x21000, 3);
    board.dma.bytes.setRequest(2, true);
    expect(board.memory.read(0x21000, 4)).toBe(0);
    board.out(0x0a, 2);
    expect(board.memory.read(0x21000, 4)).toBe(0x04030201);
    expect(board.in(0x08)).toBe(0x44);
    expect(board.in(0x08)).toBe(0x40);
  });

  it('has page registers that take two bytes at any address, but not four', () => {
    for (const [i, port] of [0x81, 0x82, 0x83, 0x87].entries()) board.out(port, 0x10 + i);
    const wide = (port: number, size: 2 | 4): number => board.ports.read(port, size);
    expect([wide(0x81, 2), wide(0x82, 2), wide(0x83, 2), wide(0x87, 2)]).toEqual([0x1110, 0x1211, 0xff12, 0xff13]);
    expect([wide(0x81, 4), wide(0x82, 4)]).toEqual([0xffffffff, 0xffffffff]);
    board.ports.write(0x81, 0x8765, 2);
    board.ports.write(0x83, 0x4321, 2);
    board.ports.write(0x81, 0, 4);
    expect([0x81, 0x82, 0x83, 0x87].map((port) => board.in(port))).toEqual([0x65, 0x87, 0x21, 0x13]);
  });

  it('counts address up and count down as bytes move, through the byte flip-flop', () => {
    board.dma.bytes.channels[2]!.transfer = () => 2;
    program(0x48, 0x21000, 9);
    board.out(0x0a, 2);
    board.dma.bytes.setRequest(2, true);
    board.out(0x0c, 0);
    expect([board.in(0x04), board.in(0x04), board.in(0x05), board.in(0x05)]).toEqual([0x02, 0x10, 7, 0]);
  });

  it('moves nothing on a verify transfer', () => {
    program(0x40, 0x21000, 3);
    board.dma.bytes.writeMemory(2, Uint8Array.of(1, 2, 3, 4), 0);
    expect(board.memory.read(0x21000, 4)).toBe(0);
  });

  it('masks everything on master clear, which keeps the page registers', () => {
    board.out(0x87, 0x12);
    board.out(0x0e, 0);
    board.out(0x0d, 0);
    expect([board.in(0x09), board.in(0x87)]).toEqual([0x0f | 0xf0, 0x12]);
  });

  it('counts words on the second controller, at every second port', () => {
    board.out(0xd8, 0);
    for (const byte of [0x34, 0x12]) board.out(0xc4, byte);
    board.out(0xd8, 0);
    expect([board.in(0xc4), board.in(0xc4)]).toEqual([0x34, 0x12]);
    expect(board.dma.words.channels[1]!.address).toBe(0x2468);
  });
});
