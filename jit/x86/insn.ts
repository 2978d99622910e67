import type { Cpu } from './cpu.js';

/** Executes one decoded instruction. On entry EIP points behind it, Cpu.insnEip at it, LEFT already counts it. */
export type Exec = (cpu: Cpu, i: Insn) => void;

/** Why a block ends behind an instruction; the numbers order nothing. */
export const END_NONE = 0;
/** EIP was set (jump, call, return). Interrupt conditions unchanged. */
export const END_JUMP = 1;
/** Port I/O and everything else that ends QEMU's block without a jump (reads the clock, may raise a line). */
export const END_IO = 2;
/** Mode, IF or the address map may have changed: the engine looks everything up anew and samples interrupts. */
export const END_SYSTEM = 3;

/** A decoded instruction. All instances have the same shape, created only by the decoder. */
export class Insn {
  exec: Exec;
  /** The table row it was decoded from. */
  row: Row;
  /** Length in bytes, 1..15. */
  length = 0;
  /** ModRM fields; `mod` is 3 for a register operand. -1 when the instruction has no ModRM byte. */
  mod = -1;
  reg = 0;
  rm = 0;
  /** Effective address: ((r[base] + (r[index] << scale) + disp) & mask) + r[segment], indices into Cpu.r. */
  base = 8;
  index = 8;
  scale = 0;
  disp = 0;
  /** -1 for 32-bit addressing, 0xffff for 16-bit. */
  mask = -1;
  /** Index into Cpu.r of the segment base used (SEG_BASE + ES..GS). */
  segment = 19;
  /** First immediate, sign-extended as the row says; second (ENTER, far pointers: selector). */
  imm = 0;
  imm2 = 0;
  /** Operand size in bits: 8, 16 or 32. */
  size = 32;
  /** Address size in bits: 16 or 32. */
  addressSize = 32;
  /** 0 none, 0xf2, 0xf3: the last repeat prefix. */
  rep = 0;
  /** 0x66 seen (for instructions where it is a mandatory prefix). */
  opsizePrefix = false;
  lock = false;
  /** Opcode byte (the last one, without prefixes and escape). */
  opcode = 0;
  /** END_*: whether a block ends behind it. */
  end = END_NONE;
  /** MODE_* bits it was decoded for. */
  mode = 0;

  constructor(row: Row, exec: Exec) {
    this.row = row;
    this.exec = exec;
  }
}

/** What follows opcode and ModRM. `v`: 16 or 32 bits by operand size; `z` the same. `sb`: 8 bits sign-extended; `a`: as wide as an address. */
export type ImmediateKind = 'none' | 'b' | 'sb' | 'w' | 'v' | 'wb' | 'far' | 'a';

/**
 * One row of the instruction table. `exec` is the reference; it may look at the operands and return a specialised function
 * (called once, when an instruction is decoded).
 */
export interface Row {
  /** Mnemonic as in the SDM, lower case. */
  readonly name: string;
  /** Opcode map. */
  readonly map: '1' | '0f' | '0f38' | '0f3a';
  /** Last opcode byte; `count` consecutive opcodes share the row (register in the low 3 bits). */
  readonly opcode: number;
  readonly count?: number;
  /** Mandatory prefix; 'none' means neither 66, F2 nor F3; absent: prefixes keep their usual meaning. */
  readonly prefix?: 'none' | '66' | 'f2' | 'f3';
  /** ModRM constraints. `digit`: the /n in reg; `form`: memory or register only; `rm`: exact rm with mod=3. */
  readonly digit?: number;
  readonly form?: 'mem' | 'reg';
  readonly rm?: number;
  readonly modrm: boolean;
  readonly imm?: ImmediateKind;
  /** 8: byte operation. 'v': 16/32 by prefix and mode. 16/32: fixed. */
  readonly size: 8 | 16 | 32 | 'v';
  /** true: LOCK is legal with a memory destination only; false: never; absent: ignored, as QEMU does. */
  readonly lockable?: boolean;
  /** Arithmetic flags read / written / left as QEMU has them (FLAG_* masks). */
  readonly reads?: number;
  readonly writes?: number;
  readonly end?: number;
  /** Picks the executor for a decoded instruction. */
  readonly exec: (i: Insn) => Exec;
  /** For the test generator: how to make a random legal instance; absent rows are generated from the fields above. */
  readonly test?: 'skip' | 'privileged' | 'control' | 'string' | 'fpu' | 'sse' | 'mmx' | 'integer';
}
