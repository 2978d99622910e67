// Oracle: self-consistency (a table is compared with the blocks that it was told of)
import { beforeEach, describe, expect, it } from 'vitest';
import { Block } from '../../jit/x86/block.js';
import { Engine } from '../../jit/x86/engine.js';
import { EAX, EBX, ECX, EDX, EIP } from '../../jit/x86/regs.js';
import { BEHIND, BEHIND_END, EntryTable, GRANT, MODE_WORD, PLACE_MASK, PLACE_SHIFT } from '../../jit/x86/translate/entry-table.js';
import { TestMachine } from './two-machines.js';

const MODE = 7;

function translated(eip: number, due = 100): Block {
  const block = new Block(eip, MODE, eip, due);
  block.at = block.laddr = eip;
  block.count = 3;
  block.compiled = () => eip;
  return block;
}

let table: EntryTable;
beforeEach(() => {
  table = new EntryTable();
});

/** EIPs of the entries known to come behind a block, the last one first. */
function behind({ place }: Block): number[] {
  const words = table.words.subarray(place + BEHIND, place + BEHIND_END);
  return [...words].filter((_, k) => k % 2 === 0 && words[k + 1] !== 0);
}

describe('the table of entries', () => {
  it('admits a translation until its block comes up, and counts its entries', () => {
    const block = translated(0x1000);
    block.hits = 40;
    table.admit(block);
    expect(table.words[block.place + GRANT]).toBe(59);
    expect(table.functions[block.place >> PLACE_SHIFT]).toBe(block.compiled);
    table.words[block.place + GRANT]! -= 7;
    table.settle(block);
    expect([block.hits, table.words[block.place + GRANT]]).toEqual([47, 0]);
    table.settle(block);
    expect(block.hits).toBe(47);
  });

  it.each([
    ['is due', (b: Block) => (b.hits = b.due - 1)],
    ['has no translation', (b: Block) => (b.compiled = null)],
    ['holds an INTO', (b: Block) => (b.hasInto = true)],
    ['lies in two pages', (b: Block) => (b.at = -1)],
  ])('admits no block that %s', (_, change) => {
    const block = translated(0x1000);
    change(block);
    table.admit(block);
    expect(block.place).toBe(0);
  });

  it('nobody is at the place of none', () => {
    expect([table.words[GRANT], table.words[MODE_WORD]]).toEqual([0, -2]);
    expect(() => table.functions[0]!()).toThrow('no translation');
  });

  it('what is forgotten can be neither entered nor found, keeps its hits, and its place is given to another', () => {
    const [first, other] = [translated(0x1000), translated(0x2000)];
    table.admit(first);
    const { place } = first;
    table.words[place + GRANT]! -= 5;
    table.forget(first);
    expect([first.place, first.hits]).toEqual([0, 5]);
    expect([table.words[place + GRANT], table.words[place + MODE_WORD]]).toEqual([0, -2]);
    expect(() => table.functions[place >> PLACE_SHIFT]!()).toThrow('no translation');
    // It may be the one under way.
    expect(table.blocks[place >> PLACE_SHIFT]).toBe(first);
    table.admit(other);
    expect(other.place).toBe(place);
    expect(behind(other)).toEqual([]);
  });

  it('knows the four blocks that last came behind one, each once', () => {
    const [first, ...others] = [1, 2, 3, 4, 5, 6].map((k) => translated(k << 12));
    for (const b of [first!, ...others]) table.admit(b);
    for (const k of [0, 1, 2, 0, 3]) table.link(first!.place, others[k]!);
    expect(behind(first!)).toEqual([0x5000, 0x2000, 0x4000, 0x3000]);
    table.link(first!.place, others[4]!);
    expect(behind(first!)).toEqual([0x6000, 0x5000, 0x2000, 0x4000]);
  });

  it('has room for 16,383 and lets the engine enter others', () => {
    const blocks = Array.from({ length: 16384 }, (_, k) => translated(k << 4));
    for (const b of blocks) table.admit(b);
    expect(blocks.slice(0, -1).every((b) => b.place > 0 && (b.place & PLACE_MASK) === b.place)).toBe(true);
    expect(new Set(blocks.map((b) => b.place)).size).toBe(16384);
    expect(blocks.at(-1)!.place).toBe(0);
    table.forget(blocks[5]!);
    table.admit(blocks.at(-1)!);
    expect(blocks.at(-1)!.place).toBeGreaterThan(0);
  });
});

describe('code that is overwritten while translations lead to each other', () => {
  // 1000h: inc eax; 120 nop; jmp ebx      2000h: dec ecx; 120 nop; jz $+4; jmp edx; hlt      Too long for one region.
  const LONG = new Array<number>(120).fill(0x90);
  const LOOP: [number, number[]][] = [
    [0x1000, [0x40, ...LONG, 0xff, 0xe3]],
    [0x2000, [0x49, ...LONG, 0x74, 0x02, 0xff, 0xe2, 0xf4]],
  ];
  const TURN = 1 + 120 + 1 + 1 + 120 + 2;

  it.each(['off', 'on'] as const)('is executed as it is then, with the JIT %s', (jit) => {
    const machine = new TestMachine();
    machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
    const engine = new Engine(machine.cpu, { jit, hot: 10 });
    const { r } = machine.cpu;
    for (const [at, bytes] of LOOP) machine.memory.u8.set(bytes, at);
    r[EIP] = 0x1000;
    [r[EBX], r[EDX], r[ECX]] = [0x2000, 0x1000, 10_000];
    engine.run(TURN * 3000);
    expect([r[EAX], r[ECX]]).toEqual([3000, 7000]);
    // Somebody else writes: dec eax.
    machine.memory.write(0x1000, 0x48, 1);
    engine.run(TURN * 2000);
    expect([r[EAX], r[ECX]]).toEqual([1000, 5000]);
    expect(engine.run(TURN * 10_000)).toBe('halt');
    expect([r[EAX], r[ECX]]).toEqual([-4000, 0]);
  });
});
