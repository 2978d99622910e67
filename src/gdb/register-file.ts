import type { X86Registers } from '../core/debug-target.js';
import type { RegisterWrite } from '../debug/messages.js';

/** Registers in the order of the target description. */
const GENERAL = 8;
const EIP = 8;
const EFLAGS = 9;
/** CS SS DS ES FS GS, by their numbers in the processor. */
const SEGMENTS = [1, 2, 3, 0, 4, 5];
const FIRST_SEGMENT = 10;
const FS_BASE = 16;
const GS_BASE = 17;
const CR0 = 19;
const CR2 = 20;
const CR3 = 21;
const CR4 = 22;
const CR8 = 23;
const EFER = 24;
const ST0 = 25;
const FCTRL = 33;
const FSTAT = 34;
const XMM0 = 41;
const MXCSR = 49;
export const REGISTER_COUNT = 50;

/** Bytes of a register; 0: there is no such number. */
export function registerBytes(n: number): number {
  if (!(n >= 0 && n < REGISTER_COUNT)) return 0;
  if (n >= ST0 && n < FCTRL) return 10;
  return n >= XMM0 && n < MXCSR ? 16 : 4;
}

function top(r: X86Registers): number {
  return (r.fpuStatus >> 11) & 7;
}

/** The value of a register of 32 bits. */
function word(r: X86Registers, n: number): number {
  if (n < GENERAL) return r.general[n]!;
  if (n >= FIRST_SEGMENT && n < FS_BASE) return r.segments[SEGMENTS[n - FIRST_SEGMENT]!]!.selector;
  switch (n) {
    case EIP:
      return r.eip;
    case EFLAGS:
      return r.eflags;
    case FS_BASE:
      return r.segments[4]!.base;
    case GS_BASE:
      return r.segments[5]!.base;
    case CR0:
      return r.cr0;
    case CR2:
      return r.cr2;
    case CR3:
      return r.cr3;
    case CR4:
      return r.cr4;
    case CR8:
      return r.cr8;
    case EFER:
      return r.efer;
    case FCTRL:
      return r.fpuControl;
    case FSTAT:
      return r.fpuStatus;
    case MXCSR:
      return r.mxcsr;
    default:
      // k_gs_base, and what QEMU does not tell of the x87.
      return 0;
  }
}

/** A register's bytes as hexadecimal digits, in the target's byte order; null: there is no such number. */
export function registerHex(r: X86Registers, n: number): string | null {
  if (registerBytes(n) === 0) return null;
  if (n >= ST0 && n < FCTRL) return Buffer.from(r.fpuRegisters[(top(r) + n - ST0) & 7]!).toString('hex');
  if (n >= XMM0 && n < MXCSR) return Buffer.from(r.xmm[n - XMM0]!).toString('hex');
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(word(r, n) >>> 0);
  return bytes.toString('hex');
}

const WORD_REGISTERS: Readonly<Record<number, 'eip' | 'eflags' | 'mxcsr' | 'cr0' | 'cr2' | 'cr3' | 'cr4' | 'fpu-control' | 'fpu-status'>> =
  {
    [EIP]: 'eip',
    [EFLAGS]: 'eflags',
    [CR0]: 'cr0',
    [CR2]: 'cr2',
    [CR3]: 'cr3',
    [CR4]: 'cr4',
    [FCTRL]: 'fpu-control',
    [FSTAT]: 'fpu-status',
    [MXCSR]: 'mxcsr',
  };

/** The write of a register; null: its value stays what it is (CR8, EFER, and what is always 0). */
export function registerWrite(n: number, bytes: Uint8Array): RegisterWrite | null {
  if (n >= ST0 && n < FCTRL) return { kind: 'st', index: n - ST0, bytes };
  if (n >= XMM0 && n < MXCSR) return { kind: 'xmm', index: n - XMM0, bytes };
  const value = Buffer.from(bytes).readUInt32LE();
  if (n < GENERAL) return { kind: 'general', index: n, value };
  if (n >= FIRST_SEGMENT && n < FS_BASE) return { kind: 'segment', index: SEGMENTS[n - FIRST_SEGMENT]!, value };
  if (n === FS_BASE || n === GS_BASE) return { kind: 'segment-base', index: n === FS_BASE ? 4 : 5, value };
  const kind = WORD_REGISTERS[n];
  return kind === undefined ? null : { kind, value };
}
