// Longer than most: one generator; what it makes of a row depends on everything that it knows of rows.
import { decodeInsn } from '../../jit/x86/decoder.js';
import type { Row } from '../../jit/x86/insn.js';
import { MODE_CS32, MODE_PE, MODE_SS32 } from '../../jit/x86/mode.js';
import { EAX, EBP, EBX, ECX, EDI, ESI, ESP, FLAG_AC, FLAG_DF, FLAG_ID, FLAGS_ARITH } from '../../jit/x86/regs.js';
import { CODE_START, CODE_WINDOW, type CodeMode, type SegmentName, type TestCase, WINDOW_BYTES, WINDOWS } from './case.js';
import { randomFx } from './generate-fx.js';
import { CODE, CODE16_BASE, DATA16_BASE, SEGMENT_BASE } from './image.js';
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

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const ES = 0;
const CS = 1;
const SS = 2;
const DS = 3;

/** A case under construction. */
class Draft {
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

interface Prefixes {
  operand: boolean;
  address: boolean;
  segment: number;
  bytes: number[];
}

function choosePrefixes(draft: Draft, row: Row): Prefixes {
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
function memoryOperand(draft: Draft, p: Prefixes, reg: number, bytes: number): number[] {
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

/** Implicit memory operands reach the windows, counts stay small: by mnemonic. */
function prepare(draft: Draft, row: Row, p: Prefixes): void {
  const { random, regs } = draft;
  const address32 = draft.code32 !== p.address;
  const point = (register: number, segment: number, bytes: number): void => {
    if (!address32) draft.reach16(segment);
    const offset = draft.target(bytes) - draft.baseOf(segment);
    regs[register] = address32 ? offset : (regs[register]! & ~0xffff) | (offset & 0xffff);
  };
  if (row.test === 'string' || row.name === 'maskmovq' || row.name === 'maskmovdqu') {
    point(ESI, p.segment < 0 ? DS : p.segment, 4);
    point(EDI, row.test === 'string' ? ES : p.segment < 0 ? DS : p.segment, 16);
    regs[ECX] = address32 ? random.below(9) : (random.bits() & ~0xffff) | random.below(9);
    if (random.chance(30)) for (let k = 0; k < WINDOW_BYTES; k++) draft.memory[k] = k % 5 === 4 ? 1 : 0;
  }
  switch (row.name) {
    case 'xlat':
      point(EBX, p.segment < 0 ? DS : p.segment, 1);
      regs[EBX]! -= random.chance(80) ? regs[EAX]! & 0xff : 0;
      break;
    case 'enter':
    case 'leave':
      regs[EBP] = draft.target(64) - draft.stackBase;
      break;
    case 'bt':
    case 'bts':
    case 'btr':
    case 'btc':
      for (let n = 0; n < 8; n++) if (random.chance(60)) regs[n] = random.below(256) - 128;
      break;
    case 'cmpxchg8b':
      break;
    case 'loop':
    case 'loope':
    case 'loopne':
    case 'jcxz':
      regs[ECX] = random.pick([0, 1, 2, 0x10000, 0x10001, random.bits()]);
      break;
    default:
      if (/^(div|idiv)$/.test(row.name) && random.chance(70)) {
        regs[2] = random.pick([0, -1, regs[EAX]! >> 31, random.below(64), -random.below(64)]);
      }
      if (row.test === 'integer' && random.chance(40)) regs[ECX] = random.below(40);
  }
}

/** EIP of a byte of the code window other than the code's own. */
function codeTarget(draft: Draft, length: number): number {
  const start = draft.code32 ? CODE : CODE - CODE16_BASE;
  const after = draft.random.chance(50);
  return start + (after ? CODE_START + length + draft.random.below(CODE_WINDOW - CODE_START - length) : draft.random.below(CODE_START));
}

function immediate(draft: Draft, row: Row, p: Prefixes, lengthBefore: number): number[] {
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

function opcodeBytes(row: Row, k: number): number[] {
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

/** Where an indirect jump goes and what RET finds: EIPs in the code window. */
function placeTargets(draft: Draft, row: Row, p: Prefixes, length: number, memoryTarget: boolean): void {
  const { random } = draft;
  if (row.test !== 'control' || row.imm === 'sb' || row.imm === 'v') return;
  const value = random.chance(90) ? codeTarget(draft, length) : random.bits();
  const bytes = draft.code32 !== p.operand ? 4 : 2;
  if (row.name === 'ret') draft.poke(draft.stackBase + (draft.stack32 ? draft.regs[ESP]! : draft.regs[ESP]! & 0xffff), value, bytes);
  else if (memoryTarget) for (let at = 0; at + 4 <= WINDOW_BYTES; at += bytes) new DataView(draft.memory.buffer).setUint32(at, value, true);
}

/** A random legal (or by LOCK, unlucky address or value faulting) instance of a row, alone in its code window. */
export function generateCase(row: Row, random: Random, options: GenerateOptions): TestCase {
  const draft = new Draft(random, options);
  if (row.test === 'fpu' || row.test === 'sse' || row.test === 'mmx') draft.fx = randomFx(random, row.test);
  const p = choosePrefixes(draft, row);
  prepare(draft, row, p);
  const code = [...p.bytes, ...opcodeBytes(row, random.below(row.count ?? 1))];
  let memoryTarget = false;
  if (row.modrm) {
    const reg = row.digit ?? random.below(8);
    const register = row.form === 'reg' || row.rm !== undefined || (row.form !== 'mem' && random.chance(50));
    memoryTarget = !register;
    if (register) {
      const rm = row.rm ?? random.below(8);
      code.push(0xc0 | (reg << 3) | rm);
      if (row.test === 'control' && random.chance(90)) draft.regs[rm] = codeTarget(draft, 10);
    } else code.push(...memoryOperand(draft, p, reg, row.test === 'integer' || row.test === 'control' ? 4 : 16));
  }
  code.push(...immediate(draft, row, p, code.length));
  draft.code = code;
  placeTargets(draft, row, p, code.length, memoryTarget);
  return draft.finish(row.name);
}

/** Several register-only instructions after each other, so that each one's flags meet the next one's. */
export function generateSequence(rows: readonly Row[], random: Random, options: GenerateOptions): TestCase {
  const draft = new Draft(random, options);
  const names: string[] = [];
  const n = 2 + random.below(6);
  while (names.length < n) {
    const row = random.pick(rows);
    if (row.test !== 'integer' || row.form === 'mem' || row.imm === 'a' || /^(push|pop|enter|leave|xlat)/.test(row.name)) continue;
    const p: Prefixes = { operand: row.prefix === '66', address: false, segment: -1, bytes: [] };
    if (row.prefix === undefined && random.chance(25)) p.operand = true;
    if (p.operand) p.bytes.push(0x66);
    if (row.prefix === 'f2' || row.prefix === 'f3') p.bytes.push(row.prefix === 'f2' ? 0xf2 : 0xf3);
    const code = [...p.bytes, ...opcodeBytes(row, random.below(row.count ?? 1))];
    if (row.modrm) code.push(0xc0 | ((row.digit ?? random.below(8)) << 3) | (row.rm ?? random.below(8)));
    code.push(...immediate(draft, row, p, code.length));
    if (draft.code.length + code.length > CODE_WINDOW - CODE_START - 2) break;
    draft.code.push(...code);
    names.push(row.name);
  }
  return draft.finish(names.join('; '));
}

/** What byte soup stays away from: results that depend on time or chance, and INT n, whose delivery is the engine's. */
function isTellable(code: readonly number[], options: SoupOptions): boolean {
  const at = code.findIndex((b) => !PREFIXES.has(b));
  const [first, second] = [code[at]!, code[at + 1]!];
  if (at < 0) return true;
  if (first === 0xcd) return false;
  if (first >= 0xd8 && first <= 0xdf) return options.fpu;
  if (first !== 0x0f) return true;
  // RDTSC, RDPMC, RDRAND and RDSEED, RDTSCP and their neighbours.
  if (second === 0x31 || second === 0x33 || second === 0xc7 || second === 0x01) return false;
  // LOCK BT, BTS, BTR, BTC of a register make QEMU 7.2 abort.
  if ([0xa3, 0xab, 0xb3, 0xbb, 0xba].includes(second) && code.indexOf(0xf0) >= 0 && code.indexOf(0xf0) < at) return false;
  // POPCNT: QEMU notices LOCK before the length.
  if (second === 0xb8) return false;
  return options.sse || !isVectorOpcode(second);
}

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** Second opcode bytes that belong to MMX, 3DNow!, SSE and what came after. */
function isVectorOpcode(b: number): boolean {
  const ranges = [0x0f, 0x17, 0x28, 0x2f, 0x38, 0x3a, 0x50, 0x7f, 0xae, 0xae, 0xc2, 0xc6, 0xd0, 0xff];
  for (let k = 0; k < ranges.length; k += 2) if (b >= ranges[k]! && b <= ranges[k + 1]!) return true;
  return false;
}

export interface SoupOptions {
  readonly fpu: boolean;
  readonly sse: boolean;
}

/** Random bytes, prefixes first: what decodes to what, what is undefined, how long it is. */
export function generateSoup(random: Random, options: SoupOptions): TestCase {
  const draft = new Draft(random, ALL_OPTIONS);
  const prefixes = [...PREFIXES];
  draft.regs[ECX] = random.below(40);
  do {
    draft.code = [];
    const n = random.chance(3) ? 8 + random.below(9) : random.below(4);
    for (let k = 0; k < n; k++) draft.code.push(random.pick(prefixes));
    if (random.chance(40)) draft.code.push(0x0f);
    if (random.chance(8)) draft.code.push(random.pick([0x38, 0x3a]));
    for (let k = 0; k < 10; k++) draft.code.push(random.bits() & 0xff);
  } while (!isTellable(draft.code, options));
  // Only the first instruction; undefined ones keep what follows, because we do not know what would have belonged to them.
  const insn = decodeInsn(Uint8Array.from(draft.code), 0, MODE_PE | (draft.code32 ? MODE_CS32 : 0) | (draft.stack32 ? MODE_SS32 : 0));
  if (insn.row.test !== 'skip') draft.code.length = insn.length;
  if (options.fpu) draft.fx = randomFx(random, 'fpu');
  else if (options.sse) draft.fx = randomFx(random, 'sse');
  return draft.finish('bytes');
}
