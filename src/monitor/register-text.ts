import type { SegmentRegister, X86Registers } from '../core/debug-target.js';

/** Bits of a descriptor's high doubleword (SDM Vol. 3A 3.4.5). */
const ACCESSED = 1 << 8;
const READ_WRITE = 1 << 9;
const CONFORMING_OR_DOWN = 1 << 10;
const CODE = 1 << 11;
const CODE_OR_DATA = 1 << 12;
const PRESENT = 1 << 15;
const BIG = 1 << 22;
const CR0_PE = 1;

/** Types of system descriptors, by their number (SDM Vol. 3A table 3-2), as QEMU prints them. */
const SYSTEM_TYPES =
  'Reserved TSS16-avl LDT TSS16-busy CallGate16 TaskGate IntGate16 TrapGate16 Reserved TSS32-avl Reserved TSS32-busy CallGate32 Reserved IntGate32 TrapGate32'.split(
    ' ',
  );
const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
/** EFLAGS bits shown by letter. */
const FLAG_LETTERS = [
  ['D', 10],
  ['O', 11],
  ['S', 7],
  ['Z', 6],
  ['A', 4],
  ['P', 2],
  ['C', 0],
] as const;

function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}

function kind(attributes: number): string {
  const flag = (bit: number, letter: string): string => ((attributes & bit) !== 0 ? letter : '-');
  const dpl = ` DPL=${(attributes >>> 13) & 3} `;
  if ((attributes & CODE_OR_DATA) === 0) return `${dpl}${SYSTEM_TYPES[(attributes >>> 8) & 15]}`;
  const big = (attributes & BIG) !== 0;
  const name = (attributes & CODE) !== 0 ? (big ? 'CS32' : 'CS16') : big ? 'DS  ' : 'DS16';
  const [grows, usable] = (attributes & CODE) !== 0 ? ['C', 'R'] : ['E', 'W'];
  return `${dpl}${name} [${flag(CONFORMING_OR_DOWN, grows!)}${flag(READ_WRITE, usable!)}${flag(ACCESSED, 'A')}]`;
}

function segment(name: string, s: SegmentRegister, r: X86Registers): string {
  const shown = (r.cr0 & CR0_PE) !== 0 && (s.attributes & PRESENT) !== 0;
  return `${name.padEnd(3)}=${hex(s.selector, 4)} ${hex(s.base, 8)} ${hex(s.limit, 8)} ${hex(s.attributes & 0xffff00, 8)}${shown ? kind(s.attributes) : ''}`;
}

/** Little-endian bytes as one number in hexadecimal. */
function wide(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex');
}

function pairs(items: readonly string[]): string[] {
  return items.flatMap((item, k) => (k % 2 === 0 ? [`${item} ${items[k + 1]}`] : []));
}

/** What `info registers` says, line by line as QEMU does. */
export function registerLines(r: X86Registers): string[] {
  const general = (names: readonly (readonly [string, number])[]): string =>
    names.map(([name, n]) => `${name}=${hex(r.general[n]!, 8)}`).join(' ');
  const flags = FLAG_LETTERS.map(([letter, bit]) => ((r.eflags >>> bit) & 1 ? letter : '-')).join('');
  const bit = (on: boolean): string => (on ? '1' : '0');
  const top = (r.fpuStatus >>> 11) & 7;
  return [
    '',
    'CPU#0',
    general([
      ['EAX', 0],
      ['EBX', 3],
      ['ECX', 1],
      ['EDX', 2],
    ]),
    general([
      ['ESI', 6],
      ['EDI', 7],
      ['EBP', 5],
      ['ESP', 4],
    ]),
    `EIP=${hex(r.eip, 8)} EFL=${hex(r.eflags, 8)} [${flags}] CPL=${r.cpl} II=${bit(r.inhibitInterrupts)} A20=${bit(r.a20)} SMM=${bit(r.smm)} HLT=${bit(r.halted)}`,
    ...r.segments.map((s, n) => segment(SEGMENT_NAMES[n]!, s, r)),
    segment('LDT', r.ldt, r),
    segment('TR', r.task, r),
    `GDT=     ${hex(r.gdtBase, 8)} ${hex(r.gdtLimit, 8)}`,
    `IDT=     ${hex(r.idtBase, 8)} ${hex(r.idtLimit, 8)}`,
    `CR0=${hex(r.cr0, 8)} CR2=${hex(r.cr2, 8)} CR3=${hex(r.cr3, 8)} CR4=${hex(r.cr4, 8)}`,
    [0, 1, 2, 3].map((n) => `DR${n}=${hex(r.debug[n]!, 8)} `).join(''),
    `DR6=${hex(r.debug[6]!, 8)} DR7=${hex(r.debug[7]!, 8)}`,
    `EFER=${hex(r.efer, 16)}`,
    `FCW=${hex(r.fpuControl, 4)} FSW=${hex(r.fpuStatus, 4)} [ST=${top}] FTW=${hex(r.fpuInUse, 2)} MXCSR=${hex(r.mxcsr, 8)}`,
    ...pairs(r.fpuRegisters.map((bytes, n) => `FPR${n}=${wide(bytes.subarray(0, 8))} ${wide(bytes.subarray(8))}`)),
    ...pairs(r.xmm.map((bytes, n) => `XMM${String(n).padStart(2, '0')}=${wide(bytes.subarray(8))} ${wide(bytes.subarray(0, 8))}`)),
  ];
}
