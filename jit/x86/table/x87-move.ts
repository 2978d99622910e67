import type { Cpu } from '../cpu.js';
import { CONDITION_READS, condition } from '../flags.js';
import type { Exec, Row } from '../insn.js';
import { load8, load16, load32, store8, store16, store32 } from '../mmu.js';
import type { Floatx80 } from '../softfloat/floatx80.js';
import { fromInt64 } from '../softfloat/floatx80-arith.js';
import { fromFloat32, fromFloat64, result64, toFloat32, toFloat64, toInteger } from '../softfloat/floatx80-convert.js';
import { FP_INVALID, PRECISION_EXTENDED, ROUND_DOWN, ROUND_TO_ZERO, ROUND_UP } from '../softfloat/status.js';
import {
  load64,
  loadFloatx80,
  memoryRow,
  noteInstruction,
  plainRow,
  R,
  registerRow,
  store64,
  storeFloatx80,
  withOperand,
  withRegister,
  X,
} from './x87-common.js';

function fldFloat32(cpu: Cpu, laddr: number): void {
  const fpu = cpu.fpu;
  const bits = load32(cpu, laddr);
  fpu.status.flags = 0;
  fromFloat32(fpu.status, R, bits);
  fpu.push(R);
  fpu.mergeExceptions();
}

function fldFloat64(cpu: Cpu, laddr: number): void {
  const fpu = cpu.fpu;
  load64(cpu, laddr);
  fpu.status.flags = 0;
  fromFloat64(fpu.status, R, result64.hi, result64.lo);
  fpu.push(R);
  fpu.mergeExceptions();
}

function fldFloatx80(cpu: Cpu, laddr: number): void {
  loadFloatx80(cpu, laddr, R);
  cpu.fpu.push(R);
}

/** Integers of any size are loaded exactly, whatever the precision control says. */
function pushInteger(cpu: Cpu, hi: number, lo: number): void {
  const fpu = cpu.fpu;
  const precision = fpu.status.precision;
  fpu.status.precision = PRECISION_EXTENDED;
  fromInt64(fpu.status, R, hi, lo);
  fpu.status.precision = precision;
  fpu.push(R);
}

function fild16(cpu: Cpu, laddr: number): void {
  const value = (load16(cpu, laddr) << 16) >> 16;
  pushInteger(cpu, value >> 31, value);
}

function fild32(cpu: Cpu, laddr: number): void {
  const value = load32(cpu, laddr);
  pushInteger(cpu, value >> 31, value);
}

function fild64(cpu: Cpu, laddr: number): void {
  load64(cpu, laddr);
  pushInteger(cpu, result64.hi, result64.lo);
}

// Stores. What the conversion raises is in the status word before the store, and stays if that faults.

function fstFloat32(cpu: Cpu, laddr: number): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  fpu.status.flags = 0;
  const bits = toFloat32(fpu.status, X);
  fpu.mergeExceptions();
  store32(cpu, laddr, bits);
}

function fstFloat64(cpu: Cpu, laddr: number): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  fpu.status.flags = 0;
  toFloat64(fpu.status, X);
  fpu.mergeExceptions();
  store64(cpu, laddr, result64.hi, result64.lo);
}

function fstFloatx80(cpu: Cpu, laddr: number): void {
  cpu.fpu.get(0, X);
  storeFloatx80(cpu, laddr, X);
}

function storeInteger(cpu: Cpu, laddr: number, roundingMode: number, sizeBits: number): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  fpu.status.flags = 0;
  toInteger(fpu.status, X, roundingMode, sizeBits);
  fpu.mergeExceptions();
  if (sizeBits === 64) store64(cpu, laddr, result64.hi, result64.lo);
  else if (sizeBits === 32) store32(cpu, laddr, result64.lo);
  else store16(cpu, laddr, result64.lo & 0xffff);
}

/** FIST and FISTP of one size: the current rounding mode. */
function fist(sizeBits: number): (cpu: Cpu, laddr: number) => void {
  return (cpu, laddr) => storeInteger(cpu, laddr, cpu.fpu.status.roundingMode, sizeBits);
}

