import type { Row } from '../../jit/x86/insn.js';
import { EAX, EBP, EBX, ECX, EDI, ESI, ESP } from '../../jit/x86/regs.js';
import { CODE_START, CODE_WINDOW, type TestCase, WINDOW_BYTES } from './case.js';
import { Draft, DS, ES, type GenerateOptions } from './draft.js';
import { randomFx } from './generate-fx.js';
import { choosePrefixes, codeTarget, immediate, memoryOperand, opcodeBytes, type Prefixes } from './operands.js';
import type { Random } from './random.js';

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
