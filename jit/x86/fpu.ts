import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import type { Cpu } from './cpu.js';
import { MF, raiseFault } from './fault.js';
import type { Floatx80 } from './softfloat/floatx80.js';
import { FloatStatus, PRECISION_DOUBLE, PRECISION_EXTENDED, PRECISION_SINGLE } from './softfloat/status.js';

/** Status word: condition codes, error summary, busy (SDM Vol. 1, 8.1.3). The exception flags are FP_* (softfloat/status.ts). */
export const SW_C0 = 0x0100;
export const SW_C1 = 0x0200;
export const SW_C2 = 0x0400;
export const SW_C3 = 0x4000;
export const SW_CONDITION = SW_C0 | SW_C1 | SW_C2 | SW_C3;
export const SW_ES = 0x0080;
export const SW_BUSY = 0x8000;
const SW_TOP = 0x3800;

/** Control word after FNINIT: everything masked, 64 bits, round to nearest. */
const CONTROL_WORD_INIT = 0x037f;
const EXCEPTIONS = 0x3f;
const CR0_NE = 0x20;

/** CW.PC to significand bits; the reserved value 1 means 64. */
const PRECISION = [PRECISION_SINGLE, PRECISION_EXTENDED, PRECISION_DOUBLE, PRECISION_EXTENDED];

/**
 * State of the x87 (SDM Vol. 1, chapter 8) as QEMU 7.2 keeps it. Registers are physical R0..R7: ST(i) is R(top + i), MMi is the
 * significand of Ri. Differences from hardware are QEMU's: no stack faults (a pop of an empty register pops what is there), C1 tells nothing
 * about rounding, denormal operands raise nothing but in FXTRACT, unmasked exceptions still write the result, and only FWAIT and FNOP look
 * whether an error is pending.
 */
export class Fpu implements StatefulPart {
  readonly schema: StateSchema = {
    name: 'x87',
    version: 1,
    fields: {
      mantLo: 'u32s',
      mantHi: 'u32s',
      signExp: 'u32s',
      empty: 'bytes',
      top: 'u8',
      statusWord: 'u16',
      controlWord: 'u16',
      instructionSelector: 'u16',
      instructionOffset: 'i32',
      dataSelector: 'u16',
      dataOffset: 'i32',
      ignne: 'bool',
    },
  };

  /** Significands, low and high words: also the MMX registers. */
  readonly mantLo = new Uint32Array(8);
  readonly mantHi = new Uint32Array(8);
  /** Sign and exponent (16 bits used); MMX instructions leave them alone in QEMU. */
  readonly signExp = new Uint32Array(8);
  /** 1: tagged empty. */
  readonly empty = new Uint8Array(8);
  /** R-number of ST(0). */
  top = 0;
  /** Without TOP. */
  statusWord = 0;
  controlWord = CONTROL_WORD_INIT;
  /** CS:EIP of the last instruction, and operand of the last one that had one in memory. */
  instructionSelector = 0;
  instructionOffset = 0;
  dataSelector = 0;
  dataOffset = 0;
  /** IGNNE#: the board holds back FERR# (port F0h was written) until no error is pending. */
  ignne = false;

  /** Modes of the arithmetic: CW.RC and CW.PC. Its flags are cleared before each operation. */
  readonly status = new FloatStatus();

  constructor() {
    this.reset();
  }

  /** Processor reset: as FNINIT, and registers 0. */
  reset(): void {
    this.mantLo.fill(0);
    this.mantHi.fill(0);
    this.signExp.fill(0);
    this.ignne = false;
    this.init();
  }

  afterRestore(): void {
    this.setControlWord(this.controlWord);
  }

  /** FNINIT. */
  init(): void {
    this.statusWord = 0;
    this.top = 0;
    this.instructionSelector = 0;
    this.instructionOffset = 0;
    this.dataSelector = 0;
    this.dataOffset = 0;
    this.setControlWord(CONTROL_WORD_INIT);
    this.empty.fill(1);
  }

