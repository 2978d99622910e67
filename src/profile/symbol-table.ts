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

/** Linux' handlers of #UD, #GP and #PF by their names, since 5.8 and before. */
const LINUX_HANDLERS: readonly (readonly [vector: number, name: string])[][] = [
  [
    [6, 'asm_exc_invalid_op'],
    [13, 'asm_exc_general_protection'],
    [14, 'asm_exc_page_fault'],
  ],
  [
    [6, 'invalid_op'],
    [13, 'general_protection'],
    [14, 'page_fault'],
  ],
];
const PAGE = 0x1000;

/**
 * Names of functions by address. Linux may lie elsewhere than its symbols say (KASLR): that is found out by the handlers it puts into the interrupt table; until then, no
 * function is known.
 */
export class SymbolTable implements FunctionStarts {
  private readonly addresses: Uint32Array;
  private readonly names: readonly (string | null)[];
  /** Handlers of exceptions: vector and address; empty: it is not Linux, and lies where it says. */
  private readonly handlers: readonly (readonly [vector: number, address: number])[];
  /** Bytes that the guest's addresses are higher. */
  moved = 0;
  located: boolean;
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
    const byName = new Map(symbols.map((s) => [s.name, s.address]));
    const linux = LINUX_HANDLERS.find((list) => list.every(([, name]) => byName.has(name)));
    this.handlers = linux?.map(([vector, name]) => [vector, byName.get(name)!] as const) ?? [];
    this.located = this.handlers.length === 0;
  }

  locate(handlerOf: (vector: number) => number | null): boolean {
    const distances = this.handlers.map(([vector, address]) => {
      const handler = handlerOf(vector);
      return handler === null ? null : (handler - address) | 0;
    });
    const distance = distances[0] ?? null;
    if (distance === null || distance % PAGE !== 0 || !distances.every((d) => d === distance)) return false;
    this.moved = distance;
    this.located = true;
    return true;
  }

  startOf(laddr: number): number | null {
    const at = this.located ? this.indexOf(laddr) : -1;
    return at < 0 || this.names[at] === null ? null : (this.addresses[at]! + this.moved) | 0;
  }

  /** Name of the function that starts at a linear address. */
  nameOf(start: number): string | null {
    const at = this.indexOf(start);
    return at < 0 || this.addresses[at] !== (start - this.moved) >>> 0 ? null : this.names[at]!;
  }

  /** The last symbol at or before an address; -1: none near enough. */
  private indexOf(laddr: number): number {
    const { addresses } = this;
    const wanted = (laddr - this.moved) >>> 0;
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
