import { ESP, FLAG_AC, FLAG_DF, FLAG_ID, FLAGS_ARITH } from '../../jit/x86/regs.js';
import { type CodeMode, type SegmentName, type TestCase, WINDOW_BYTES, WINDOWS } from './case.js';
import { CODE16_BASE, DATA16_BASE, SEGMENT_BASE } from './image.js';
import type { Random } from './random.js';

/** What an instance may contain. */
export interface GenerateOptions {
  readonly modes: readonly CodeMode[];
  /** Segment overrides other than DS, ES and segments with a base. */
  readonly segments: boolean;
  /** 67 prefix and 16-bit addresses. */
  readonly address16: boolean;
  /** Operands that lead to page faults. */
  readonly faults: boolean;
}

export const ALL_OPTIONS: GenerateOptions = {
  modes: ['cs32', 'cs32', 'cs16', 'cs16', 'cs32ss16', 'cs16ss32'],
  segments: true,
  address16: true,
  faults: true,
};

// Numbers of segment registers.
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;

/** A case under construction. */
export class Draft {
  readonly random: Random;
  readonly options: GenerateOptions;
  readonly mode: CodeMode;
  readonly regs = new Int32Array(8);
  readonly segments: [SegmentName, SegmentName, SegmentName, SegmentName];
  readonly memory = new Uint8Array(WINDOW_BYTES);
  eflags = 2;
  code: number[] = [];
  fx: Uint8Array | null = null;

  constructor(random: Random, options: GenerateOptions) {
    this.random = random;
    this.options = options;
    this.mode = random.pick(options.modes);
    for (let n = 0; n < 8; n++) this.regs[n] = random.value();
    this.segments = options.segments
      ? [this.anySegment(), this.anySegment(), this.anySegment(), this.anySegment()]
      : ['flat', 'flat', 'flat', 'flat'];
    random.bytes(this.memory);
    this.eflags |= random.bits() & FLAGS_ARITH;
    if (random.chance(20)) this.eflags |= FLAG_DF;
    if (options.segments) this.eflags |= random.bits() & (FLAG_AC | FLAG_ID);
    this.regs[ESP] = (this.target(64) - this.stackBase) | 0;
  }

  get code32(): boolean {
    return this.mode === 'cs32' || this.mode === 'cs32ss16';
  }

  get stack32(): boolean {
    return this.mode === 'cs32' || this.mode === 'cs16ss32';
  }

  get stackBase(): number {
    return this.stack32 ? 0 : DATA16_BASE;
  }

  private anySegment(): SegmentName {
    return this.random.pick(['flat', 'flat', 'data16', 'based']);
  }

  /** Linear address for an operand of about `bytes`: mostly plain, sometimes across pages, into the unmapped or the read-only one. */
  target(bytes: number): number {
    const random = this.random;
    const inside = WINDOWS[0].address + 32 + random.below(WINDOWS[0].bytes - 64 - Math.min(bytes, 64));
    const mask = bytes >= 16 && random.chance(50) ? ~15 : ~3;
    if (!this.options.faults || random.chance(75)) return random.chance(50) ? inside & mask : inside;
    const k = random.below(4);
    if (k === 0) return 0x301000 - random.below(bytes + 2);
    if (k === 1) return 0x302000 - random.below(bytes + 2);
    if (k === 2) return 0x303000 + random.below(32);
    return inside;
  }

  baseOf(segment: number): number {
    if (segment === CS) return this.code32 ? 0 : CODE16_BASE;
    if (segment === SS) return this.stackBase;
    return SEGMENT_BASE[this.segments[[1, 9, 9, 0, 2, 3][segment]!]!];
  }

  /** Makes `segment` reach the windows with 16-bit offsets; false if it cannot. */
  reach16(segment: number): boolean {
    if (segment === CS) return false;
    if (segment === SS) return !this.stack32;
    this.segments[[1, 9, 9, 0, 2, 3][segment]!] = 'data16';
    return true;
  }

  finish(name: string): TestCase {
    // IRET to a 16-bit stack leaves the upper half of ESP as it was in the ROM.
    if (!this.stack32) this.regs[ESP] = 0x90000 | (this.regs[ESP]! & 0xffff);
    return {
      name,
      mode: this.mode,
      code: Uint8Array.from(this.code),
      regs: this.regs,
      eflags: this.eflags,
      segments: this.segments,
      memory: this.memory,
      fx: this.fx,
    };
  }

  /** Writes a little-endian value where a linear address lies in a window. */
  poke(laddr: number, value: number, bytes: number): void {
    let at = 0;
    for (const w of WINDOWS) {
      if (laddr >= w.address && laddr + bytes <= w.address + w.bytes) {
        for (let k = 0; k < bytes; k++) this.memory[at + laddr - w.address + k] = value >>> (8 * k);
      }
      at += w.bytes;
    }
  }
}
