import type { Expression } from 'estree';
import { constantOf } from '../../core/estree.js';

/** Bytes from the first to behind the last that accesses looked up together may reach over. */
const SPAN = 256;

/** A value as one that is not known plus a constant (modulo 2^32). */
interface Sum {
  /** Names the unknown part; '': there is none. */
  readonly of: string;
  readonly plus: number;
}

export type Tlb = 'read' | 'write';

/** How the code that looks up the first of several accesses is changed when others are added. */
export interface LookUp {
  /** TB that it stands in, by number. */
  readonly tb: number;
  /** Name of the first one's backing address. */
  readonly backing: string;
  /** From now on it must look whether all bytes from `low` to behind `high`, counted from the first one's address, lie in its page. */
  reach(low: number, high: number): void;
  /** From now on it must look into the TLB for writing. */
  forWriting(): void;
}

/** Accesses whose addresses differ by constants, and which one look into a TLB decides for: of the first one, which leaves the code unless all of them lie in its page. */
class SamePage {
  readonly lookUp: LookUp;
  private tlb: Tlb;
  /** Constant part of the first one's address. */
  private readonly plus: number;
  /** Bytes that they reach over, from the first one's address on. */
  private low = 0;
  private high: number;

  constructor(lookUp: LookUp, tlb: Tlb, plus: number, bytes: number) {
    this.lookUp = lookUp;
    this.tlb = tlb;
    this.plus = plus;
    this.high = bytes;
  }

  /** Takes in another access, of a TB; gives its distance from the first one, or null when it cannot be. */
  take(plus: number, tlb: Tlb, bytes: number, tb: number): number | null {
    // What may be written may be read: see resolveWrite in mmu.ts. What is read here will be written in the same TB, so the TLB for writing soon has an entry.
    if (this.tlb === 'read' && tlb === 'write' && tb !== this.lookUp.tb) return null;
    const delta = (plus - this.plus) | 0;
    const low = Math.min(this.low, delta);
    const high = Math.max(this.high, delta + bytes);
    if (high - low > SPAN) return null;
    if (low < this.low || high > this.high) {
      this.low = low;
      this.high = high;
      this.lookUp.reach(low, high);
    }
    if (this.tlb !== 'write' && tlb === 'write') {
      this.tlb = tlb;
      this.lookUp.forWriting();
    }
    return delta;
  }
}

/**
 * What is known at a point of the code of addresses: which differ by a constant from one that was looked up before. Holds as long as the TLBs do: nothing in generated code changes
 * those except an `exec`.
 */
export class KnownAddresses {
  /** By name of a local or constant; absent: the name itself is all that is known. */
  private readonly values: Map<string, Sum>;
  private readonly groups: Map<string, readonly SamePage[]>;
  private versions: number;

  /** @param before what is known where the code stands; it is not changed. */
  constructor(before: KnownAddresses | null = null) {
    this.values = new Map(before?.values);
    this.groups = new Map(before?.groups);
    this.versions = before?.versions ?? 0;
  }

  /** Everything may have changed. */
  forget(): void {
    this.values.clear();
    this.groups.clear();
  }

  /** `name` has this value from here on; null: one that is not known. */
  assign(name: string, value: Expression | null): void {
    const sum = value === null ? null : this.sumOf(value);
    this.values.set(name, sum ?? { of: `${name}@${++this.versions}`, plus: 0 });
  }

  /** Adds an access at `laddr` to others, if it can be: where the first of them was looked up, and how far behind that it lies. */
  join(laddr: Expression, tlb: Tlb, bytes: number, tb: number): { readonly backing: string; readonly delta: number } | null {
    const sum = this.sumOf(laddr);
    if (sum === null) return null;
    for (const group of this.groups.get(sum.of) ?? []) {
      const delta = group.take(sum.plus, tlb, bytes, tb);
      if (delta !== null) return { backing: group.lookUp.backing, delta };
    }
    return null;
  }

  /** From here on others may be added to an access at `laddr`. */
  begin(laddr: Expression, tlb: Tlb, bytes: number, lookUp: LookUp): void {
    const sum = this.sumOf(laddr);
    if (sum === null) return;
    const group = new SamePage(lookUp, tlb, sum.plus, bytes);
    this.groups.set(sum.of, [group, ...(this.groups.get(sum.of) ?? [])]);
  }

  private sumOf(e: Expression): Sum | null {
    const constant = constantOf(e);
    if (constant !== null) return { of: '', plus: constant | 0 };
    if (e.type === 'Identifier') return this.values.get(e.name) ?? { of: e.name, plus: 0 };
    if (e.type !== 'BinaryExpression' || e.left.type === 'PrivateIdentifier') return null;
    const left = this.sumOf(e.left);
    const right = this.sumOf(e.right);
    if (left === null || right === null) return null;
    switch (e.operator) {
      case '+':
        return {
          of: left.of === '' || right.of === '' ? left.of + right.of : `${left.of}+${right.of}`,
          plus: (left.plus + right.plus) | 0,
        };
      case '-':
        return right.of === '' ? { of: left.of, plus: (left.plus - right.plus) | 0 } : null;
      case '|':
        return right.of === '' && right.plus === 0 ? left : null;
      case '<<':
        return right.of === '' && left.of !== '' ? { of: `(${left.of}<<${right.plus & 31})`, plus: left.plus << right.plus } : null;
      default:
        return null;
    }
  }
}
