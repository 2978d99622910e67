import type { Expression } from 'estree';
import { js } from '../../core/template.js';
import type { Cpu } from '../cpu.js';
import { accessBits, PARTS } from '../watch-table.js';

/** What an access does to its operand. */
export type AccessKind = 'read' | 'write' | 'modify';

/** How generated code finds out from an entry of a TLB, which `d` names, whether an access may go on, and where: see mmu.ts for what entries are. */
export interface AccessCheck {
  /** True when it may not, as far as its page is concerned. */
  refused(d: string, laddr: Expression, sizeBits: number, kind: AccessKind): Expression;
  /** Backing address of one that may. */
  at(d: string, laddr: Expression): Expression;
  /** When one access may go on, so may all others of its kind to its page. */
  readonly wholePages: boolean;
}

/** Every access to a watched page must be looked at. The lowest byte tells, and comparing it is shorter and faster code than comparing twelve bits, whose mask Intel's processors are slow to decode. */
export const PAGE_CHECK: AccessCheck = {
  refused: (d) => js.expr`(${d} & 0xff) !== 0`,
  at: (d, laddr) => js.expr`${d} + ${laddr} >>> 0`,
  wholePages: true,
};

/** Only accesses that a WatchTable says must be: its bytes are bound as `watched`. */
const BYTE_CHECK: AccessCheck = {
  refused: (d, laddr, sizeBits, kind) => {
    const bits = accessBits(sizeBits >> 3, { read: kind !== 'write', write: kind !== 'read' });
    return js.expr`(watched[(${d} & ${PARTS - 1}) << 12 | ${laddr} & 0xfff] & ${bits}) !== 0`;
  },
  at: (d, laddr) => js.expr`(${d} & -0x1000) + ${laddr} >>> 0`,
  wholePages: false,
};

/** How the code of a processor checks. */
export function accessCheckOf(cpu: Cpu): AccessCheck {
  return cpu.watchTable === null ? PAGE_CHECK : BYTE_CHECK;
}
