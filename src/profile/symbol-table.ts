import type { FunctionStarts } from '../../jit/x86/profile/profiler.js';

/** One symbol of a kernel. */
export interface KernelSymbol {
  /** Linear address, 0 to 2^32 - 1. */
  readonly address: number;
  readonly name: string;
  /** It names code; others only say where a function ends. */
  readonly code: boolean;
  /** Visible outside its file: the better name of two at one address. */
  readonly global: boolean;
}

/** No function is longer: what is further behind the last symbol is not named after it. */
const LONGEST_FUNCTION = 1 << 20;

/** Names of functions by address. */
export class SymbolTable implements FunctionStarts {
  private readonly addresses: Uint32Array;
  private readonly names: readonly (string | null)[];
  /** Symbols that name code. */
  readonly functions: number;

  constructor(symbols: readonly KernelSymbol[]) {
    const best = new Map<number, KernelSymbol>();
    for (const symbol of symbols) {
      const other = best.get(symbol.address);
      if (other === undefined || isBetter(symbol, other)) best.set(symbol.address, symbol);
    }
    const sorted = [...best.values()].sort((a, b) => a.address - b.address);
    this.addresses = Uint32Array.from(sorted, (s) => s.address);
    this.names = sorted.map((s) => (s.code ? s.name : null));
    this.functions = sorted.filter((s) => s.code).length;
  }

  startOf(laddr: number): number | null {
    const at = this.indexOf(laddr);
    return at < 0 || this.names[at] === null ? null : this.addresses[at]! | 0;
  }

  /** Name of the function that starts at a linear address. */
  nameOf(start: number): string | null {
    const at = this.indexOf(start);
    return at < 0 || this.addresses[at] !== start >>> 0 ? null : this.names[at]!;
  }

  /** The last symbol at or before an address; -1: none near enough. */
  private indexOf(laddr: number): number {
    const { addresses } = this;
    const wanted = laddr >>> 0;
    let low = 0;
    let high = addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (addresses[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return low > 0 && wanted - addresses[low - 1]! < LONGEST_FUNCTION ? low - 1 : -1;
  }
}

/** Which of two symbols at one address names it: code, global, without underscores in front, short, first in the alphabet. */
function isBetter(a: KernelSymbol, b: KernelSymbol): boolean {
  if (a.code !== b.code) return a.code;
  if (a.global !== b.global) return a.global;
  const underscores = (s: KernelSymbol): number => /^_*/.exec(s.name)![0].length;
  if (underscores(a) !== underscores(b)) return underscores(a) < underscores(b);
  if (a.name.length !== b.name.length) return a.name.length < b.name.length;
  return a.name < b.name;
}

/** A name as it may be shown: no control characters, no blanks, of a reasonable length. */
export function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/gu, '?').slice(0, 200);
}
