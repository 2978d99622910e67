/** Small reproducible random number generator (xorshift32) with the values that break things. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 1;
    for (let k = 0; k < 8; k++) this.bits();
  }

  /** 32 random bits, int32. */
  bits(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x | 0;
    return Math.imul(x, 0x9e3779b1) | 0;
  }

  /** 0 .. n - 1. */
  below(n: number): number {
    return (this.bits() >>> 1) % n;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** A 32-bit value near where signs, carries and sizes change, or any. */
  value(): number {
    switch (this.below(6)) {
      case 0:
        return this.pick([0, 1, -1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, -0x80000000, -128, -32768]);
      case 1:
        return this.below(64);
      case 2:
        return (this.value() + this.below(5) - 2) | 0;
      case 3:
        return this.bits() & this.pick([0xff, 0xffff, 0xff00, -0x10000, 0x0f0f0f0f]);
      default:
        return this.bits();
    }
  }

  bytes(target: Uint8Array): Uint8Array {
    for (let k = 0; k < target.length; k++) target[k] = this.bits() >>> 11;
    return target;
  }
}
