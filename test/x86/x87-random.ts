/** Random operands that like the edges: boundaries of exponent and significand, every kind of special, neighbours of other operands. */
export class X87Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** 32 random bits (mulberry32). */
  u32(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(n: number): number {
    return this.u32() % n;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  private significand(): bigint {
    const random = (BigInt(this.u32()) << 32n) | BigInt(this.u32());
    switch (this.below(8)) {
      case 0:
        return 1n << BigInt(this.below(64));
      case 1:
        return (1n << 64n) - (1n << BigInt(this.below(64)));
      case 2:
        return random & ~((1n << BigInt(this.below(64))) - 1n);
      case 3:
        return (1n << 63n) | (1n << BigInt(this.below(63)));
      case 4:
        return random | ((1n << BigInt(this.below(64))) - 1n);
      default:
        return random;
    }
  }

  /** An exponent: all of them, the middle, the limits of the narrower formats. */
  private exponent(): number {
    switch (this.below(8)) {
      case 0:
        return this.below(0x8000);
      case 1:
        return this.pick([0, 0, 1, 2, 3, 0x7ffe, 0x7ffd, 0x7fff]);
      case 2:
        return (
          0x3fff + this.pick([-1074, -1023, -1022, -1021, -149, -127, -126, 127, 128, 1023, 1024, 31, 32, 63, 64, 15]) - 1 + this.below(3)
        );
      case 3:
        return 0x3fff + this.below(130) - 65;
      default:
        return 0x3fff + this.below(14) - 7;
    }
  }

  /** 10 bytes of any encoding; most are valid. */
  float80(): number[] {
    let exp = this.exponent();
    let sig = this.significand();
    switch (this.below(16)) {
      case 0:
        exp = 0;
        break;
      case 1:
        exp = 0x7fff;
        sig |= 1n << 63n;
        break;
      case 2:
        return bytes80(this.below(2), this.pick([0, 0, 0x7fff, 0x3fff]), 0n);
      case 3:
        return bytes80(this.below(2), this.pick([0x7fff, 0x3fff]), 1n << 63n);
      case 4:
        break;
      default:
        if (exp !== 0) sig |= 1n << 63n;
    }
    return bytes80(this.below(2), exp, sig & 0xffffffffffffffffn);
  }

  /** A number close to another in size or value. */
  near(other: readonly number[]): number[] {
    const view = new DataView(Uint8Array.from(other).buffer);
    let sig = view.getBigUint64(0, true);
    const signExp = view.getUint16(8, true);
    let exp = signExp & 0x7fff;
    switch (this.below(4)) {
      case 0:
        sig += BigInt(this.below(5) - 2);
        break;
      case 1:
        exp += this.below(5) - 2;
        break;
      case 2:
        exp += this.below(140) - 70;
        sig ^= BigInt(this.u32());
        break;
      default:
        sig ^= 1n << BigInt(this.below(63));
    }
    return bytes80(this.below(2), exp & 0x7fff, sig & 0xffffffffffffffffn);
  }

  /** 16 bytes of memory operand. */
  memory(): number[] {
    const out = Array.from({ length: 16 }, () => this.below(256));
    const kind = this.below(4);
    if (kind === 0) out.splice(0, 10, ...this.float80());
    else if (kind === 1) {
      // A float32 and the high half of a float64 with an interesting exponent.
      const exp32 = this.pick([0, 0, 1, 0xfe, 0xff, 0xff, 0x7f, 0x80, 0x96, this.below(256)]);
      const exp64 = this.pick([0, 0, 1, 0x7fe, 0x7ff, 0x7ff, 0x3ff, 0x400, 0x433, this.below(2048)]);
      const at = this.pick([0, 4]);
      const exp = at === 0 ? exp32 << 23 : exp64 << 20;
      const mask = at === 0 ? 0x7fffff : 0xfffff;
      const fraction = this.pick([0, 1, this.u32(), this.u32(), 1 << this.below(24)]) & mask;
      const word = (exp | fraction | (this.below(2) << 31)) >>> 0;
      for (let n = 0; n < 4; n++) out[at + n] = (word >>> (8 * n)) & 0xff;
      if (at === 4 && this.below(3) === 0) for (let n = 0; n < 4; n++) out[n] = 0;
    } else if (kind === 2) for (let n = 0; n < 10; n++) out[n] = this.below(10) | (this.below(10) << 4);
    return out;
  }

  controlWord(): number {
    const rounding = this.below(4) << 10;
    const precision = this.pick([0x300, 0x300, 0x200, 0x000, 0x100]);
    return rounding | precision | this.pick([0x3f, 0x3f, 0x7f, 0x40 | this.below(64)]);
  }
}

export function bytes80(sign: number, exp: number, sig: bigint): number[] {
  const out = new Uint8Array(10);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, sig, true);
  view.setUint16(8, (sign << 15) | exp, true);
  return [...out];
}
