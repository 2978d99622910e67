import type { Cpu } from '../cpu.js';
import { SW_C0, SW_C1, SW_C2, SW_C3, SW_CONDITION } from '../fpu.js';
import type { Exec, Row } from '../insn.js';
import { load16, load32 } from '../mmu.js';
import {
  EXP_BIAS,
  EXP_MAX,
  type Floatx80,
  isInfinity,
  isInvalidEncoding,
  isNan,
  isSignalingNan,
  isZero,
  setDefaultNan,
  setInfinity,
  setZero,
  silenceNan,
} from '../softfloat/floatx80.js';
import {
  addFloatx80,
  divFloatx80,
  fromInt64,
  mulFloatx80,
  remFloatx80,
  scaleFloatx80,
  sqrtFloatx80,
  subFloatx80,
} from '../softfloat/floatx80-arith.js';
import { fromFloat32, fromFloat64, result64, roundToIntegral, toInteger } from '../softfloat/floatx80-convert.js';
import { type FloatStatus, FP_DENORMAL, FP_DIVBYZERO, FP_INVALID, PRECISION_EXTENDED, ROUND_TO_ZERO } from '../softfloat/status.js';
import { load64, memoryRow, noteInstruction, plainRow, R, registerRow, withOperand, withRegister, X, Y } from './x87-common.js';
import { compareTop } from './x87-compare.js';

type Operation = (status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80) => void;

function reverseSub(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80): void {
  subFloatx80(status, out, b, a);
}

function reverseDiv(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80): void {
  divFloatx80(status, out, b, a);
}

/** ST(to) = operation(ST(to), Y). */
function compute(cpu: Cpu, operation: Operation, to: number): void {
  const fpu = cpu.fpu;
  fpu.get(to, X);
  fpu.status.flags = 0;
  operation(fpu.status, R, X, Y);
  fpu.put(to, R);
  fpu.mergeExceptions();
}

// Memory operands to Y. Their conversion raises into `status.flags` of its own, which only the floating-point formats merge.

function operandFloat32(cpu: Cpu, laddr: number): void {
  const status = cpu.fpu.status;
  const bits = load32(cpu, laddr);
  status.flags = 0;
  fromFloat32(status, Y, bits);
  cpu.fpu.mergeExceptions();
}

function operandFloat64(cpu: Cpu, laddr: number): void {
  const status = cpu.fpu.status;
  load64(cpu, laddr);
  status.flags = 0;
  fromFloat64(status, Y, result64.hi, result64.lo);
  cpu.fpu.mergeExceptions();
}

/** Integers are rounded to the current precision too (a quirk of QEMU), but without telling. */
function operandInt32(cpu: Cpu, laddr: number): void {
  const value = load32(cpu, laddr);
  fromInt64(cpu.fpu.status, Y, value >> 31, value);
}

function operandInt16(cpu: Cpu, laddr: number): void {
  const value = (load16(cpu, laddr) << 16) >> 16;
  fromInt64(cpu.fpu.status, Y, value >> 31, value);
}

const FROM_MEMORY: readonly [opcode: number, prefix: string, suffix: string, size: 16 | 32, load: (cpu: Cpu, laddr: number) => void][] = [
  [0xd8, 'f', ' m32fp', 32, operandFloat32],
  [0xda, 'fi', ' m32int', 32, operandInt32],
  [0xdc, 'f', ' m64fp', 32, operandFloat64],
  [0xde, 'fi', ' m16int', 16, operandInt16],
];

/** Operations by /digit; 2 and 3 are FCOM and FCOMP. */
const OPERATIONS: readonly [digit: number, name: string, operation: Operation][] = [
  [0, 'add', addFloatx80],
  [1, 'mul', mulFloatx80],
  [4, 'sub', subFloatx80],
  [5, 'subr', reverseSub],
  [6, 'div', divFloatx80],
  [7, 'divr', reverseDiv],
];

