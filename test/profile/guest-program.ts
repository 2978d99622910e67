import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { type FunctionStarts, Profiler, type ProfilerLimits } from '../../jit/x86/profile/profiler.js';
import { EFLAGS, EIP, ESP } from '../../jit/x86/regs.js';
import { buildProfile } from '../../src/profile/build-profile.js';
import { folded } from '../../src/profile/formats/folded.js';
import type { ProfileData } from '../../src/profile/profile-data.js';
import { SymbolTable } from '../../src/profile/symbol-table.js';
import { TestMachine } from '../jit/two-machines.js';

const STACK = 0x3f000;
const GDT = 0x500;
const IDT = 0x600;

/** A program of a few functions, put together by hand: `here` gives addresses, labels may be used before they are set. */
export class Assembler {
  readonly bytes: number[] = [];
  readonly labels = new Map<string, number>();
  private readonly fixups: { at: number; label: string; relative: boolean }[] = [];
  readonly base: number;

  constructor(base = 0x1000) {
    this.base = base;
  }

  get here(): number {
    return this.base + this.bytes.length;
  }

  label(name: string): this {
    this.labels.set(name, this.here);
    return this;
  }

  put(...bytes: number[]): this {
    this.bytes.push(...bytes);
    return this;
  }

  /** An opcode and a 32-bit distance to a label. */
  to(label: string, ...opcode: number[]): this {
    this.put(...opcode);
    this.fixups.push({ at: this.bytes.length, label, relative: true });
    return this.put(0, 0, 0, 0);
  }

  /** An opcode and the address of a label. */
  address(label: string, ...opcode: number[]): this {
    this.put(...opcode);
    this.fixups.push({ at: this.bytes.length, label, relative: false });
    return this.put(0, 0, 0, 0);
  }

  nops(count: number): this {
    return this.put(...new Array<number>(count).fill(0x90));
  }

  call(label: string): this {
    return this.to(label, 0xe8);
  }

  jmp(label: string): this {
    return this.to(label, 0xe9);
  }

  ret(): this {
    return this.put(0xc3);
  }

  finish(): Uint8Array {
    for (const { at, label, relative } of this.fixups) {
      const target = this.labels.get(label);
      if (target === undefined) throw new Error(`no label ${label}`);
      const value = relative ? target - (this.base + at + 4) : target;
      for (let k = 0; k < 4; k++) this.bytes[at + k] = (value >>> (8 * k)) & 0xff;
    }
    return Uint8Array.from(this.bytes);
  }

  at(label: string): number {
    return this.labels.get(label)!;
  }

  /** Its labels as symbols. */
  symbols(): SymbolTable {
    return new SymbolTable([...this.labels].map(([name, address]) => ({ address, name, code: true, global: true })));
  }
}

export interface Profiled {
  readonly profiler: Profiler;
  readonly data: ProfileData;
  readonly machine: TestMachine;
  readonly icount: number;
  /** Stack, names by labels -> instructions. */
  readonly stacks: Readonly<Record<string, number>>;
}

export interface ProgramOptions {
  readonly jit?: JitMode;
  readonly instructions: number;
  /** Name functions by the labels from the beginning. */
  readonly symbols?: boolean;
  readonly limits?: Partial<ProfilerLimits>;
  /** Symbols in the place of the labels. */
  readonly table?: SymbolTable;
  /** Slice lengths, in turn. */
  readonly slices?: readonly number[];
  /** Interrupt vectors by label. */
  readonly vectors?: Readonly<Record<number, string>>;
}

/** Runs a program from its start under a profiler, flat and in ring 0. */
export function profileProgram(program: Assembler, options: ProgramOptions): Profiled {
  const machine = new TestMachine();
  const { cpu, memory } = machine;
  const words = (at: number, ...values: number[]): void => {
    for (const [k, v] of values.entries()) memory.dv.setInt32(at + 4 * k, v, true);
  };
  memory.u8.set(program.finish(), program.base);
  words(GDT, 0, 0, 0xffff, 0xcf9b00, 0xffff, 0xcf9300);
  for (const [vector, label] of Object.entries(options.vectors ?? {}))
    words(IDT + 8 * Number(vector), (8 << 16) | program.at(label), 0x8e00);
  Object.assign(cpu, { gdtBase: GDT, gdtLimit: 23, idtBase: IDT, idtLimit: 0x7ff });
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { r } = cpu;
  r[ESP] = STACK;
  r[EIP] = program.base;
  r[EFLAGS] = 2;
  const symbols = options.table ?? program.symbols();
  const starts: FunctionStarts | null = options.symbols === true ? symbols : null;
  const profiler = new Profiler(cpu, starts, options.limits);
  const engine = new Engine(cpu, { jit: options.jit ?? 'off', hot: 20, observer: () => profiler });
  const slices = options.slices ?? [options.instructions];
  for (let k = 0; engine.icount < options.instructions; k++) {
    const end = engine.run(Math.min(slices[k % slices.length]!, options.instructions - engine.icount));
    if (end === 'shutdown' || end === 'halt') throw new Error(`the program ended in ${end} at ${engine.icount}`);
  }
  const data = buildProfile(profiler, symbols, 1000);
  const stacks: Record<string, number> = {};
  for (const line of folded(data)) {
    const space = line.lastIndexOf(' ');
    stacks[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return { profiler, data, machine, icount: engine.icount, stacks };
}
