import type { AccessSize } from '../../src/core/bus.js';
import type { IsaBoard } from './isa-board.js';

/** One step of a script of device accesses. */
export type Step =
  | { op: 'in'; port: number; size: AccessSize }
  | { op: 'out'; port: number; size: AccessSize; value: number }
  | { op: 'load'; address: number }
  | { op: 'store'; address: number; value: number }
  | { op: 'delay'; turns: number };

const ROM_SIZE = 0x10000;
const ENTRY = 0x100;
const GDT = 0x20;
const GDT_POINTER = 0x40;
/** Instructions from the reset vector to the first step. */
const START_INSTRUCTIONS = 9;
const EXIT_PORT = 0x501;
const DEBUG_PORT = 0xe9;

const dword = (v: number): number[] => [v & 0xff, (v >>> 8) & 0xff, (v >>> 16) & 0xff, (v >>> 24) & 0xff];
const movEdx = (v: number): number[] => [0xba, ...dword(v)];
const movEax = (v: number): number[] => [0xb8, ...dword(v)];
const prefix = (size: AccessSize): number[] => (size === 2 ? [0x66] : []);
/** Writes EAX to the debug port: OUT, then three times SHR, OUT. */
const PRINT = [
  0xe6,
  DEBUG_PORT,
  ...[0xc1, 0xe8, 8, 0xe6, DEBUG_PORT],
  ...[0xc1, 0xe8, 8, 0xe6, DEBUG_PORT],
  ...[0xc1, 0xe8, 8, 0xe6, DEBUG_PORT],
];
const PRINT_INSTRUCTIONS = 7;

function code(step: Step): number[] {
  switch (step.op) {
    case 'in':
      return [...movEdx(step.port), ...movEax(0), ...prefix(step.size), step.size === 1 ? 0xec : 0xed, ...PRINT];
    case 'out':
      return [...movEdx(step.port), ...movEax(step.value), ...prefix(step.size), step.size === 1 ? 0xee : 0xef];
    case 'load':
      return [0xa1, ...dword(step.address), ...PRINT];
    case 'store':
      return [...movEax(step.value), 0xa3, ...dword(step.address)];
    case 'delay':
      return [0xb9, ...dword(step.turns), 0xe2, 0xfe];
  }
}

/** A 64 KiB ROM for QEMU that runs the script in 32-bit mode with interrupts off and leaves through isa-debug-exit. */
export function scriptRom(steps: readonly Step[]): Uint8Array {
  const rom = new Uint8Array(ROM_SIZE).fill(0x90);
  // Flat code (8) and data (0x10) segments.
  rom.set([0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0], GDT);
  rom.set([0x17, 0, ...dword(0xf0000 + GDT)], GDT_POINTER);
  const start = [0x2e, 0x66, 0x0f, 0x01, 0x16, GDT_POINTER, 0x00, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0];
  const flat = 0xf0000 + ENTRY + start.length + 8;
  const body = [...start, 0x66, 0xea, ...dword(flat), 0x08, 0x00, ...movEax(0x10), 0x8e, 0xd8, 0x8e, 0xd0];
  for (const step of steps) body.push(...code(step));
  body.push(...movEdx(EXIT_PORT), 0xee, 0xf4);
  if (ENTRY + body.length > 0xfff0) throw new Error(`script of ${body.length} bytes does not fit the ROM`);
  rom.set(body, ENTRY);
  rom.set([0xe9, (ENTRY - 0xfff3) & 0xff, ((ENTRY - 0xfff3) >> 8) & 0xff], 0xfff0);
  return rom;
}

/** What the same script reads on our board, with the instruction count the ROM has at each access. */
export function runScript(board: IsaBoard, steps: readonly Step[]): number[] {
  const read: number[] = [];
  // The accessing instruction counts itself, but timers that come due with it fire behind it.
  const access = (before: number, work: () => void, after: number): void => {
    board.run(before);
    board.icount++;
    work();
    board.run(after);
  };
  board.run(START_INSTRUCTIONS);
  for (const step of steps) {
    if (step.op === 'in') access(2, () => read.push(board.in(step.port, step.size)), PRINT_INSTRUCTIONS);
    else if (step.op === 'out') access(2, () => board.out(step.port, step.value, step.size), 0);
    else if (step.op === 'load') access(0, () => read.push(board.memory.read(step.address, 4)), PRINT_INSTRUCTIONS);
    else if (step.op === 'store') access(1, () => board.memory.write(step.address, step.value, 4), 0);
    else board.run(1 + step.turns);
  }
  return read;
}
