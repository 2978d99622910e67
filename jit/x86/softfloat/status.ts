/**
 * Exception flags of the floating-point arithmetic, at the bit positions that the x87 status word and MXCSR share
 * (Intel SDM Vol. 1, 8.1.3 and 10.2.3), so that no table stands between them.
 */
export const FP_INVALID = 0x01;
export const FP_DENORMAL = 0x02;
export const FP_DIVBYZERO = 0x04;
export const FP_OVERFLOW = 0x08;
export const FP_UNDERFLOW = 0x10;
export const FP_INEXACT = 0x20;

/** Rounding modes, as the RC fields of the x87 control word and MXCSR encode them (SDM Vol. 1, table 4-8). */
export const ROUND_NEAREST_EVEN = 0;
export const ROUND_DOWN = 1;
export const ROUND_UP = 2;
export const ROUND_TO_ZERO = 3;

/** Significand bits an x87 result is rounded to: the PC field of the control word (SDM Vol. 1, table 8-2). */
export const PRECISION_SINGLE = 24;
export const PRECISION_DOUBLE = 53;
export const PRECISION_EXTENDED = 64;

/**
 * Modes and sticky exception flags of one floating-point unit. The arithmetic reads the modes and only ever ORs into `flags`;
 * tininess is always detected after rounding, as QEMU and the processors do.
 */
export class FloatStatus {
  /** FP_* bits raised since somebody cleared them. */
  flags = 0;
  /** ROUND_*. */
  roundingMode = ROUND_NEAREST_EVEN;
  /** PRECISION_*: only the 80-bit format looks at it. */
  precision = PRECISION_EXTENDED;
  /** Denormal results become zero of the same sign, raising underflow and inexact (MXCSR.FZ). Never set for the x87. */
  flushToZero = false;
  /** Denormal operands count as zero of the same sign (MXCSR.DAZ). Never set for the x87. */
  denormalsAreZero = false;
}
