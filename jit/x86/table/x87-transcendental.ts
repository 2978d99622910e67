import type { Cpu } from '../cpu.js';
import { SW_C2 } from '../fpu.js';
import type { Exec, Row } from '../insn.js';
import type { Floatx80 } from '../softfloat/floatx80.js';
import { fromFloat64, result64, toFloat64 } from '../softfloat/floatx80-convert.js';
import { f2xm1, fpatan, fyl2x, fyl2xp1 } from '../softfloat/floatx80-functions.js';
import type { FloatStatus } from '../softfloat/status.js';
import { COSINE, SINE, TANGENT, trigonometric } from '../softfloat/trigonometry.js';
import { noteInstruction, plainRow, R, X, Y } from './x87-common.js';

/** ST(1) = operation(ST(0), ST(1)), pop. */
function binaryPop(operation: (status: FloatStatus, out: Floatx80, x: Floatx80, y: Floatx80) => void): Exec {
  return (cpu) => {
    const fpu = cpu.fpu;
    fpu.get(0, X);
    fpu.get(1, Y);
    fpu.status.flags = 0;
    operation(fpu.status, R, X, Y);
    fpu.put(1, R);
    fpu.pop();
    fpu.mergeExceptions();
    noteInstruction(cpu);
  };
}

function exponential(cpu: Cpu): void {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  fpu.status.flags = 0;
  f2xm1(fpu.status, R, X);
  fpu.put(0, R);
  fpu.mergeExceptions();
  noteInstruction(cpu);
}

/** Beyond it the trigonometric instructions do nothing but set C2. */
const ANGLE_LIMIT = 2 ** 63;

const double = new DataView(new ArrayBuffer(8));

/** ST(0) as a double, rounded like a store of one; nothing of what that raises is reported. */
function angleOfTop(cpu: Cpu): number {
  const fpu = cpu.fpu;
  fpu.get(0, X);
  toFloat64(fpu.status, X);
  double.setInt32(0, result64.hi);
  double.setInt32(4, result64.lo);
  return double.getFloat64(0);
}

/** A function of the angle just taken from ST(0), to R; NaNs go through as they came out of the conversion. */
function functionOfAngle(cpu: Cpu, kind: number, angle: number): void {
  if (!Number.isNaN(angle)) {
    double.setFloat64(0, trigonometric(kind, angle));
    result64.hi = double.getInt32(0);
    result64.lo = double.getInt32(4);
  }
  fromFloat64(cpu.fpu.status, R, result64.hi, result64.lo);
}

/**
 * FSIN, FCOS, FSINCOS, FPTAN: QEMU 7.2 takes the host's double functions, so there are 53 good bits, and no exceptions. `first` goes to ST(0);
 * `then`, if any, computes what is pushed.
 */
function trigonometricRow(name: string, modrm: number, first: number, then: ((cpu: Cpu, angle: number) => void) | null): Row {
  return plainRow(name, 0xd9, modrm, (cpu) => {
    const fpu = cpu.fpu;
    const angle = angleOfTop(cpu);
    if (Math.abs(angle) > ANGLE_LIMIT) fpu.statusWord |= SW_C2;
    else {
      const { hi, lo } = result64;
      functionOfAngle(cpu, first, angle);
      fpu.put(0, R);
      if (then !== null) {
        result64.hi = hi;
        result64.lo = lo;
        then(cpu, angle);
        fpu.push(R);
      }
      fpu.statusWord &= ~SW_C2;
    }
    noteInstruction(cpu);
  });
}

/** Exponentials, logarithms and trigonometry. */
export const x87TranscendentalRows: readonly Row[] = [
  plainRow('f2xm1', 0xd9, 0xf0, exponential),
  plainRow('fyl2x', 0xd9, 0xf1, binaryPop(fyl2x)),
  plainRow('fpatan', 0xd9, 0xf3, binaryPop(fpatan)),
  plainRow('fyl2xp1', 0xd9, 0xf9, binaryPop(fyl2xp1)),
  trigonometricRow('fptan', 0xf2, TANGENT, () => R.set(0x3fff, 0x80000000, 0)),
  trigonometricRow('fsincos', 0xfb, SINE, (cpu, angle) => functionOfAngle(cpu, COSINE, angle)),
  trigonometricRow('fsin', 0xfe, SINE, null),
  trigonometricRow('fcos', 0xff, COSINE, null),
];
