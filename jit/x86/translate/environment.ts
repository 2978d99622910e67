import type { Bindings } from '../../core/compile.js';
import type { Cpu } from '../cpu.js';
import { condition, getArithFlags, getCF, PARITY } from '../flags.js';

/** High 32 bits of the unsigned product of two int32, whose low bits are `low`. */
function mulHigh(a: number, b: number, low: number): number {
  // The double product is off by less than 2^11, the difference by less than 2^12: rounding the quotient mends it.
  return Math.floor(((a >>> 0) * (b >>> 0) - (low >>> 0)) / 0x100000000 + 0.5) | 0;
}

/** Everything generated code of a CPU may name, besides its own locals. */
export function environment(cpu: Cpu): Bindings {
  return {
    cpu,
    r: cpu.r,
    dv: cpu.dv,
    supervisorRead: cpu.supervisorRead,
    supervisorWrite: cpu.supervisorWrite,
    userRead: cpu.userRead,
    userWrite: cpu.userWrite,
    supervisorExecute: cpu.supervisorExecute,
    userExecute: cpu.userExecute,
    condition,
    getCF,
    getArithFlags,
    parity: PARITY,
    mulHigh,
    ...(cpu.watchTable === null ? {} : { watched: cpu.watchTable.bytes }),
  };
}
