import { disassemblyLines } from '../disassemble.js';
import { hex } from '../names.js';
import type { HotBlock, ProfileData } from '../profile-data.js';

/** Instructions of one TB that are shown. */
const MAX_LINES = 24;

function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** Columns, all but the last to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, c) => Math.max(...rows.map((row) => row[c]!.length))) ?? [];
  return rows.map((row) => row.map((cell, c) => (c === row.length - 1 ? cell : cell.padStart(widths[c]!))).join('  '));
}

/** Functions, loops and TBs with most instructions, for people. */
export function* table(profile: ProfileData, top: number): Generator<string> {
  const { functions, stacks, instructions, loops, blocks } = profile;
  const share = (n: number): string => `${((100 * n) / Math.max(instructions, 1)).toFixed(2)} %`;
  const called = functions.filter((f) => f.self > 0);
  yield `${count(instructions)} instructions; ${count(called.length)} functions, ${count(stacks.fn.length - 1)} stacks, ${count(profile.blockCount)} TBs`;
  yield* notes(profile);

  yield '';
  yield 'Functions, by the instructions in themselves; total: with those of all they called';
  const hottest = called.toSorted((a, b) => b.self - a.self || a.address - b.address).slice(0, top);
  yield* align([
    ['', 'self', '', 'total', 'calls', ''],
    ...hottest.map((f) => [
      share(f.self),
      count(f.self),
      share(f.total),
      count(f.total),
      count(f.calls),
      `${f.name}${f.user ? ' (user)' : ''}`,
    ]),
  ]);

  yield '';
  yield 'Loops, without what they call';
  yield* align([
    ['', 'instructions', 'iterations', 'entered', 'TBs', ''],
    ...loops.map((l) => [
      share(l.instructions),
      count(l.instructions),
      count(l.iterations),
      count(l.entered),
      count(l.blocks.length),
      `${hex(l.address)} ${l.where}${l.depth > 0 ? ` (inside ${l.depth})` : ''}`,
    ]),
  ]);

  yield '';
  yield 'TBs';
  for (const block of blocks) yield* blockLines(block, share);
}

function* blockLines(block: HotBlock, share: (n: number) => string): Generator<string> {
  yield `${share(block.instructions)}  ${count(block.instructions)} instructions, executed ${count(block.executions)} times: ${block.where}`;
  const lines = disassemblyLines(block.bytes, block.address, block.bits);
  for (const line of lines.slice(0, MAX_LINES)) yield `    ${line}`;
  if (lines.length > MAX_LINES) yield `    ... ${lines.length - MAX_LINES} more`;
}

function* notes({ cut, symbols }: ProfileData): Generator<string> {
  if (symbols?.located === false)
    yield 'the kernel of the symbols never set up its interrupt table: its functions are named by their addresses';
  if (symbols !== null && symbols.moved !== 0)
    yield `the kernel lies ${symbols.moved > 0 ? '' : '-'}0x${Math.abs(symbols.moved).toString(16)} bytes above its symbols`;
  if (cut.stacks > 0) yield `too many distinct stacks: ${count(cut.stacks)} calls are shown below "(more stacks)"`;
  if (cut.blocks > 0) yield `too many distinct TBs: ${count(cut.blocks)} of them are missing from loops and TBs`;
}

/** The same as data. */
export function profileJson(profile: ProfileData, top: number): Record<string, unknown> {
  const { functions, instructions, loops, blocks, blockCount, stacks, symbols, cut } = profile;
  const hottest = functions.filter((f) => f.self > 0).sort((a, b) => b.self - a.self || a.address - b.address);
  return {
    instructions,
    functions: hottest.slice(0, top),
    functionCount: hottest.length,
    stackCount: stacks.fn.length - 1,
    loops,
    blocks: blocks.map(({ bytes, bits, ...block }) => ({ ...block, disassembly: disassemblyLines(bytes, block.address, bits) })),
    blockCount,
    symbols,
    cut,
  };
}
