import type { Cpu } from '../cpu.js';
import type { Exec, Row } from '../insn.js';
import type { Floatx80 } from '../softfloat/floatx80.js';
import { f2xm1, fpatan, fyl2x, fyl2xp1 } from '../softfloat/floatx80-functions.js';
import type { FloatStatus } from '../softfloat/status.js';
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

/** Exponentials, logarithms and trigonometry. */
export const x87TranscendentalRows: readonly Row[] = [
  plainRow('f2xm1', 0xd9, 0xf0, exponential),
  plainRow('fyl2x', 0xd9, 0xf1, binaryPop(fyl2x)),
  plainRow('fpatan', 0xd9, 0xf3, binaryPop(fpatan)),
  plainRow('fyl2xp1', 0xd9, 0xf9, binaryPop(fyl2xp1)),
];
