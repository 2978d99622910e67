import type { Generated } from '../../jit/core/compile.js';
import type { Optimiser } from '../../jit/core/optimiser.js';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { EFLAGS, EIP, ESP } from '../../jit/x86/regs.js';
import { intRows } from '../../jit/x86/table/index.js';
import { stringRows } from '../../jit/x86/table/string.js';
import { operand, type Random, randomInsn } from './random-code.js';
import { DEVICE_BASE, TestMachine } from './two-machines.js';

const rows = [...intRows, ...stringRows].filter((r) => r.test !== 'skip' && r.test !== 'privileged' && r.test !== 'control');

const GDT = 0x500;
const IDT = 0x600;
const HANDLER = 0x800;
const CODE = 0x1000;
const CODE_BYTES = 0x1800;
const STACK = 0x3f000;
const TABLE = 0x1f0000;

/** Flat segments, and an IDT whose every gate goes on at another block of the program. */
function layOutSystem(m: TestMachine, starts: readonly number[]): void {
  const { dv } = m.memory;
  [0, 0, 0xffff, 0xcf9b00, 0xffff, 0xcf9300].forEach((word, k) => {
    dv.setInt32(GDT + 4 * k, word, true);
  });
  for (let vector = 0; vector < 32; vector++) {
    dv.setInt32(IDT + 8 * vector, (8 << 16) | HANDLER, true);
    dv.setInt32(IDT + 8 * vector + 4, 0x8e00, true);
  }
  const handler = [
    ...[0xbc, STACK & 0xff, (STACK >> 8) & 0xff, STACK >> 16, 0], // mov esp, STACK
    ...[0x83, 0x05, 0x00, 0x0a, 0, 0, 4], // add dword [0xa00], 4
    ...[0x8b, 0x1d, 0x00, 0x0a, 0, 0], // mov ebx, [0xa00]
    ...[0x81, 0xe3, 0xfc, 0, 0, 0], // and ebx, 0xfc
    ...[0xff, 0xa3, 0x00, 0x0b, 0, 0], // jmp [ebx + 0xb00]
  ];
  m.memory.u8.set(handler, HANDLER);
  for (let k = 0; k < 64; k++) dv.setInt32(0xb00 + 4 * k, CODE + starts[(k * 7) % starts.length]!, true);
  m.cpu.gdtBase = GDT;
  m.cpu.gdtLimit = 23;
  m.cpu.idtBase = IDT;
  m.cpu.idtLimit = 0xff;
}

/** Blocks one behind the other, ending in jumps to each other's starts. */
export function randomProgram(random: Random): Program {
  const starts: number[] = [0];
  const bytes: number[] = [];
  while (bytes.length < CODE_BYTES - 200) {
    for (let n = 1 + random.below(8); n > 0; n--) bytes.push(...randomInsn(random, random.pick(rows), true));
    // A register that may point at memory again, or into the code.
    bytes.push(0xb8 + random.pick([0, 1, 2, 3, 5, 6, 7]));
    const target = random.chance(5)
      ? CODE + random.below(CODE_BYTES)
      : random.chance(5)
        ? DEVICE_BASE + random.below(0xff0)
        : 0x10000 + random.below(0x80000);
    bytes.push(target & 0xff, (target >> 8) & 0xff, (target >> 16) & 0xff, target >>> 24);
    const to = random.chance(25) ? random.pick(starts) : bytes.length + 6;
    const end = bytes.length + 6;
    bytes.push(0x0f, 0x80 + random.below(16), ...[0, 8, 16, 24].map((s) => ((to - end) >> s) & 0xff));
    starts.push(bytes.length);
  }
  bytes.push(0xe9, ...[0, 8, 16, 24].map((s) => ((-bytes.length - 5) >> s) & 0xff));
  return { bytes, starts };
}

export interface Program {
  readonly bytes: readonly number[];
  /** Offsets of its blocks. */
  readonly starts: readonly number[];
}

export interface Run {
  readonly machine: TestMachine;
  readonly engine: Engine;
}

/** A machine that stands before a program, its engine translating what was executed `hot` times. */
export function makeRun(
  jit: JitMode,
  program: Program,
  registers: readonly number[],
  paging: boolean,
  hot = 20,
  optimiser?: Optimiser,
): Run {
  const machine = new TestMachine();
  layOutSystem(machine, program.starts);
  machine.memory.u8.set(program.bytes, CODE);
  if (paging) machine.paging(TABLE, (page) => (page >= 0x40 && page % 13 === 5 ? 0 : page >= 0x40 && page % 11 === 3 ? 5 : 7));
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { r } = machine.cpu;
  r.set(registers);
  r[ESP] = STACK;
  r[EIP] = CODE;
  r[EFLAGS] = 2;
  return { machine, engine: new Engine(machine.cpu, { jit, hot, optimiser }) };
}

/** Says that a function is optimised when it was asked so many times, whatever V8 does: until then translations are tried, and published later. */
export class SlowOptimiser implements Optimiser {
  private readonly looks = new WeakMap<Generated, number>();
  private readonly patience: number;
  constructor(patience: number) {
    this.patience = patience;
  }
  request(generated: Generated): void {
    this.looks.set(generated, 0);
  }
  isOptimised(generated: Generated): boolean {
    const looks = this.looks.get(generated);
    if (looks === undefined) return false;
    this.looks.set(generated, looks + 1);
    return looks >= this.patience;
  }
}

/** Registers to begin with: mostly addresses of memory. */
export function randomRegisters(random: Random): number[] {
  return Array.from({ length: 8 }, () => (random.chance(70) ? 0x10000 + random.below(0x80000) : operand(random)));
}
