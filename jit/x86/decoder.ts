import { GP, NM, raiseStatic, UD } from './fault.js';
import { END_SYSTEM, type Exec, Insn, type Row } from './insn.js';
import { MODE_CS32, MODE_EM, MODE_TS } from './mode.js';
import { readRm } from './operands.js';
import { DS, EBP, EBX, EDI, ESI, ESP, SEG_BASE, SS, ZERO } from './regs.js';
import { allRows } from './table/index.js';

/** Longest legal instruction (SDM Vol. 3B 23.15): one byte more and it is #GP(0). */
export const MAX_INSN_LENGTH = 15;

type Map256 = readonly (readonly Row[])[];

/** Rows whose exec is only ever a fault decided from the bytes and the mode. */
function faultRow(name: string, exec: Exec): Row {
  return { name, map: '1', opcode: -1, modrm: false, size: 'v', end: END_SYSTEM, exec: () => exec, test: 'skip' };
}

/** The row of every byte sequence that is no instruction (also: of illegal LOCK). */
export const UNDEFINED_ROW = faultRow('(undefined)', () => raiseStatic(UD));
const TOO_LONG_ROW = faultRow('(too long)', () => raiseStatic(GP));
/** QEMU loads the operand of these before it fetches the immediate that makes the instruction too long: a page fault comes first. */
const LOADS_BEFORE_IMMEDIATE = new Set(['test', 'imul', 'bt', 'bts', 'btr', 'btc', '(undefined after a load)']);
const TOO_LONG_AFTER_LOAD_ROW = faultRow('(too long)', (cpu, i) => {
  readRm(cpu, i);
  raiseStatic(GP);
});
const NO_FPU_ROW = faultRow('(x87 not available)', () => raiseStatic(NM));

const MAPS = ['1', '0f', '0f38', '0f3a'] as const;
let tables: Record<Row['map'], Map256> | null = null;

function specificity(row: Row): number {
  return (
    (row.rm === undefined ? 0 : 8) +
    (row.digit === undefined ? 0 : 4) +
    (row.form === undefined ? 0 : 2) +
    (row.prefix === undefined ? 0 : 1)
  );
}

/** Sorts the table into four arrays of 256 candidate lists, most specific row first. */
function buildTables(): Record<Row['map'], Map256> {
  const built = { '1': emptyMap(), '0f': emptyMap(), '0f38': emptyMap(), '0f3a': emptyMap() };
  for (const row of allRows()) for (let k = 0; k < (row.count ?? 1); k++) built[row.map][row.opcode + k]!.push(row);
  for (const map of MAPS) for (const rows of built[map]) rows.sort((a, b) => specificity(b) - specificity(a));
  tables = built;
  return built;
}

function emptyMap(): Row[][] {
  return Array.from({ length: 256 }, () => []);
}

/** Base, index and default segment of the eight 16-bit addressing forms (SDM Vol. 2 table 2-1). */
const BASE16 = [EBX, EBX, EBP, EBP, ESI, EDI, EBP, EBX];
const INDEX16 = [ESI, EDI, ESI, EDI, ZERO, ZERO, ZERO, ZERO];

/** Reads an instruction's bytes in order; what lies behind them reads as zero. */
class Cursor {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  at = 0;
  /** Length of what comes before the immediate. */
  immediateAt = 0;

  byte(): number {
    return this.bytes[this.at++]! | 0;
  }

  signedByte(): number {
    return (this.byte() << 24) >> 24;
  }

  word(): number {
    return this.byte() | (this.byte() << 8);
  }

  signedWord(): number {
    return (this.word() << 16) >> 16;
  }

  dword(): number {
    return this.word() | (this.word() << 16);
  }

  get length(): number {
    return this.at - this.start;
  }
}

const cursor = new Cursor();

/**
 * Decodes the instruction at bytes[at]; up to 15 bytes are read, bytes behind the end of the array count as zero: a caller
 * whose bytes end early (page end) compares `length` with what it had. `mode` is a set of MODE_* bits.
 *
 * Never throws: undefined opcodes, illegal LOCK, more than 15 bytes and x87 with CR0.EM or TS give an instruction whose
 * exec raises #UD, #GP(0) or #NM and counts as executed, which is when QEMU decides them too.
 * LOCK on other instructions than the manual allows is ignored as in QEMU, unless the row says `lockable: false`.
 */
