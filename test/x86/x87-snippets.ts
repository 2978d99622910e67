import { x87Rows } from '../../jit/x86/table/x87.js';
import type { Case, Snippet } from './x87-image.js';
import type { X87Random } from './x87-random.js';

/** An instruction under test and what to call it. */
export interface NamedSnippet {
  readonly name: string;
  readonly bytes: Snippet;
}

/** One snippet for each instruction whose name passes, several for those with a register; memory operands at [EBX]. FNSAVE is the harness's own. */
export function x87Snippets(accept: (name: string) => boolean): NamedSnippet[] {
  const snippets: NamedSnippet[] = [];
  for (const row of x87Rows) {
    if (row.map !== '1' || row.name === 'fnsave' || !accept(row.name)) continue;
    const digit = (row.digit ?? 0) << 3;
    const name = `${row.name} ${row.opcode.toString(16)}`;
    if (!row.modrm) snippets.push({ name, bytes: [row.opcode] });
    else if (row.form === 'mem') {
      snippets.push({ name: `${name}/${row.digit} memory`, bytes: [row.opcode, digit | 3] });
      if (row.size === 'v') snippets.push({ name: `${name}/${row.digit} memory16`, bytes: [0x66, row.opcode, digit | 3] });
    } else {
      for (const rm of row.rm !== undefined ? [row.rm] : [0, 1, 3]) {
        snippets.push({ name: `${name} ${(0xc0 | digit | rm).toString(16)}`, bytes: [row.opcode, 0xc0 | digit | rm] });
      }
    }
  }
  return snippets;
}

/** Cases with related operands in ST(0) and ST(1). `vary` replaces fields. */
export function randomCases(random: X87Random, count: number, snippets: number, vary: (snippet: number) => Partial<Case>): Case[] {
  return Array.from({ length: count }, () => {
    const st0 = random.float80();
    const st1 = random.below(3) === 0 ? random.near(st0) : random.float80();
    const snippet = random.below(snippets);
    return {
      snippet,
      eax: random.u32() | 0,
      eflags: (random.u32() & 0x8d5) | 2,
      controlWord: random.controlWord(),
      statusWord: random.below(4) === 0 ? random.u32() & 0x7f7f : random.u32() & 0x3800,
      tagWord: random.below(4) === 0 ? random.u32() & 0xffff : 0,
      registers: [st0, st1, ...Array.from({ length: 6 }, () => random.float80())],
      memory: random.memory(),
      ...vary(snippet),
    };
  });
}
