import type { Row } from '../../jit/x86/insn.js';
import { EBP, EBX, EDI, ESI, ESP } from '../../jit/x86/regs.js';
import { CODE_START, CODE_WINDOW } from './case.js';
import { type Draft, DS, SS } from './draft.js';
import { CODE, CODE16_BASE } from './image.js';

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
/** Prefixes of an instruction under construction. */
export interface Prefixes {
  operand: boolean;
  address: boolean;
  segment: number;
  bytes: number[];
}

/** Prefixes that are legal for a row (or ones that fault), in any order. */
export function choosePrefixes(draft: Draft, row: Row): Prefixes {
  const random = draft.random;
  const p: Prefixes = { operand: false, address: false, segment: -1, bytes: [] };
  const prefix = row.prefix;
  if (prefix === '66') p.operand = true;
  else if (prefix !== 'none' || (row.test !== 'sse' && row.test !== 'mmx')) p.operand = random.chance(25) && prefix !== 'none';
  if (p.operand) p.bytes.push(0x66);
  if (draft.options.address16 && random.chance(15)) {
    p.address = true;
    p.bytes.push(0x67);
  }
  if (draft.options.segments && random.chance(15)) {
    p.segment = random.below(6);
    p.bytes.push(SEGMENT_PREFIX[p.segment]!);
  }
  if (prefix === 'f2') p.bytes.push(0xf2);
  else if (prefix === 'f3') p.bytes.push(0xf3);
  else if (row.test === 'string') {
    if (random.chance(60)) p.bytes.push(random.pick([0xf2, 0xf3]));
  } else if (prefix === undefined && row.test === 'integer' && random.chance(4)) p.bytes.push(0xf2);
  if (row.lockable !== undefined && !/^bt[srcs]?$/.test(row.name) && draft.options.segments && random.chance(row.lockable ? 15 : 5))
    p.bytes.push(0xf0);
  for (let k = p.bytes.length - 1; k > 0; k--) {
    const other = random.below(k + 1);
    [p.bytes[k], p.bytes[other]] = [p.bytes[other]!, p.bytes[k]!];
  }
  return p;
}

/** ModRM (and what follows) of a memory operand at a reachable place; sets registers and segments to suit. */
export function memoryOperand(draft: Draft, p: Prefixes, reg: number, bytes: number): number[] {
  const random = draft.random;
  const address32 = draft.code32 !== p.address;
  return address32 ? memory32(draft, p, reg, draft.target(bytes), random.below(4)) : memory16(draft, p, reg, draft.target(bytes));
}

function memory32(draft: Draft, p: Prefixes, reg: number, target: number, shape: number): number[] {
  const { random, regs } = draft;
  if (shape === 0) {
    const offset = (target - draft.baseOf(p.segment < 0 ? DS : p.segment)) | 0;
    return random.chance(50) ? [(reg << 3) | 5, ...dword(offset)] : [(reg << 3) | 4, 0x25, ...dword(offset)];
  }
  const mod = random.below(3);
  let base = random.below(8);
  if (mod === 0 && base === 5) base = EBX;
  const withIndex = base === ESP || shape === 3;
  let index = withIndex ? random.below(8) : 4;
  if (index === base) index = 4;
  const scale = random.below(4);
  const segment = p.segment >= 0 ? p.segment : base === ESP || base === EBP ? SS : DS;
  const offset = (target - draft.baseOf(segment)) | 0;
  const disp = mod === 0 ? 0 : mod === 1 ? random.below(256) - 128 : random.value();
  regs[base] = (offset - disp - (index === 4 ? 0 : regs[index]! << scale)) | 0;
  const tail = mod === 0 ? [] : mod === 1 ? [disp & 0xff] : dword(disp);
  return withIndex ? [(mod << 6) | (reg << 3) | 4, (scale << 6) | (index << 3) | base, ...tail] : [(mod << 6) | (reg << 3) | base, ...tail];
}