export function decodeInsn(bytes: Uint8Array, at: number, mode: number): Insn {
  const c = cursor;
  c.bytes = bytes;
  c.start = at;
  c.at = at;
  c.immediateAt = 0;
  const i = new Insn(UNDEFINED_ROW, undefinedExec);
  i.mode = mode;
  let override = -1;
  let addressPrefix = false;
  let opcode = c.byte();
  prefixes: for (; c.length <= MAX_INSN_LENGTH; opcode = c.byte()) {
    switch (opcode) {
      case 0xf2:
      case 0xf3:
        i.rep = opcode;
        break;
      case 0xf0:
        i.lock = true;
        break;
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        override = (opcode >> 3) & 3;
        break;
      case 0x64:
      case 0x65:
        override = opcode & 7;
        break;
      case 0x66:
        i.opsizePrefix = true;
        break;
      case 0x67:
        addressPrefix = true;
        break;
      default:
        break prefixes;
    }
  }
  const code32 = (mode & MODE_CS32) !== 0;
  const operandSize = code32 !== i.opsizePrefix ? 32 : 16;
  i.addressSize = code32 !== addressPrefix ? 32 : 16;
  i.mask = i.addressSize === 32 ? -1 : 0xffff;
  i.segment = SEG_BASE + (override < 0 ? DS : override);
  i.size = operandSize;

  let map: Row['map'] = '1';
  if (opcode === 0x0f) {
    opcode = c.byte();
    map = '0f';
    if (opcode === 0x38 || opcode === 0x3a) {
      map = opcode === 0x38 ? '0f38' : '0f3a';
      opcode = c.byte();
    }
  }
  i.opcode = opcode;
  if (map === '1' && opcode >= 0xd8 && opcode <= 0xdf && (mode & (MODE_EM | MODE_TS)) !== 0) return finish(i, NO_FPU_ROW);

  const candidates = (tables ?? buildTables())[map][opcode]!;
  if (!candidates.some((row) => prefixMatches(row, i))) return finish(i, UNDEFINED_ROW);
  if (candidates[0]!.modrm) {
    const modrm = c.byte();
    // MOV to and from control and debug registers: mod is taken as 3 whatever it is.
    i.mod = map === '0f' && opcode >= 0x20 && opcode <= 0x23 ? 3 : modrm >> 6;
    i.reg = (modrm >> 3) & 7;
    i.rm = modrm & 7;
  } else i.reg = opcode & 7;
  const row = select(candidates, i);
  if (row === null) return finish(i, UNDEFINED_ROW);
  i.size = row.size === 'v' ? operandSize : row.size;
  if (i.mod >= 0 && i.mod !== 3) {
    if (i.addressSize === 32) address32(i, override);
    else address16(i, override);
  }
  c.immediateAt = c.length;
  immediate(i, row, operandSize);
  if (i.lock && (row.lockable === false || (row.lockable === true && (i.mod === 3 || i.mod < 0)))) return finish(i, UNDEFINED_ROW);
  return finish(i, row);
}

function undefinedExec(): never {
  return raiseStatic(UD);
}

function finish(i: Insn, row: Row): Insn {
  const c = cursor;
  if (c.length > MAX_INSN_LENGTH) {
    const loads = i.mod >= 0 && i.mod !== 3 && c.immediateAt <= MAX_INSN_LENGTH && LOADS_BEFORE_IMMEDIATE.has(row.name);
    i.row = loads ? TOO_LONG_AFTER_LOAD_ROW : TOO_LONG_ROW;
    i.length = MAX_INSN_LENGTH;
  } else {
    i.row = row;
    i.length = c.length;
  }
  i.end = i.row.end ?? 0;
  i.exec = i.row.exec(i);
  return i;
}

function prefixMatches(row: Row, i: Insn): boolean {
  if (row.prefix === undefined) return true;
  return row.prefix === (i.rep === 0xf3 ? 'f3' : i.rep === 0xf2 ? 'f2' : i.opsizePrefix ? '66' : 'none');
}

function select(candidates: readonly Row[], i: Insn): Row | null {
  for (const row of candidates) {
    if (!prefixMatches(row, i)) continue;
    if (row.digit !== undefined && row.digit !== i.reg) continue;
    if (row.form !== undefined && (row.form === 'reg') !== (i.mod === 3)) continue;
    if (row.rm !== undefined && (i.mod !== 3 || row.rm !== i.rm)) continue;
    return row;
  }
  return null;
}

/** ModRM with 32-bit addressing: SIB, displacement, default segment SS for ESP and EBP bases (SDM Vol. 2 tables 2-2, 2-3). */
function address32(i: Insn, override: number): void {
  const c = cursor;
  let base = i.rm;
  if (base === 4) {
    const sib = c.byte();
    base = sib & 7;
    const index = (sib >> 3) & 7;
    if (index !== 4) {
      i.index = index;
      i.scale = sib >> 6;
    }
  }
  if (i.mod === 0 && base === 5) {
    i.base = ZERO;
    i.disp = c.dword();
    return;
  }
  i.base = base;
  i.disp = i.mod === 0 ? 0 : i.mod === 1 ? c.signedByte() : c.dword();
  if (override < 0 && (base === ESP || base === EBP)) i.segment = SEG_BASE + SS;
}

function address16(i: Insn, override: number): void {
  const c = cursor;
  if (i.mod === 0 && i.rm === 6) {
    i.disp = c.word();
    return;
  }
  i.base = BASE16[i.rm]!;
  i.index = INDEX16[i.rm]!;
  i.disp = i.mod === 0 ? 0 : i.mod === 1 ? c.signedByte() : c.signedWord();
  if (override < 0 && i.base === EBP) i.segment = SEG_BASE + SS;
}

function immediate(i: Insn, row: Row, operandSize: number): void {
  const c = cursor;
  switch (row.imm) {
    case 'b':
      i.imm = c.byte();
      break;
    case 'sb':
      i.imm = c.signedByte();
      break;
    case 'w':
      i.imm = c.word();
      break;
    case 'v':
      i.imm = operandSize === 32 ? c.dword() : c.signedWord();
      break;
    case 'wb':
      i.imm = c.word();
      i.imm2 = c.byte();
      break;
    case 'far':
      i.imm = operandSize === 32 ? c.dword() : c.word();
      i.imm2 = c.word();
      break;
    case 'a':
      // An absolute address is an effective address without base and index.
      i.imm = i.addressSize === 32 ? c.dword() : c.word();
      i.disp = i.imm;
      break;
    default:
      break;
  }
}
