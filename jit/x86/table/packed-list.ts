import type { PackedKernel, ShiftKernel } from './packed.js';
import * as p from './packed.js';
import * as lanes from './packed-lanes.js';

/** Packed integer instructions with the same opcode for MMX (no prefix) and SSE2 (66): 0F opcode, what it does. */
export const PACKED: readonly (readonly [name: string, opcode: number, kernel: PackedKernel])[] = [
  ['punpcklbw', 0x60, p.punpcklbw],
  ['punpcklwd', 0x61, p.punpcklwd],
  ['punpckldq', 0x62, p.punpckldq],
  ['packsswb', 0x63, p.packsswb],
  ['pcmpgtb', 0x64, lanes.pcmpgtb],
  ['pcmpgtw', 0x65, lanes.pcmpgtw],
  ['pcmpgtd', 0x66, lanes.pcmpgtd],
  ['packuswb', 0x67, p.packuswb],
  ['punpckhbw', 0x68, p.punpckhbw],
  ['punpckhwd', 0x69, p.punpckhwd],
  ['punpckhdq', 0x6a, p.punpckhdq],
  ['packssdw', 0x6b, p.packssdw],
  ['pcmpeqb', 0x74, lanes.pcmpeqb],
  ['pcmpeqw', 0x75, lanes.pcmpeqw],
  ['pcmpeqd', 0x76, lanes.pcmpeqd],
  ['paddq', 0xd4, p.paddq],
  ['pmullw', 0xd5, lanes.pmullw],
  ['psubusb', 0xd8, lanes.psubusb],
  ['psubusw', 0xd9, lanes.psubusw],
  ['pminub', 0xda, lanes.pminub],
  ['pand', 0xdb, lanes.pand],
  ['paddusb', 0xdc, lanes.paddusb],
  ['paddusw', 0xdd, lanes.paddusw],
  ['pmaxub', 0xde, lanes.pmaxub],
  ['pandn', 0xdf, lanes.pandn],
  ['pavgb', 0xe0, lanes.pavgb],
  ['pavgw', 0xe3, lanes.pavgw],
  ['pmulhuw', 0xe4, lanes.pmulhuw],
  ['pmulhw', 0xe5, lanes.pmulhw],
  ['psubsb', 0xe8, lanes.psubsb],
  ['psubsw', 0xe9, lanes.psubsw],
  ['pminsw', 0xea, lanes.pminsw],
  ['por', 0xeb, lanes.por],
  ['paddsb', 0xec, lanes.paddsb],
  ['paddsw', 0xed, lanes.paddsw],
  ['pmaxsw', 0xee, lanes.pmaxsw],
  ['pxor', 0xef, lanes.pxor],
  ['pmuludq', 0xf4, p.pmuludq],
  ['pmaddwd', 0xf5, p.pmaddwd],
  ['psadbw', 0xf6, p.psadbw],
  ['psubb', 0xf8, lanes.psubb],
  ['psubw', 0xf9, lanes.psubw],
  ['psubd', 0xfa, lanes.psubd],
  ['psubq', 0xfb, p.psubq],
  ['paddb', 0xfc, lanes.paddb],
  ['paddw', 0xfd, lanes.paddw],
  ['paddd', 0xfe, lanes.paddd],
];

/**
 * Shifts: 0F opcode of the form with a register or memory count; opcode and /digit of the form with an immediate. `aligned`: whether QEMU 7.2
 * wants an SSE2 memory operand on a multiple of 16; processors do for all.
 */
export const SHIFTS: readonly (readonly [
  name: string,
  opcode: number,
  immediateOpcode: number,
  digit: number,
  kernel: ShiftKernel,
  aligned: boolean,
])[] = [
  ['psrlw', 0xd1, 0x71, 2, p.psrlw, true],
  ['psrld', 0xd2, 0x72, 2, p.psrld, true],
  ['psrlq', 0xd3, 0x73, 2, p.psrlq, true],
  ['psraw', 0xe1, 0x71, 4, p.psraw, false],
  ['psrad', 0xe2, 0x72, 4, p.psrad, false],
  ['psllw', 0xf1, 0x71, 6, p.psllw, false],
  ['pslld', 0xf2, 0x72, 6, p.pslld, false],
  ['psllq', 0xf3, 0x73, 6, p.psllq, false],
];