/** FISTTP: truncates. */
function fistt(sizeBits: number): (cpu: Cpu, laddr: number) => void {
  return (cpu, laddr) => storeInteger(cpu, laddr, ROUND_TO_ZERO, sizeBits);
}

function memory(exec: (cpu: Cpu, laddr: number) => void): Exec {
  return withOperand(exec);
}

function memoryPop(exec: (cpu: Cpu, laddr: number) => void): Exec {
  return withOperand((cpu, laddr) => {
    exec(cpu, laddr);
    cpu.fpu.pop();
  });
}

/**
 * FBLD: 18 BCD digits and a sign. Digits above 9 count with their weight; the magnitude is taken modulo 2^64 as a signed number and, other
 * than by FILD, rounded to the current precision.
 */
function fbld(cpu: Cpu, laddr: number): void {
  let hi = 0;
  let lo = 0;
  for (let n = 8; n >= 0; n--) {
    const byte = load8(cpu, (laddr + n) | 0);
    const sum = lo * 100 + (byte >> 4) * 10 + (byte & 15);
    hi = (hi * 100 + Math.floor(sum / 0x100000000)) % 0x100000000;
    lo = sum % 0x100000000;
  }
  const sign = load8(cpu, (laddr + 9) | 0) & 0x80;
  fromInt64(cpu.fpu.status, R, hi | 0, lo | 0);
  if (sign !== 0) R.signExp ^= 0x8000;
  cpu.fpu.push(R);
}

/** 10^18 */
const BCD_LIMIT_HI = 0x0de0b6b3;
const BCD_LIMIT_LO = 0xa7640000;

function fbst(cpu: Cpu, laddr: number): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  fpu.status.flags = 0;
  toInteger(fpu.status, X, fpu.status.roundingMode, 64);
  let hi = result64.hi;
  let lo = result64.lo >>> 0;
  if (hi < 0) {
    lo = -lo >>> 0;
    hi = (lo === 0 ? -hi : ~hi) | 0;
  }
  if (hi < 0 || hi > BCD_LIMIT_HI || (hi === BCD_LIMIT_HI && lo >= BCD_LIMIT_LO)) {
    // Packed BCD indefinite.
    fpu.status.flags = FP_INVALID;
    for (let n = 0; n < 10; n++) store8(cpu, (laddr + n) | 0, n < 7 ? 0 : n === 7 ? 0xc0 : 0xff);
  } else {
    store8(cpu, (laddr + 9) | 0, X.signExp >> 15 !== 0 ? 0x80 : 0);
    for (let n = 0; n < 9; n++) {
      const low = (hi % 100) * 0x100000000 + lo;
      const digits = low % 100;
      lo = Math.floor(low / 100);
      hi = Math.floor(hi / 100);
      store8(cpu, (laddr + n) | 0, ((digits / 10) << 4) | (digits % 10));
    }
  }
  fpu.mergeExceptions();
}

/** Constants of FLD1 .. FLDZ (D9 E8 ..): nearest, and what other rounding modes make of them. */
const CONSTANTS: readonly [name: string, signExp: number, hi: number, lo: number, roundedDown: number, roundedUp: number][] = [
  ['fld1', 0x3fff, 0x80000000, 0, 0, 0],
  ['fldl2t', 0x4000, 0xd49a784b, 0xcd1b8afe, 0, 1],
  ['fldl2e', 0x3fff, 0xb8aa3b29, 0x5c17f0bc, -1, 0],
  ['fldpi', 0x4000, 0xc90fdaa2, 0x2168c235, -1, 0],
  ['fldlg2', 0x3ffd, 0x9a209a84, 0xfbcff799, -1, 0],
  ['fldln2', 0x3ffe, 0xb17217f7, 0xd1cf79ac, -1, 0],
  ['fldz', 0, 0, 0, 0, 0],
];

function constantRows(): Row[] {
  return CONSTANTS.map(([name, signExp, hi, lo, down, up], n) =>
    plainRow(name, 0xd9, 0xe8 + n, (cpu) => {
      const mode = cpu.fpu.status.roundingMode;
      const last = mode === ROUND_UP ? up : mode === ROUND_DOWN || mode === ROUND_TO_ZERO ? down : 0;
      cpu.fpu.push(R.set(signExp, hi, lo + last));
      noteInstruction(cpu);
    }),
  );
}