const BASE16 = [EBX, EBX, EBP, EBP, ESI, EDI, EBP, EBX];
const INDEX16 = [ESI, EDI, ESI, EDI, -1, -1, -1, -1];

function memory16(draft: Draft, p: Prefixes, reg: number, target: number): number[] {
  const { random, regs } = draft;
  const mod = random.below(3);
  let rm = random.below(8);
  const direct = mod === 0 && rm === 6;
  const segmentOf = (n: number): number => (p.segment >= 0 ? p.segment : !direct && BASE16[n] === EBP ? SS : DS);
  // A stack segment that starts at 0 cannot reach the windows: take a form with DS.
  if (!draft.reach16(segmentOf(rm)) && p.segment < 0) {
    rm = 7;
    draft.reach16(DS);
  }
  const offset = (target - draft.baseOf(segmentOf(rm))) & 0xffff;
  if (direct) return [(reg << 3) | 6, offset & 0xff, offset >> 8];
  const disp = mod === 0 ? 0 : mod === 1 ? random.below(256) - 128 : random.below(0x10000);
  const base = BASE16[rm]!;
  const index = INDEX16[rm]!;
  const low = (offset - disp - (index < 0 ? 0 : regs[index]!)) & 0xffff;
  regs[base] = (regs[base]! & ~0xffff) | low;
  const tail = mod === 0 ? [] : mod === 1 ? [disp & 0xff] : [disp & 0xff, (disp >> 8) & 0xff];
  return [(mod << 6) | (reg << 3) | rm, ...tail];
}

function dword(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff];
}

/** EIP of a byte of the code window other than the code's own. */
export function codeTarget(draft: Draft, length: number): number {
  const start = draft.code32 ? CODE : CODE - CODE16_BASE;
  const after = draft.random.chance(50);
  return start + (after ? CODE_START + length + draft.random.below(CODE_WINDOW - CODE_START - length) : draft.random.below(CODE_START));
}

/** The immediate operand of a row's instance; `lengthBefore` counts the bytes before it. */
export function immediate(draft: Draft, row: Row, p: Prefixes, lengthBefore: number): number[] {
  const random = draft.random;
  const size32 = draft.code32 !== p.operand;
  const eip = (draft.code32 ? CODE : CODE - CODE16_BASE) + CODE_START;
  switch (row.imm) {
    case 'b':
      return [random.value() & 0xff];
    case 'sb':
      if (row.test === 'control') return [(codeTarget(draft, lengthBefore + 1) - eip - lengthBefore - 1) & 0xff];
      return [random.value() & 0xff];
    case 'w':
      return word(random.chance(80) ? random.below(32) : random.bits());
    case 'v': {
      const bytes = size32 ? 4 : 2;
      const value = row.test === 'control' ? codeTarget(draft, lengthBefore + bytes) - eip - lengthBefore - bytes : random.value();
      return size32 ? dword(value) : word(value);
    }
    case 'wb':
      return [...word(random.below(48)), random.chance(70) ? random.below(6) : random.bits() & 0xff];
    case 'far':
      return size32 ? [...dword(random.bits()), ...word(random.bits())] : [...word(random.bits()), ...word(random.bits())];
    case 'a': {
      const address32 = draft.code32 !== p.address;
      const segment = p.segment < 0 ? DS : p.segment;
      if (!address32) draft.reach16(segment);
      const offset = draft.target(4) - draft.baseOf(segment);
      return address32 ? dword(offset) : word(offset);
    }
    default:
      return [];
  }
}

/** Opcode of the `k`th instance of a row that has several. */
export function opcodeBytes(row: Row, k: number): number[] {
  const last = row.opcode + k;
  switch (row.map) {
    case '1':
      return [last];
    case '0f':
      return [0x0f, last];
    case '0f38':
      return [0x0f, 0x38, last];
    case '0f3a':
      return [0x0f, 0x3a, last];
  }
}
