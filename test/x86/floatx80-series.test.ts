// Oracle: manual (the definition of the table in jit/x86/softfloat/floatx80-series.ts), independent evaluation by ECMAScript Math
import { describe, expect, it } from 'vitest';
import { Floatx80 } from '../../jit/x86/softfloat/floatx80.js';
import { fromFloat64, result64, toFloat64 } from '../../jit/x86/softfloat/floatx80-convert.js';
import { expm1, FRACTION_BITS, ln2, multiply, ONE, pi, toFixed } from '../../jit/x86/softfloat/floatx80-fixed.js';
import { f2xm1, fpatan, fyl2x, fyl2xp1 } from '../../jit/x86/softfloat/floatx80-functions.js';
import { exp2Point } from '../../jit/x86/softfloat/floatx80-series.js';
import { FloatStatus } from '../../jit/x86/softfloat/status.js';
import { COSINE, SINE, TANGENT, trigonometric } from '../../jit/x86/softfloat/trigonometry.js';
import { X87Random } from './x87-random.js';

const dv = new DataView(new ArrayBuffer(8));

function fromNumber(x: number): Floatx80 {
  const out = new Floatx80();
  dv.setFloat64(0, x);
  fromFloat64(new FloatStatus(), out, dv.getInt32(0), dv.getInt32(4));
  return out;
}

function toNumber(a: Floatx80): number {
  toFloat64(new FloatStatus(), a);
  dv.setInt32(0, result64.hi);
  dv.setInt32(4, result64.lo);
  return dv.getFloat64(0);
}

/** In units of the last place of a double. */
function distance(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(2 ** -1074, 2 ** (Math.floor(Math.log2(Math.abs(b))) - 52));
}

describe('the table of exponentials', () => {
  it('has its points within 2^16 units of k/32, and 2^t within 2^-13 units of a 64-bit number', () => {
    for (let k = -31; k <= 31; k++) {
      if (k === 0) continue;
      const { t, exp2 } = exp2Point(k);
      const off = toFixed(t) - (BigInt(k) << BigInt(FRACTION_BITS - 5));
      const unit = BigInt(FRACTION_BITS - 68 + (32 - Math.clz32(Math.abs(k))));
      expect(off < 0n ? -off : off).toBeLessThanOrEqual(1n << (unit + 16n));
      const error = exp2 - ONE - expm1(multiply(toFixed(t), ln2()));
      expect(error < 0n ? -error : error).toBeLessThan(1n << BigInt(FRACTION_BITS - (k < 0 ? 64 : 63) - 13));
    }
  });

  it('knows pi and ln 2', () => {
    expect(pi() >> BigInt(FRACTION_BITS - 62)).toBe(0xc90fdaa22168c234n);
    expect(ln2() >> BigInt(FRACTION_BITS - 64)).toBe(0xb17217f7d1cf79abn);
  });
});

describe('elementary functions', () => {
  const seed = (Math.random() * 0x100000000) >>> 0;
  const random = new X87Random(seed);
  const out = new Floatx80();

  it('agree with the functions of Math to their accuracy', () => {
    for (let n = 0; n < 500; n++) {
      const status = new FloatStatus();
      const x = (random.u32() / 2 ** 32) * 2 - 1;
      const y = (random.u32() / 2 ** 32) * 20 - 10;
      const at = `seed ${seed} run ${n}`;
      f2xm1(status, out, fromNumber(x));
      expect(distance(toNumber(out), Math.expm1(x * Math.LN2)), at).toBeLessThan(4);
      fyl2xp1(status, out, fromNumber(x / 4), fromNumber(y));
      expect(distance(toNumber(out), (y * Math.log1p(x / 4)) / Math.LN2), at).toBeLessThan(4);
      fyl2x(status, out, fromNumber(Math.abs(y)), fromNumber(x));
      expect(Math.abs(toNumber(out) - x * Math.log2(Math.abs(y))), at).toBeLessThan(1e-14);
      fpatan(status, out, fromNumber(x), fromNumber(y));
      expect(distance(toNumber(out), Math.atan2(y, x)), at).toBeLessThan(2);
      for (const [kind, value] of [
        [SINE, Math.sin(y)],
        [COSINE, Math.cos(y)],
        [TANGENT, Math.tan(y)],
      ] as const) {
        expect(distance(trigonometric(kind, y), value), at).toBeLessThan(2);
      }
    }
  });

  it('reduce the largest angles exactly', () => {
    // Correctly rounded values, from the definition with 1000 bits of pi.
    expect(trigonometric(SINE, 2 ** 63)).toBe(0.9999303766734422);
    expect(trigonometric(COSINE, 2 ** 63)).toBe(0.011800076512800236);
    expect(trigonometric(SINE, -(2 ** -30))).toBe(-(2 ** -30));
    expect(trigonometric(SINE, Math.PI)).toBe(1.2246467991473532e-16);
  });
});
