import { FRACTION_BITS, multiply, ONE, pi } from './floatx80-fixed.js';

const P = /* @__PURE__ */ BigInt(FRACTION_BITS);

/** Which function of an angle. */
export const SINE = 0;
export const COSINE = 1;
export const TANGENT = 2;

/** Below 2^-28, sin x and tan x round to x, and cos x to 1. */
const SMALL = 2 ** -28;

const buffer = /* @__PURE__ */ new DataView(new ArrayBuffer(8));

/**
 * Sine, cosine or tangent of a double, |x| <= 2^63, correctly rounded to nearest, whatever the JavaScript engine's Math functions do. NaNs are
 * the caller's business.
 */
export function trigonometric(kind: number, x: number): number {
  if (Math.abs(x) < SMALL) return kind === COSINE ? 1 : x;
  const halfPi = pi() >> 1n;
  const angle = doubleToFixed(x);
  // Nearest multiple of pi/2.
  const quadrant = (2n * angle + halfPi) / (2n * halfPi) - (2n * angle + halfPi < 0n ? 1n : 0n);
  const rest = angle - quadrant * halfPi;
  const turn = Number(BigInt.asUintN(2, quadrant));
  const swapped = (turn & 1) !== 0;
  const sine = sinSeries(rest);
  const cosine = cosSeries(rest);
  if (kind === TANGENT) return swapped ? fixedToDouble((-cosine << P) / sine) : fixedToDouble((sine << P) / cosine);
  const phase = kind === COSINE ? turn + 1 : turn;
  const value = (phase & 1) !== 0 ? cosine : sine;
  return fixedToDouble((phase & 2) !== 0 ? -value : value);
}

function sinSeries(x: bigint): bigint {
  const square = multiply(x, x);
  let term = x;
  let sum = x;
  for (let k = 2n; term !== 0n && term !== -1n; k += 2n) {
    term = -multiply(term, square) / (k * (k + 1n));
    sum += term;
  }
  return sum;
}

function cosSeries(x: bigint): bigint {
  const square = multiply(x, x);
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    term = -multiply(term, square) / (k * (k + 1n));
    sum += term;
  }
  return sum;
}

function doubleToFixed(x: number): bigint {
  buffer.setFloat64(0, x);
  const bits = buffer.getBigUint64(0);
  const exp = Number((bits >> 52n) & 0x7ffn);
  const magnitude = ((bits & 0xfffffffffffffn) | 0x10000000000000n) << BigInt(exp - 1075 + FRACTION_BITS);
  return x < 0 ? -magnitude : magnitude;
}

/** Rounds to nearest; values are far from denormals, overflow and, but for exact ones, ties. */
function fixedToDouble(v: bigint): number {
  const magnitude = v < 0n ? -v : v;
  // Number() of a bigint rounds to nearest, ties to even (ECMA-262, Number(value)).
  const drop = BigInt(Math.max(0, magnitude.toString(2).length - 128));
  const result = Number(magnitude >> drop) * 2 ** (Number(drop) - FRACTION_BITS);
  return v < 0n ? -result : result;
}