const fld = withRegister((cpu, rm) => {
  cpu.fpu.get(rm, X);
  cpu.fpu.push(X);
});

const fxch = withRegister((cpu, rm) => {
  const fpu = cpu.fpu;
  fpu.get(rm, X);
  fpu.get(0, R);
  fpu.put(rm, R);
  fpu.put(0, X);
});

const fst = withRegister((cpu, rm) => moveTop(cpu, rm, X));

const fstp = withRegister((cpu, rm) => {
  moveTop(cpu, rm, X);
  cpu.fpu.pop();
});

/** QEMU leaves the tag of the destination as it was. */
function moveTop(cpu: Cpu, rm: number, via: Floatx80): void {
  cpu.fpu.get(0, via);
  cpu.fpu.put(rm, via);
}

/** Conditions of DA C0 .. DA D8; those of DB are their opposites. */
const CONDITIONS: readonly [name: string, cc: number][] = [
  ['b', 2],
  ['e', 4],
  ['be', 6],
  ['u', 10],
];

function conditionalRows(): Row[] {
  return CONDITIONS.flatMap(([name, cc], digit) =>
    [0, 1].map((negate) => {
      const exec = withRegister((cpu, rm) => {
        if (!condition(cpu, cc | negate)) return;
        cpu.fpu.get(rm, X);
        cpu.fpu.put(0, X);
      });
      const row = registerRow(`fcmov${negate !== 0 ? 'n' : ''}${name}`, 0xda + negate, digit, exec);
      return { ...row, reads: CONDITION_READS[cc >> 1]! };
    }),
  );
}

/** Loads, stores and moves. */
export const x87MoveRows: readonly Row[] = [
  memoryRow('fld', 0xd9, 0, memory(fldFloat32)),
  memoryRow('fst', 0xd9, 2, memory(fstFloat32)),
  memoryRow('fstp', 0xd9, 3, memoryPop(fstFloat32)),
  memoryRow('fild', 0xdb, 0, memory(fild32)),
  memoryRow('fisttp', 0xdb, 1, memoryPop(fistt(32))),
  memoryRow('fist', 0xdb, 2, memory(fist(32))),
  memoryRow('fistp', 0xdb, 3, memoryPop(fist(32))),
  memoryRow('fld', 0xdb, 5, memory(fldFloatx80)),
  memoryRow('fstp', 0xdb, 7, memoryPop(fstFloatx80)),
  memoryRow('fld', 0xdd, 0, memory(fldFloat64)),
  memoryRow('fisttp', 0xdd, 1, memoryPop(fistt(64))),
  memoryRow('fst', 0xdd, 2, memory(fstFloat64)),
  memoryRow('fstp', 0xdd, 3, memoryPop(fstFloat64)),
  memoryRow('fild', 0xdf, 0, memory(fild16), 16),
  memoryRow('fisttp', 0xdf, 1, memoryPop(fistt(16)), 16),
  memoryRow('fist', 0xdf, 2, memory(fist(16)), 16),
  memoryRow('fistp', 0xdf, 3, memoryPop(fist(16)), 16),
  memoryRow('fbld', 0xdf, 4, memory(fbld)),
  memoryRow('fild', 0xdf, 5, memory(fild64)),
  memoryRow('fbstp', 0xdf, 6, memoryPop(fbst)),
  memoryRow('fistp', 0xdf, 7, memoryPop(fist(64))),
  registerRow('fld', 0xd9, 0, fld),
  registerRow('fxch', 0xd9, 1, fxch),
  registerRow('fxch', 0xdd, 1, fxch),
  registerRow('fxch', 0xdf, 1, fxch),
  registerRow('fst', 0xdd, 2, fst),
  registerRow('fstp', 0xdd, 3, fstp),
  registerRow('fstp', 0xd9, 3, fstp),
  registerRow('fstp', 0xdf, 2, fstp),
  registerRow('fstp', 0xdf, 3, fstp),
  ...constantRows(),
  ...conditionalRows(),
];
