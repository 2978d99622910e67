import { EXP_BIAS, EXP_MAX, type Floatx80, roundPack } from './floatx80.js';
import { type FloatStatus, PRECISION_EXTENDED } from './status.js';

/**
 * Elementary functions in binary fixed point: a value v is the bigint v * 2^FRACTION_BITS. Errors are a few units of the last place, far below the
 * 64 bits anybody rounds to. BigInt, because these instructions are rare.
 */
export const FRACTION_BITS = 256;
const P = /* @__PURE__ */ BigInt(FRACTION_BITS);
export const ONE = /* @__PURE__ */ 1n << P;

export function multiply(a: bigint, b: bigint): bigint {
  return (a * b) >> P;
}

export function divide(a: bigint, b: bigint): bigint {
  return (a << P) / b;
}

/** atan(1 / n) for an integer n > 1. */
function atanInverse(n: bigint): bigint {
  let power = ONE / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = -power / (n * n);
    sum += power / k;
  }
  return sum;
}

let piCache = 0n;

/** Machin's formula. */
export function pi(): bigint {
  if (piCache === 0n) piCache = 4n * (4n * atanInverse(5n) - atanInverse(239n));
  return piCache;
}

let ln2Cache = 0n;

export function ln2(): bigint {
  if (ln2Cache === 0n) ln2Cache = logOfRatio(ONE / 3n);
  return ln2Cache;
}

/** ln((1 + t) / (1 - t)) for |t| well below 1. */
function logOfRatio(t: bigint): bigint {
  const square = multiply(t, t);
  let power = t;
  let sum = t;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = multiply(power, square);
    sum += power / k;
  }
  return 2n * sum;
}

/** e^x - 1 for |x| < 1. */
export function expm1(x: bigint): bigint {
  let term = x;
  let sum = x;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = multiply(term, x) / k;
    sum += term;
  }
  return sum;
}

/** Arc tangent of 0 <= x <= 1. */
export function atan(x: bigint): bigint {
  let reduced = x;
  // atan(x) = 2 atan(x / (1 + sqrt(1 + x^2)))
  for (let n = 0; n < 3; n++) reduced = divide(reduced, ONE + squareRoot(ONE + multiply(reduced, reduced)));
  const square = multiply(reduced, reduced);
  let power = reduced;
  let sum = reduced;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = -multiply(power, square);
    sum += power / k;
  }
  return 8n * sum;
}

function squareRoot(x: bigint): bigint {
  const target = x << P;
  let root = BigInt(Math.floor(Math.sqrt(Number(x >> (P - 60n))))) << (P - 30n);
  for (let n = 0; n < 6; n++) root = (root + target / root) >> 1n;
  return root;
}

/** Bits of a positive bigint. */
export function bitLength(v: bigint): number {
  return v.toString(2).length;
}

/** The significand of a number, unsigned. */
export function significand(a: Floatx80): bigint {
  return (BigInt(a.hi >>> 0) << 32n) | BigInt(a.lo >>> 0);
}

/** Exponent of the lowest significand bit: the value is significand * 2^this. */
export function unitExponent(a: Floatx80): number {
  return Math.max(a.signExp & EXP_MAX, 1) - EXP_BIAS - 63;
}

/** A finite number in fixed point; bits below 2^-FRACTION_BITS are cut off. */
export function toFixed(a: Floatx80): bigint {
  const shift = unitExponent(a) + FRACTION_BITS;
  const magnitude = shift >= 0 ? significand(a) << BigInt(shift) : significand(a) >> BigInt(-shift);
  return a.signExp >> 15 !== 0 ? -magnitude : magnitude;
}

/**
 * Rounds magnitude * 2^exponent to 64 bits. `sticky` 1: bits were already cut off it, the result is inexact in any case.
 */
export function roundFixed(status: FloatStatus, out: Floatx80, sign: number, magnitude: bigint, exponent: number, sticky: 0 | 1): void {
  const length = bitLength(magnitude);
  const drop = length - 96;
  const top = drop >= 0 ? magnitude >> BigInt(drop) : magnitude << BigInt(-drop);
  const lost = drop > 0 && top << BigInt(drop) !== magnitude ? 1 : sticky;
  const hi = Number(top >> 64n) | 0;
  const lo = Number((top >> 32n) & 0xffffffffn) | 0;
  const rest = Number(top & 0xffffffffn) | lost;
  roundPack(status, out, PRECISION_EXTENDED, sign, exponent + length - 1 + EXP_BIAS, hi, lo, rest);
}