  /** FLDCW. Does not look whether an error is pending now. */
  setControlWord(value: number): void {
    this.controlWord = value;
    this.status.roundingMode = (value >> 10) & 3;
    this.status.precision = PRECISION[(value >> 8) & 3]!;
  }

  /** FNSTSW. */
  getStatusWord(): number {
    return this.statusWord | (this.top << 11);
  }

  /** FLDENV, FRSTOR, FXRSTOR: ES stays as loaded, B follows it. */
  setStatusWord(value: number): void {
    this.top = (value >> 11) & 7;
    this.statusWord = value & ~(SW_TOP | SW_BUSY) & 0xffff;
    if ((value & SW_ES) !== 0) this.statusWord |= SW_BUSY;
    else this.ignne = false;
  }

  /** Copies ST(i) to `out`. */
  get(i: number, out: Floatx80): void {
    const n = (this.top + i) & 7;
    out.signExp = this.signExp[n]!;
    out.hi = this.mantHi[n]! | 0;
    out.lo = this.mantLo[n]! | 0;
  }

  /** Writes ST(i); its tag stays. */
  put(i: number, value: Floatx80): void {
    const n = (this.top + i) & 7;
    this.signExp[n] = value.signExp;
    this.mantHi[n] = value.hi;
    this.mantLo[n] = value.lo;
  }

  /** Makes room for a new ST(0), tagged valid, and writes it. */
  push(value: Floatx80): void {
    this.top = (this.top - 1) & 7;
    this.empty[this.top] = 0;
    this.put(0, value);
  }

  pop(): void {
    this.empty[this.top] = 1;
    this.top = (this.top + 1) & 7;
  }

  /** What every MMX instruction but EMMS does first. */
  enterMmx(): void {
    this.top = 0;
    this.empty.fill(0);
  }

  /** EMMS. */
  leaveMmx(): void {
    this.empty.fill(1);
  }

  /** Adds what the arithmetic raised since `status.flags` was cleared to the status word. */
  mergeExceptions(): void {
    this.raise(this.status.flags);
  }

  /** FP_* bits: sets them, and ES and B if any flag in the status word is unmasked. */
  raise(flags: number): void {
    this.statusWord |= flags;
    if ((this.statusWord & ~this.controlWord & EXCEPTIONS) !== 0) this.statusWord |= SW_ES | SW_BUSY;
  }

  /** FNCLEX. FERR# is lowered by the write to port F0h, not here. */
  clearExceptions(): void {
    this.statusWord &= 0x7f00;
  }

  /** Tag word as FNSTENV writes it: 0 valid, 1 zero, 2 special, 3 empty; two bits for each of R0..R7. */
  tagWord(): number {
    let word = 0;
    for (let n = 7; n >= 0; n--) word = (word << 2) | this.tag(n);
    return word;
  }

  private tag(n: number): number {
    if (this.empty[n] !== 0) return 3;
    const exp = this.signExp[n]! & 0x7fff;
    const hi = this.mantHi[n]! | 0;
    if (exp === 0 && hi === 0 && this.mantLo[n] === 0) return 1;
    return exp === 0 || exp === 0x7fff || hi >= 0 ? 2 : 0;
  }

  /** From a tag word only "empty" is taken; the rest is worked out anew. */
  setTagWord(word: number): void {
    for (let n = 0; n < 8; n++) this.empty[n] = ((word >> (2 * n)) & 3) === 3 ? 1 : 0;
  }
}

/** FWAIT: #MF, or FERR# with CR0.NE clear, if an unmasked exception is pending. */
export function checkPendingError(cpu: Cpu): void {
  const fpu = cpu.fpu;
  if ((fpu.statusWord & SW_ES) === 0) return;
  if ((cpu.cr0 & CR0_NE) !== 0) raiseFault(MF);
  if (!fpu.ignne) cpu.board.setFerr(true);
}

/**
 * A write to port F0h: the chipset drops IRQ 13 and asserts IGNNE# (82371SB data sheet, "Coprocessor error register").
 */
export function acknowledgeFerr(cpu: Cpu): void {
  cpu.fpu.ignne = true;
  cpu.board.setFerr(false);
}
