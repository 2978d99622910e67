import type { Insn } from './insn.js';

/** Instructions that are kept to be shared, at most; a power of 2. */
const SIZE = 1 << 16;

/**
 * Decoded instructions are never changed, and programs say the same again and again: blocks share them. A boot decodes half a million of them, 216 bytes each, and two of three were decoded before.
 * What is met seldom may be there twice: each place of the pool has room for one.
 */
export class InsnPool {
  private readonly places = new Array<Insn | null>(SIZE).fill(null);

  /** An instruction that is equal to this one, and perhaps older. */
  shared(insn: Insn): Insn {
    const at = placeOf(insn);
    const known = this.places[at]!;
    if (known !== null && isSame(known, insn)) return known;
    this.places[at] = insn;
    return insn;
  }
}

function placeOf(i: Insn): number {
  let hash = Math.imul(i.disp ^ Math.imul(i.imm, 0x9e3779b1), 0x85ebca6b) ^ i.mode;
  hash = Math.imul(hash ^ (i.opcode << 16) ^ (i.mod << 12) ^ (i.reg << 8) ^ (i.rm << 4) ^ i.size, 0x9e3779b1);
  hash = Math.imul(hash ^ (i.base << 8) ^ (i.index << 4) ^ i.length, 0x85ebca6b);
  return (hash ^ (hash >>> 15)) & (SIZE - 1);
}

/** `exec` follows from the rest. */
function isSame(a: Insn, b: Insn): boolean {
  return (
    a.row === b.row &&
    a.disp === b.disp &&
    a.imm === b.imm &&
    a.mode === b.mode &&
    a.opcode === b.opcode &&
    a.length === b.length &&
    a.mod === b.mod &&
    a.reg === b.reg &&
    a.rm === b.rm &&
    a.base === b.base &&
    a.index === b.index &&
    a.scale === b.scale &&
    a.mask === b.mask &&
    a.segment === b.segment &&
    a.imm2 === b.imm2 &&
    a.size === b.size &&
    a.addressSize === b.addressSize &&
    a.rep === b.rep &&
    a.opsizePrefix === b.opsizePrefix &&
    a.lock === b.lock &&
    a.end === b.end
  );
}
