import { FX_BYTES } from './case.js';
import type { Random } from './random.js';

/** Sign and exponent words of 80-bit reals worth meeting: zeros, denormals, around 1, large, infinities and NaNs. */
const EXPONENTS = [0, 0x0001, 0x3ffe, 0x3fff, 0x4000, 0x401d, 0x401e, 0x403d, 0x403e, 0x43ff, 0x7ffe, 0x7fff];
/** Words single and double precision numbers are made of. */
const SINGLES = [
  0, 0x80000000, 1, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x4f000000,
];
const DOUBLES_HIGH = [
  0, 0x80000000, 0x000fffff, 0x00100000, 0x3ff00000, 0xbff00000, 0x7fefffff, 0x7ff00000, 0xfff00000, 0x7ff80000, 0x7ff00001, 0x41e00000,
];

function register80(dv: DataView, at: number, random: Random): void {
  const kind = random.below(8);
  dv.setUint32(at, kind < 3 ? random.bits() >>> 0 : kind === 3 ? 0xffffffff : 0, true);
  dv.setUint32(
    at + 4,
    (random.chance(92) ? 0x80000000 : 0) | (kind < 4 ? random.bits() & 0x7fffffff : random.pick([0, 0, 0x40000000, 0x7fffffff])),
    true,
  );
  const exponent = random.chance(50) ? random.pick(EXPONENTS) : 0x3fff + random.below(140) - 70;
  dv.setUint16(at + 8, exponent | (random.chance(50) ? 0x8000 : 0), true);
  if (exponent === 0 && random.chance(70)) dv.setUint32(at + 4, random.chance(50) ? 0 : random.bits() & 0x7fffffff, true);
}

function vector(dv: DataView, at: number, random: Random): void {
  for (let k = 0; k < 4; k++) {
    const choice = random.below(4);
    dv.setUint32(
      at + 4 * k,
      choice === 0 ? random.pick(SINGLES) : choice === 1 && (k & 1) === 1 ? random.pick(DOUBLES_HIGH) : random.bits() >>> 0,
      true,
    );
  }
}

/**
 * A random FXSAVE image (SDM Vol. 1 table 10-2). Exceptions are mostly masked; `fpu` has a random stack, `mmx` and `sse` random registers.
 * MXCSR and the control words have only bits that exist.
 */
export function randomFx(random: Random, kind: 'fpu' | 'sse' | 'mmx'): Uint8Array {
  const fx = new Uint8Array(FX_BYTES);
  const dv = new DataView(fx.buffer);
  const masked = random.chance(90) ? 0x3f : random.below(64);
  dv.setUint16(0, (kind === 'fpu' ? (random.below(16) << 8) | masked : 0x33f) | 0x40, true);
  const top = kind === 'fpu' ? random.below(8) : 0;
  dv.setUint16(2, (top << 11) | (kind === 'fpu' ? random.bits() & 0x4700 : 0), true);
  fx[4] = kind === 'fpu' ? (random.chance(70) ? 0xff : random.bits() & 0xff) : random.bits() & 0xff;
  dv.setUint32(24, 0x1f80 | (random.chance(50) ? random.below(4) << 13 : 0), true);
  for (let k = 0; k < 8; k++) {
    register80(dv, 32 + 16 * k, random);
    if (kind === 'mmx') for (let b = 0; b < 8; b++) fx[32 + 16 * k + b] = random.pick([0, 0xff, 0x7f, 0x80, random.bits() & 0xff]);
    vector(dv, 160 + 16 * k, random);
  }
  return fx;
}
