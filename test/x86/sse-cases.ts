import type { Row } from '../../jit/x86/insn.js';
import { mmxRows } from '../../jit/x86/table/mmx.js';
import { sseRows } from '../../jit/x86/table/sse.js';
import type { TestCase } from '../../tools/x86-gen/case.js';
import type { GenerateOptions } from '../../tools/x86-gen/draft.js';
import { generateCase } from '../../tools/x86-gen/generate.js';
import type { Random } from '../../tools/x86-gen/random.js';

/** Offsets in the FXSAVE image (SDM Vol. 1, table 10-2). */
export const FX_MXCSR = 24;
export const FX_ST0 = 32;
export const FX_XMM0 = 160;

export const MXCSR_DENORMAL = 2;
const MXCSR_MASKS = 0x1f80;
export const MXCSR_DAZ = 0x40;
const MXCSR_FZ = 0x8000;

/** What floating-point operands a test wants. */
export interface ValueOptions {
  /** Some exceptions not masked. */
  readonly unmasked: boolean;
}

/** Bits of format `bits`: significand width and bias. */
interface Format {
  readonly fraction: number;
  readonly bias: number;
}
const SINGLE: Format = { fraction: 23, bias: 127 };
const DOUBLE: Format = { fraction: 52, bias: 1023 };

/** Makes floating-point operands on which results become inexact, tiny, huge, undefined or just exact. */
export class FloatValues {
  private readonly random: Random;
  private readonly options: ValueOptions;
  private last = 0n;

  constructor(random: Random, options: ValueOptions) {
    this.random = random;
    this.options = options;
  }

  private bits(n: number): bigint {
    const both = (BigInt(this.random.bits() >>> 0) << 32n) | BigInt(this.random.bits() >>> 0);
    return both & ((1n << BigInt(n)) - 1n);
  }

  private fraction(f: Format): bigint {
    const all = (1n << BigInt(f.fraction)) - 1n;
    switch (this.random.below(5)) {
      case 0:
        return 0n;
      case 1:
        return all;
      case 2:
        return (this.bits(8) << BigInt(this.random.below(f.fraction))) & all;
      case 3:
        return this.bits(6) << BigInt(f.fraction - 6);
      default:
        return this.bits(f.fraction);
    }
  }

  private exponent(f: Format): number {
    const random = this.random;
    const max = 2 * f.bias + 1;
    switch (random.below(12)) {
      case 0:
        return 0;
      case 1:
        return random.below(3);
      case 2:
        return max - random.below(3);
      case 3:
        return random.below(max);
      case 4:
        return f.bias + 29 + random.below(4);
      case 5:
        return (f.bias >> 1) + random.below(5) - 2;
      case 6:
        return f.bias + (f.bias >> 1) + random.below(5) - 2;
      default:
        return f.bias + random.below(60) - 30;
    }
  }

  private value(f: Format): bigint {
    const sign = BigInt(this.random.below(2)) << BigInt(f === SINGLE ? 31 : 63);
    let v: bigint;
    switch (this.random.below(8)) {
      // What was before, its opposite or its neighbour: exact zeros, cancellation, equality.
      case 0:
        v = (this.last & ((1n << BigInt(f === SINGLE ? 32 : 64)) - 1n)) ^ sign;
        break;
      case 1:
        v = (this.last ^ 1n) & ((1n << BigInt(f === SINGLE ? 32 : 64)) - 1n);
        break;
      default:
        v = sign | (BigInt(this.exponent(f)) << BigInt(f.fraction)) | this.fraction(f);
    }
    this.last = v;
    return v;
  }

  /** Fills a multiple of 8 bytes with values of one format. */
  fill(bytes: Uint8Array, double: boolean): void {
    const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (double) for (let at = 0; at < bytes.length; at += 8) dv.setBigUint64(at, this.value(DOUBLE), true);
    else for (let at = 0; at < bytes.length; at += 4) dv.setUint32(at, Number(this.value(SINGLE)), true);
  }

  mxcsr(): number {
    const random = this.random;
    let value = this.options.unmasked && random.chance(20) ? random.bits() & MXCSR_MASKS : MXCSR_MASKS;
    if (random.chance(40)) value |= random.below(4) << 13;
    if (random.chance(25)) value |= MXCSR_DAZ;
    if (random.chance(25)) value |= MXCSR_FZ;
    if (random.chance(60)) value |= random.bits() & 0x3f;
    return value;
  }
}

/** Whether a row's floating-point source is in double precision. */
export function hasDoubleSource(name: string): boolean {
  return name.startsWith('cvt') ? /^cvtt?[ps]d/.test(name) : /[ps]d$/.test(name);
}

const INTEGER_SOURCE = /^cvt(dq|pi|si)/;

/** Cases of every row of the tables that `accept` takes, `count` for each. */
export function sseCases(
  random: Random,
  count: number,
  options: GenerateOptions,
  values: ValueOptions,
  accept: (row: Row) => boolean = () => true,
): TestCase[] {
  const cases: TestCase[] = [];
  for (const row of [...mmxRows, ...sseRows].filter((row) => row.test !== 'skip' && accept(row))) {
    for (let n = 0; n < count; n++) {
      const c = generateCase(row, random, options);
      const fx = c.fx!;
      const floats = new FloatValues(random, values);
      new DataView(fx.buffer).setUint32(FX_MXCSR, floats.mxcsr(), true);
      if (row.test === 'sse' && !INTEGER_SOURCE.test(row.name) && random.chance(90)) {
        const double = hasDoubleSource(row.name);
        floats.fill(fx.subarray(FX_XMM0, FX_XMM0 + 128), double);
        // Windows start on multiples of 16; most operands are aligned enough.
        floats.fill(c.memory, double);
      }
      cases.push(c);
    }
  }
  return cases;
}