function memoryArith(): Row[] {
  const rows: Row[] = [];
  for (const [opcode, prefix, , size, load] of FROM_MEMORY) {
    for (const [digit, name, operation] of OPERATIONS) {
      const exec = withOperand((cpu, laddr) => {
        load(cpu, laddr);
        compute(cpu, operation, 0);
      });
      rows.push(memoryRow(`${prefix}${name}`, opcode, digit, exec, size));
    }
    const compare = withOperand((cpu, laddr) => {
      load(cpu, laddr);
      compareTop(cpu, false);
    });
    const comparePop = withOperand((cpu, laddr) => {
      load(cpu, laddr);
      compareTop(cpu, false);
      cpu.fpu.pop();
    });
    rows.push(memoryRow(`${prefix}com`, opcode, 2, compare, size), memoryRow(`${prefix}comp`, opcode, 3, comparePop, size));
  }
  return rows;
}

/** D8: ST(0) op= ST(i). DC and DE: ST(i) op= ST(0), where the encodings of the reversed operations are exchanged. */
function registerArith(): Row[] {
  const rows: Row[] = [];
  for (const [digit, name, operation] of OPERATIONS) {
    const toTop = withRegister((cpu, rm) => {
      cpu.fpu.get(rm, Y);
      compute(cpu, operation, 0);
    });
    const toRegister = withRegister((cpu, rm) => {
      cpu.fpu.get(0, Y);
      compute(cpu, operation, rm);
    });
    const toRegisterPop = withRegister((cpu, rm) => {
      cpu.fpu.get(0, Y);
      compute(cpu, operation, rm);
      cpu.fpu.pop();
    });
    const exchanged = digit >= 4 ? digit ^ 1 : digit;
    rows.push(registerRow(`f${name}`, 0xd8, digit, toTop));
    rows.push(registerRow(`f${name}`, 0xdc, exchanged, toRegister));
    rows.push(registerRow(`f${name}p`, 0xde, exchanged, toRegisterPop));
  }
  return rows;
}

/** ST(0) = operation(ST(0)). */
function unary(operation: (status: FloatStatus, out: Floatx80, a: Floatx80) => void): Exec {
  return (cpu) => {
    const fpu = cpu.fpu;
    fpu.get(0, X);
    fpu.status.flags = 0;
    operation(fpu.status, R, X);
    fpu.put(0, R);
    fpu.mergeExceptions();
    noteInstruction(cpu);
  };
}

const squareRoot = unary(sqrtFloatx80);

/** QEMU sets C2 and clears the other condition codes for operands with a minus sign. */
function fsqrt(cpu: Cpu, i: Parameters<Exec>[1]): void {
  const fpu = cpu.fpu;
  if (fpu.signExp[fpu.top]! >> 15 !== 0) fpu.statusWord = (fpu.statusWord & ~SW_CONDITION) | SW_C2;
  squareRoot(cpu, i);
}

function signBit(change: (signExp: number) => number): Exec {
  return (cpu) => {
    const fpu = cpu.fpu;
    fpu.signExp[fpu.top] = change(fpu.signExp[fpu.top]!);
    noteInstruction(cpu);
  };
}

/** Exponent as if the significand were normalised. */
function effectiveExponent(a: Floatx80): number {
  const exp = a.signExp & EXP_MAX;
  return exp !== 0 ? exp : 1 - (a.hi !== 0 ? Math.clz32(a.hi) : 32 + Math.clz32(a.lo));
}

/**
 * FPREM and FPREM1. Exponents 64 or more apart give a partial remainder, C2 set, of 32 to 63 quotient bits. Of the quotient QEMU
 * 7.2 reports the low bits (C0 C3 C1) for FPREM only.
 */
function remainder(nearest: boolean): Exec {
  return (cpu) => {
    const fpu = cpu.fpu;
    const status = fpu.status;
    fpu.get(0, X);
    fpu.get(1, Y);
    status.flags = 0;
    let codes = 0;
    const special = isZero(X) || isZero(Y) || (X.signExp & EXP_MAX) === EXP_MAX || (Y.signExp & EXP_MAX) === EXP_MAX;
    const distance = special || isInvalidEncoding(X) || isInvalidEncoding(Y) ? -1 : effectiveExponent(X) - effectiveExponent(Y);
    if (distance < 64) {
      const quotient = remFloatx80(status, R, X, Y, nearest);
      if (!nearest) codes = ((quotient & 4) !== 0 ? SW_C0 : 0) | ((quotient & 2) !== 0 ? SW_C3 : 0) | ((quotient & 1) !== 0 ? SW_C1 : 0);
    } else {
      scaleFloatx80(status, Y, Y, distance - (32 + (distance % 32)));
      remFloatx80(status, R, X, Y, false);
      codes = SW_C2;
    }
    fpu.put(0, R);
    fpu.statusWord = (fpu.statusWord & ~SW_CONDITION) | codes;
    fpu.mergeExceptions();
    noteInstruction(cpu);
  };
}

