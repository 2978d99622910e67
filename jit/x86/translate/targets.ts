import { END_JUMP, END_NONE, type Insn } from '../insn.js';
import { MODE_CS32 } from '../mode.js';
import { waitEmitters } from './emit-wait.js';
import type { TbSource } from './translate.js';

function cut(mode: number, eip: number): number {
  return (mode & MODE_CS32) !== 0 ? eip | 0 : eip & 0xffff;
}

function isConditional(i: Insn): boolean {
  if (i.row.map === '0f') return true;
  return i.opcode < 0x80 || (i.opcode >= 0xe0 && i.opcode <= 0xe3);
}

function isIndirect(i: Insn): boolean {
  return i.opcode === 0xff || i.opcode === 0xc2 || i.opcode === 0xc3;
}

/** Ends in a near jump, call or return to an EIP worked out when it runs. */
export function endsIndirect(tb: TbSource): boolean {
  const last = tb.insns[tb.insns.length - 1]!;
  return last.end === END_JUMP && last.row.test === 'control' && last.row.map === '1' && isIndirect(last);
}

/** Where a TB goes on, as EIPs (int32): both ways of a condition. None behind an indirect jump, or what ends a TB for more than a jump. */
export function targetsOf(tb: TbSource): number[] {
  const last = tb.insns[tb.insns.length - 1]!;
  const behind = tb.insns.reduce((at, i) => at + i.length, tb.eip) | 0;
  if (last.end === END_NONE) return [cut(tb.mode, behind)];
  if (last.row.name in waitEmitters) return [behind];
  if (last.end !== END_JUMP || last.row.test !== 'control') return [];
  if (endsIndirect(tb)) return [];
  const target = (behind + last.imm) | 0;
  const taken = last.size === 16 ? target & 0xffff : target;
  return isConditional(last) ? [taken, cut(tb.mode, behind)] : [taken];
}

/** Ends in a near return. */
export function returns(tb: TbSource): boolean {
  const last = tb.insns[tb.insns.length - 1]!;
  return endsIndirect(tb) && last.opcode !== 0xff;
}

/** Where the function returns to that a TB's last instruction, a near call, calls; null: it ends otherwise. */
export function callsOf(tb: TbSource): number | null {
  const last = tb.insns[tb.insns.length - 1]!;
  if (last.end !== END_JUMP || last.row.map !== '1' || !(last.opcode === 0xe8 || (last.opcode === 0xff && last.reg === 2))) return null;
  return tb.insns.reduce((at, i) => at + i.length, tb.eip) | 0;
}
