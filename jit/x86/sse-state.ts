import type { StatefulPart, StateSchema } from '../../src/core/state.js';
import { FloatStatus } from './softfloat/status.js';

/** MXCSR after reset: every exception masked, nothing raised, round to nearest (SDM Vol. 1, 10.2.3). */
const MXCSR_RESET = 0x1f80;
const MXCSR_FLAGS = 0x3f;
const MXCSR_DAZ = 0x40;
const MXCSR_RC_SHIFT = 13;
const MXCSR_FZ = 0x8000;

/** Bytes of an XMM register. */
export const XMM_BYTES = 16;

/** One packed operand seen as bytes, words, doublewords, singles and doubles, lane 0 the lowest. Typed arrays are little-endian on every host Node runs on. */
export class Lanes {
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly u16: Uint16Array;
  readonly i16: Int16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;

  constructor(buffer: ArrayBuffer = new ArrayBuffer(XMM_BYTES), offset = 0) {
    this.u8 = new Uint8Array(buffer, offset, 16);
    this.i8 = new Int8Array(buffer, offset, 16);
    this.u16 = new Uint16Array(buffer, offset, 8);
    this.i16 = new Int16Array(buffer, offset, 8);
    this.u32 = new Uint32Array(buffer, offset, 4);
    this.i32 = new Int32Array(buffer, offset, 4);
    this.f32 = new Float32Array(buffer, offset, 4);
    this.f64 = new Float64Array(buffer, offset, 2);
  }

  /** Copies all 128 bits; as integers, for NaNs must keep their bits. */
  copy(from: Lanes): void {
    const d = this.i32;
    const s = from.i32;
    d[0] = s[0];
    d[1] = s[1];
    d[2] = s[2];
    d[3] = s[3];
  }
}

/**
 * XMM registers and MXCSR (SDM Vol. 1, chapter 10) as QEMU 7.2 keeps them: any value can be loaded into MXCSR, no operation raises the
 * denormal-operand flag, and unmasked exceptions never become #XM.
 */
export class SseState implements StatefulPart {
  readonly schema: StateSchema = { name: 'sse', version: 1, fields: { xmm: 'bytes', mxcsr: 'u32' } };

  /** The register file, XMM0 first. */
  readonly xmm = new Uint8Array(8 * XMM_BYTES);
  readonly u32 = new Uint32Array(this.xmm.buffer);
  readonly i32 = new Int32Array(this.xmm.buffer);
  readonly f32 = new Float32Array(this.xmm.buffer);
  readonly f64 = new Float64Array(this.xmm.buffer);
  /** XMM0..XMM7. */
  readonly regs: readonly Lanes[] = Array.from({ length: 8 }, (_, n) => new Lanes(this.xmm.buffer, n * XMM_BYTES));
  /** Modes of the arithmetic; its flags are MXCSR's, so that nothing need be copied. */
  readonly status = new FloatStatus();
  /** MXCSR without its flags. */
  private control = 0;

  constructor() {
    this.mxcsr = MXCSR_RESET;
  }

  reset(): void {
    this.xmm.fill(0);
    this.mxcsr = MXCSR_RESET;
  }

  get mxcsr(): number {
    return (this.control | this.status.flags) >>> 0;
  }

  set mxcsr(value: number) {
    this.control = value & ~MXCSR_FLAGS;
    this.status.flags = value & MXCSR_FLAGS;
    this.status.roundingMode = (value >> MXCSR_RC_SHIFT) & 3;
    this.status.flushToZero = (value & MXCSR_FZ) !== 0;
    this.status.denormalsAreZero = (value & MXCSR_DAZ) !== 0;
  }
}
