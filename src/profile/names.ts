import type { BlockProfile } from '../../jit/x86/profile/block-profile.js';
import type { ProfiledFunction, Profiler } from '../../jit/x86/profile/profiler.js';
import type { SymbolTable } from './symbol-table.js';

/** Without symbols, code so far behind a known function belongs to it. */
const REACH = 1 << 16;

export function hex(address: number): string {
  return (address >>> 0).toString(16).padStart(8, '0');
}

/** Names of functions and places of one profile. */
export class Names {
  private readonly profiler: Profiler;
  private readonly symbols: SymbolTable | null;
  /** Starts of the functions of ring 0 and of ring 3. */
  private readonly starts: readonly [Uint32Array, Uint32Array];

  constructor(profiler: Profiler, symbols: SymbolTable | null) {
    this.profiler = profiler;
    this.symbols = symbols;
    const startsOf = (user: boolean): Uint32Array =>
      Uint32Array.from(profiler.functions.filter((f) => f.kind === 'function' && f.user === user).map((f) => f.address >>> 0)).sort();
    this.starts = [startsOf(false), startsOf(true)];
  }

  function(f: ProfiledFunction): string {
    if (f.kind === 'cut') return '(more stacks)';
    if (f.kind === 'program') return `program ${hex(f.address << 12)}`;
    const { symbols } = this;
    const start = f.user || symbols === null ? null : symbols.startOf(f.address);
    if (start !== null) return symbols!.nameOf(start)!;
    if (f.kind === 'inside') return `inside ${hex(f.address)}`;
    return f.handler ? `handler ${hex(f.address)}` : hex(f.address);
  }

  /** Function and offset. */
  block(block: BlockProfile): string {
    const { functions } = this.profiler;
    const fn = block.fn >= 0 ? functions[block.fn]! : null;
    const start = fn?.address ?? this.startBefore(block);
    if (start === null) return hex(block.laddr);
    const offset = (block.laddr - start) >>> 0;
    const name = fn === null ? hex(start) : this.function(fn);
    return offset === 0 ? name : `${name}+0x${offset.toString(16)}`;
  }

  private startBefore(block: BlockProfile): number | null {
    const starts = this.starts[block.user ? 1 : 0];
    const wanted = block.laddr >>> 0;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return low > 0 && wanted - starts[low - 1]! < REACH ? starts[low - 1]! : null;
  }
}
