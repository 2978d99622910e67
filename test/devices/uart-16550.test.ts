// Oracle: National Semiconductor PC16550D data sheet
import { beforeEach, describe, expect, it } from 'vitest';
import { IsaBoard } from './isa-board.js';

const COM1 = 0x3f8;

describe('16550A', () => {
  let board: IsaBoard;
  const out = (register: number, value: number) => board.out(COM1 + register, value);
  const input = (register: number) => board.in(COM1 + register);
  const receive = (text: string) => board.uart.receive(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  const irq4 = () => (board.in(0x20) & 0x10) !== 0;

  beforeEach(() => {
    board = new IsaBoard();
  });

  it('sends a byte at once and interrupts for the empty transmitter until IIR is read', () => {
    out(1, 2);
    expect(input(2)).toBe(0x02);
    expect(input(2)).toBe(0x01);
    out(0, 0x41);
    expect(board.sent).toEqual([0x41]);
    expect(input(5)).toBe(0x60);
    expect(input(2)).toBe(0x02);
    expect(irq4()).toBe(true);
  });

  it('receives one byte without FIFO and reports an overrun', () => {
    out(1, 1);
    expect(board.uart.canReceive()).toBe(1);
    receive('x');
    expect(board.uart.canReceive()).toBe(0);
    expect([input(2), input(5) & 1, input(0)]).toEqual([0x04, 1, 0x78]);
    receive('y');
    receive('z');
    expect([input(5), input(5), input(0)]).toEqual([0x63, 0x61, 0x7a]);
  });

  it('interrupts at the trigger level of the FIFO', () => {
    out(2, 0x41);
    out(1, 1);
    expect(board.uart.canReceive()).toBe(4);
    receive('abc');
    expect(input(2)).toBe(0xc1);
    receive('d');
    expect(input(2)).toBe(0xc4);
    expect([input(0), input(0), input(0), input(0), input(0)]).toEqual([0x61, 0x62, 0x63, 0x64, 0]);
  });

  it('interrupts for fewer bytes after four characters of silence', () => {
    out(3, 0x80);
    out(0, 1);
    out(3, 0x03);
    out(2, 0xc1);
    out(1, 1);
    receive('q');
    const characterNs = Math.trunc((1e9 / 115200) * 10);
    board.run(4 * characterNs - 8);
    expect(input(2)).toBe(0xc1);
    board.run(16);
    expect(input(2)).toBe(0xcc);
    input(0);
    expect(input(2)).toBe(0xc1);
  });

  it('clears both FIFOs when they are switched on or off', () => {
    out(2, 0x01);
    receive('abc');
    out(2, 0x00);
    expect(input(5)).toBe(0x60);
    expect(input(2) & 0xc0).toBe(0);
  });

  it('loops back data and modem lines', () => {
    out(4, 0x1b);
    out(0, 0x55);
    expect(board.sent).toEqual([]);
    expect(input(0)).toBe(0x55);
    expect(input(6)).toBe(0xb0);
    out(4, 0x14);
    expect(input(6)).toBe(0x40);
  });

  it('keeps divisor, scratch and line control', () => {
    out(3, 0x83);
    out(0, 0x34);
    out(1, 0x12);
    expect([input(0), input(1)]).toEqual([0x34, 0x12]);
    out(3, 0x03);
    out(7, 0x99);
    expect([input(3), input(7)]).toEqual([0x03, 0x99]);
  });

  it('reports a break with a zero byte', () => {
    out(1, 4);
    board.uart.receiveBreak();
    expect([input(2), input(5), input(5) & 0x10]).toEqual([0x06, 0x71, 0]);
  });
});