/** ST(0) becomes the exponent, then the significand is pushed. */
function fxtract(cpu: Cpu): void {
  const fpu = cpu.fpu;
  const status = fpu.status;
  fpu.get(0, X);
  status.flags = 0;
  R.copy(X);
  if (isZero(X)) {
    status.flags = FP_DIVBYZERO;
    setInfinity(R, 1);
  } else if (isInvalidEncoding(X)) {
    status.flags = FP_INVALID;
    setDefaultNan(R);
    X.copy(R);
  } else if (isNan(X)) {
    if (isSignalingNan(X)) status.flags = FP_INVALID;
    silenceNan(R);
    X.copy(R);
  } else if (isInfinity(X)) setInfinity(R, 0);
  else {
    let exp = X.signExp & EXP_MAX;
    if (exp === 0) {
      exp = effectiveExponent(X);
      const shift = 1 - exp;
      X.hi = shift >= 32 ? X.lo << (shift - 32) : shift === 0 ? X.hi : (X.hi << shift) | (X.lo >>> (32 - shift));
      X.lo = shift >= 32 ? 0 : X.lo << shift;
      status.flags = FP_DENORMAL;
    }
    exp -= EXP_BIAS;
    fromInt64(status, R, exp >> 31, exp);
    X.signExp = (X.signExp & 0x8000) | EXP_BIAS;
  }
  fpu.put(0, R);
  fpu.push(X);
  fpu.mergeExceptions();
  noteInstruction(cpu);
}

/** ST(0) * 2^trunc(ST(1)), always with 64 bits of precision. */
function scale(status: FloatStatus, out: Floatx80, a: Floatx80, b: Floatx80): void {
  const invalid =
    isInvalidEncoding(a) || isInvalidEncoding(b) || (isInfinity(b) && !isNan(a) && (b.signExp >> 15 !== 0 ? isInfinity(a) : isZero(a)));
  if (invalid) {
    status.flags |= FP_INVALID;
    setDefaultNan(out);
  } else if (isNan(b)) {
    if (isSignalingNan(a) || isSignalingNan(b)) status.flags |= FP_INVALID;
    out.copy(b);
    silenceNan(out);
  } else if (isInfinity(b) && !isNan(a)) {
    if (b.signExp >> 15 !== 0) setZero(out, a.signExp >> 15);
    else setInfinity(out, a.signExp >> 15);
  } else {
    const { flags, precision } = status;
    toInteger(status, b, ROUND_TO_ZERO, 32);
    status.flags = flags;
    status.precision = PRECISION_EXTENDED;
    scaleFloatx80(status, out, a, integerScale(b));
    status.precision = precision;
  }
}

/** What does not fit saturates, by the sign. */
function integerScale(b: Floatx80): number {
  return (b.signExp & EXP_MAX) >= EXP_BIAS + 31 ? (b.signExp >> 15 !== 0 ? -0x10000 : 0x10000) : result64.lo;
}

function fscale(cpu: Cpu): void {
  cpu.fpu.get(1, Y);
  compute(cpu, scale, 0);
  noteInstruction(cpu);
}

/** Arithmetic, and comparison with memory operands. */
export const x87ArithRows: readonly Row[] = [
  ...memoryArith(),
  ...registerArith(),
  plainRow(
    'fchs',
    0xd9,
    0xe0,
    signBit((signExp) => signExp ^ 0x8000),
  ),
  plainRow(
    'fabs',
    0xd9,
    0xe1,
    signBit((signExp) => signExp & 0x7fff),
  ),
  plainRow('fxtract', 0xd9, 0xf4, fxtract),
  plainRow('fprem1', 0xd9, 0xf5, remainder(true)),
  plainRow('fprem', 0xd9, 0xf8, remainder(false)),
  plainRow('fsqrt', 0xd9, 0xfa, fsqrt),
  plainRow('frndint', 0xd9, 0xfc, unary(roundToIntegral)),
  plainRow('fscale', 0xd9, 0xfd, fscale),
];
