// Oracle: QEMU run (7.2.22), the counting rules of t1 and t3; self-consistency for slicing
import { describe, expect, it } from 'vitest';
import { REQUEST_HARD, REQUEST_NMI, REQUEST_POLL } from '../../jit/x86/cpu.js';
import { EAX, ECX, EIP } from '../../jit/x86/regs.js';
import { bytesOf, TinyBoard } from './tiny-board.js';

/** A 64 KiB ROM with 16-bit code at its start (F000:0000) and the reset jump. */
function rom(code: string): Uint8Array {
  const bytes = new Uint8Array(0x10000).fill(0xf4);
  bytes.set(bytesOf(code));
  bytes.set(bytesOf('ea 00 00 00 f0'), 0xfff0);
  return bytes;
}

/** IVT entry `vector` -> F000:offset. */
function setVector(board: TinyBoard, vector: number, offset: number): void {
  board.memory.dv.setUint32(vector * 4, (0xf000 << 16) | offset, true);
}

describe('Engine', () => {
  it('stops exactly at the budget, in the middle of a block', () => {
    // 0: inc ax (x8); jmp 0
    const board = new TinyBoard({ rom: rom('40 40 40 40 40 40 40 40 eb f6') });
    expect(board.engine.run(1 + 20)).toBe('budget');
    expect(board.engine.icount).toBe(21);
    expect(board.cpu.r[EAX]).toBe(18);
    expect(board.cpu.r[EIP]).toBe(2);
  });

  it('reaches the same state however the run is sliced', () => {
    // mov cx,50; again: add ax,cx; rep movsb-free loop; push ax; pop bx; loop again; hlt
    const code = 'b9 32 00 01 c8 50 5b e2 fa f4';
    const whole = new TinyBoard({ rom: rom(code) });
    expect(whole.engine.run(100_000)).toBe('halt');
    const sliced = new TinyBoard({ rom: rom(code) });
    while (!sliced.engine.halted) sliced.engine.run(3);
    expect(sliced.engine.icount).toBe(whole.engine.icount);
    expect([...sliced.cpu.r]).toEqual([...whole.cpu.r]);
  });

  it('counts HLT, stays halted until there is work, and takes the interrupt without counting', () => {
    // mov sp,1000; sti; hlt; inc ax; hlt | 20: mov al,1; out e9,al; iret
    const image = rom('bc 00 10 fb f4 40 f4');
    image.set(bytesOf('e6 e9 cf'), 0x20);
    const board = new TinyBoard({ rom: image });
    setVector(board, 8, 0x20);
    expect(board.engine.run(1000)).toBe('halt');
    expect(board.engine.icount).toBe(4);
    expect(board.engine.wake()).toBe(false);
    board.vector = 8;
    board.cpu.interruptRequest |= REQUEST_HARD;
    expect(board.engine.wake()).toBe(true);
    expect(board.engine.run(1000)).toBe('halt');
    expect(board.events.map((e) => [e.kind, e.icount])).toEqual([
      ['interrupt', 4],
      ['write', 5],
    ]);
    expect(board.engine.icount).toBe(8);
  });

  it('keeps interrupts out for one instruction behind STI, and MOV SS inside that shadow does not extend it', () => {
    // mov sp,1000; sti; mov ss,bx; inc ax; hlt
    const image = rom('bc 00 10 fb 8e d3 40 f4');
    image.set(bytesOf('f4'), 0x20);
    const board = new TinyBoard({ rom: image });
    setVector(board, 8, 0x20);
    board.vector = 8;
    board.cpu.interruptRequest |= REQUEST_HARD;
    board.engine.run(1000);
    expect(board.events).toEqual([{ kind: 'interrupt', value: 8, icount: 4 }]);
    expect(board.cpu.r[EAX]).toBe(0);
  });

  it('consumes a POLL request at a boundary of its own and reports nothing', () => {
    const board = new TinyBoard({ rom: rom('40 eb fd') });
    board.cpu.interruptRequest |= REQUEST_POLL | REQUEST_NMI;
    setVector(board, 2, 0x100);
    board.engine.run(50);
    expect(board.apicPolls).toBe(1);
    expect(board.events.map((e) => [e.kind, e.icount])).toEqual([['interrupt', 1]]);
  });

  it('does not count a #DE, counts a #UD, and can provoke the uncounted one outside the count', () => {
    // mov sp,1000; ud2; xor cx,cx; div cx | 20: (#UD) pop bx; add bx,2; push bx; iret | 30: hlt
    const image = rom('bc 00 10 0f 0b 31 c9 f7 f1');
    image.set(bytesOf('5b 83 c3 02 53 cf'), 0x20);
    const board = new TinyBoard({ rom: image });
    setVector(board, 6, 0x20);
    setVector(board, 0, 0x30);
    board.engine.run(8);
    expect(board.events).toEqual([{ kind: 'exception', value: 6, icount: 3 }]);
    expect(board.engine.icount).toBe(8);
    expect(board.engine.provokeException()).toBe(true);
    expect(board.engine.icount).toBe(8);
    expect(board.events[1]).toEqual({ kind: 'exception', value: 0, icount: 8 });
    expect(board.cpu.r[EIP]).toBe(0x30);
  });

  it('executes the new bytes when a store changes the very next instruction', () => {
    // RAM at 0:8000: mov byte [8006],41 (inc cx); nop... -> patched; hlt
    const image = rom('ea 00 80 00 00');
    const board = new TinyBoard({ rom: image });
    board.memory.u8.set(bytesOf('c6 06 05 80 41 40 f4'), 0x8000);
    expect(board.engine.run(1000)).toBe('halt');
    expect([board.cpu.r[EAX], board.cpu.r[ECX]]).toEqual([0, 1]);
  });

  it('sees code that DMA replaced', () => {
    const board = new TinyBoard({ rom: rom('ea 00 80 00 00') });
    board.memory.u8.set(bytesOf('40 eb fd'), 0x8000);
    board.engine.run(12);
    board.memory.writeBytes(0x8000, bytesOf('f4'));
    expect(board.engine.run(12)).toBe('halt');
  });

  it('ends with shutdown on a triple fault', () => {
    // lidt [cs:10]; int 3
    const image = rom('2e 0f 01 1e 10 00 cc');
    image.fill(0, 0x10, 0x16);
    const board = new TinyBoard({ rom: image });
    expect(board.engine.run(100)).toBe('shutdown');
    expect(board.events.map((e) => e.value)).toEqual([3, 13, 8]);
  });
});
