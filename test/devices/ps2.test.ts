// Oracle: IBM PS/2 hardware interface technical reference (keyboard, mouse, keyboard controller); QEMU run (7.2.22) for sequences
import { beforeEach, describe, expect, it } from 'vitest';
import { qcodeOf, qcodeOfNumber } from '../../devices/input/scancodes.js';
import { IsaBoard } from './isa-board.js';

describe('keyboard controller, keyboard and mouse', () => {
  let board: IsaBoard;
  const key = (name: string, down: boolean) => board.i8042.keyboard.event({ kind: 'key', qcode: qcodeOf(name)!, down });
  const drain = () => {
    const bytes: number[] = [];
    while (board.in(0x64) & 1) bytes.push(board.in(0x60));
    return bytes;
  };
  const toMouse = (...bytes: number[]) => {
    for (const byte of bytes) {
      board.out(0x64, 0xd4);
      board.out(0x60, byte);
    }
    return drain();
  };
  const move = (dx: number, dy: number) => {
    board.i8042.mouse.event({ kind: 'rel', axis: 0, value: dx });
    board.i8042.mouse.event({ kind: 'rel', axis: 1, value: dy });
    board.i8042.mouse.sync();
  };
  const mode = (value: number) => {
    board.out(0x64, 0x60);
    board.out(0x60, value);
  };

  beforeEach(() => {
    board = new IsaBoard();
  });

  it('sends set 2 codes, or set 1 through the translation', () => {
    key('a', true);
    key('a', false);
    key('up', true);
    expect(drain()).toEqual([0x1c, 0xf0, 0x1c, 0xe0, 0x75]);
    mode(0x41);
    key('a', true);
    key('a', false);
    key('up', false);
    expect(drain()).toEqual([0x1e, 0x9e, 0xe0, 0xc8]);
  });

  it('has Pause without a break code and Print by modifiers', () => {
    key('pause', true);
    key('pause', false);
    expect(drain()).toEqual([0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77]);
    key('alt', true);
    key('print', true);
    expect(drain()).toEqual([0x11, 0xf0, 0x11, 0x11, 0x84]);
  });

  it('passes the self-test and identifies the keyboard', () => {
    board.out(0x64, 0xaa);
    expect(drain()).toEqual([0x55]);
    board.out(0x60, 0xff);
    expect(drain()).toEqual([0xfa, 0xaa]);
    board.out(0x60, 0xf2);
    expect(drain()).toEqual([0xfa, 0xab, 0x83]);
    board.out(0x60, 0xed);
    board.out(0x60, 0x05);
    drain();
    expect(board.i8042.keyboard.leds).toBe(5);
  });

  it('raises IRQ 1 and IRQ 12 only when the mode byte asks for it', () => {
    key('b', true);
    expect(board.in(0x20) & 2).toBe(2);
    drain();
    expect(toMouse(0xf4)).toEqual([0xfa]);
    expect(board.in(0xa0) & 0x10).toBe(0x10);
    const quiet = new IsaBoard();
    quiet.out(0x64, 0x60);
    quiet.out(0x60, 0x00);
    quiet.i8042.keyboard.event({ kind: 'key', qcode: qcodeOf('b')!, down: true });
    expect([quiet.in(0x20) & 2, quiet.in(0x64) & 1]).toEqual([0, 1]);
  });

  it('holds keys back while the interface is disabled', () => {
    board.out(0x64, 0xad);
    key('c', true);
    expect(board.in(0x64) & 1).toBe(0);
    board.out(0x64, 0xae);
    expect(drain()).toEqual([0x21]);
  });

  it('buffers 16 bytes of scan codes and drops whole bytes beyond', () => {
    for (let i = 0; i < 20; i++) key('a', true);
    expect(drain()).toHaveLength(16);
  });

  it('lets replies overtake scan codes', () => {
    board.out(0x64, 0xad);
    key('a', true);
    board.out(0x60, 0xee);
    expect(drain()).toEqual([0xee, 0x1c]);
  });

  it('sends mouse movement as packets, several when it is large', () => {
    move(1, 1);
    expect(drain()).toEqual([]);
    toMouse(0xf4);
    move(5, 3);
    expect(drain()).toEqual([0x28, 5, 0xfd]);
    move(200, 0);
    expect(drain()).toEqual([0x08, 127, 0, 0x08, 73, 0]);
  });

  it('unlocks the wheel by sample rates 200, 100, 80', () => {
    toMouse(0xf3, 200, 0xf3, 100, 0xf3, 80);
    expect(toMouse(0xf2)).toEqual([0xfa, 3]);
    toMouse(0xf4);
    board.i8042.mouse.event({ kind: 'button', button: 4, down: true });
    board.i8042.mouse.event({ kind: 'button', button: 0, down: true });
    board.i8042.mouse.sync();
    expect(drain()).toEqual([0x09, 0, 0, 1]);
  });

  it('sends nothing at the end of a group without mouse events', () => {
    toMouse(0xf4);
    board.i8042.mouse.sync();
    expect(drain()).toEqual([]);
  });

  it('switches A20 and resets through the output port and port 92', () => {
    board.out(0x64, 0xd1);
    board.out(0x60, 0xdd);
    expect(board.a20).toBe(false);
    board.out(0x92, 2);
    expect(board.a20).toBe(true);
    board.out(0x64, 0xfe);
    board.out(0x92, 3);
    board.out(0x92, 3);
    expect(board.resets).toBe(2);
  });

  it('finds keys by their recorded numbers', () => {
    expect([0x1e, 0xc8, 0x37, 0x54, 0, 0x7ff].map(qcodeOfNumber)).toEqual(
      ['a', 'up', 'kp_multiply', 'sysrq', 'unmapped', 'unmapped'].map(qcodeOf),
    );
  });
});
