// Oracle: manual (instructions counted by hand)
import { describe, expect, it } from 'vitest';
import { SymbolTable } from '../../src/profile/symbol-table.js';
import { Assembler, type ProgramOptions, profileProgram } from './guest-program.js';

const MODES = ['off', 'on', 'force'] as const;

/** Stacks of a program, the same in every JIT mode and however it is sliced. */
function stacksOf(make: () => Assembler, options: ProgramOptions): Readonly<Record<string, number>> {
  const all = MODES.flatMap((jit) =>
    [{}, { slices: [1] }, { slices: [3, 50, 7] }].map((more) => profileProgram(make(), { ...options, ...more, jit })),
  );
  for (const { data, icount } of all) expect(data.instructions).toBe(icount);
  for (const { stacks } of all) expect(stacks).toEqual(all[0]!.stacks);
  return all[0]!.stacks;
}

/** main calls f three times a turn; f calls g. */
function nested(): Assembler {
  const a = new Assembler();
  a.label('main').nops(2).call('f').call('f').call('f').jmp('main');
  a.label('f').nops(4).call('g').nops(1).ret();
  return a.label('g').nops(9).ret();
}

describe('stacks of calls', () => {
  it('count each instruction under the calls that led to it', () => {
    // A turn: main 6, f 3 * 7, g 3 * 10.
    const stacks = stacksOf(nested, { instructions: 5700 });
    expect(stacks).toEqual({ main: 600, 'main;f': 2100, 'main;f;g': 3000 });
  });

  it('do not depend on what the symbols say here', () => {
    expect(stacksOf(nested, { instructions: 570, symbols: true })).toEqual({ main: 60, 'main;f': 210, 'main;f;g': 300 });
  });

  it('follow a call through a register and a return that frees arguments', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').put(0x6a, 1).address('f', 0xb8).put(0xff, 0xd0).jmp('main');
      return a.label('f').nops(2).put(0xc2, 4, 0);
    };
    expect(stacksOf(make, { instructions: 70, symbols: true })).toEqual({ main: 40, 'main;f': 30 });
  });

  it('put a function that is jumped to in the place of the one that jumped', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').call('f').call('g').jmp('main');
      a.label('f').nops(1).jmp('g');
      return a.label('g').nops(3).ret();
    };
    // Without symbols g is known once it was called: in the first turn its instructions are f's.
    expect(stacksOf(make, { instructions: 130 })).toEqual({ main: 30, 'main;f': 24, 'main;g': 76 });
    expect(stacksOf(make, { instructions: 130, symbols: true })).toEqual({ main: 30, 'main;f': 20, 'main;g': 80 });
  });

  it('see through a return that is a jump: the target took the place of the thunk', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').address('g', 0xb8).call('thunk').jmp('main');
      a.label('thunk').call('over').label('trap').jmp('trap');
      a.label('over').put(0x89, 0x04, 0x24).ret();
      return a.label('g').nops(4).ret();
    };
    expect(stacksOf(make, { instructions: 110 })).toEqual({
      main: 30,
      'main;thunk': 10,
      'main;thunk;over': 20,
      'main;g': 50,
    });
  });

  it('stay where they are when an address is pushed and returned to', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').call('f').jmp('main');
      a.label('f').nops(1).address('here', 0x68).ret();
      a.label('here').nops(2).ret();
      return a;
    };
    expect(stacksOf(make, { instructions: 80 })).toEqual({ main: 20, 'main;f': 60 });
  });

  it('come back from a jump out of several calls', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').call('f').jmp('main');
      // f keeps its stack pointer in ebx; h throws its callers away.
      a.label('f').put(0x89, 0xe3).call('g').label('back').nops(1).ret();
      a.label('g').nops(1).call('h').ret();
      return a.label('h').nops(1).put(0x89, 0xdc).jmp('back');
    };
    // back runs in h's frame until f returns: 2 of f's 4 instructions.
    expect(stacksOf(make, { instructions: 110 })).toEqual({
      main: 20,
      'main;f': 20,
      'main;f;g': 20,
      'main;f;g;h': 50,
    });
    expect(stacksOf(make, { instructions: 11_000 })['main;f']).toBe(2000);
  });

  it('are kept for a guest that switches between two stacks', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      // The second stack holds the address at which b begins.
      a.label('main').address('b', 0xc7, 0x05, 0, 0, 2, 0).put(0xc7, 0x05, 0, 0x0f, 0, 0, 0, 0, 2, 0).call('a').label('end').jmp('end');
      a.label('a').nops(1).call('switch').jmp('a');
      a.label('b').nops(2).call('c').jmp('b');
      a.label('c').nops(3).call('switch').ret();
      // xchg esp,[0xf00]; ret
      return a.label('switch').put(0x87, 0x25, 0, 0x0f, 0, 0).ret();
    };
    // A turn: switch 2, a 3, switch 2, c 1, b 4, c 4. Before the first: main 3, a 2, switch 2, b 3, c 4.
    expect(stacksOf(make, { instructions: 14 + 16 * 100, symbols: true })).toEqual({
      main: 3,
      'main;a': 302,
      'main;a;switch': 202,
      b: 403,
      'b;c': 504,
      'b;c;switch': 200,
    });
  });

  it('are kept when a switch of stacks calls something before it returns into the new one', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').address('b', 0xc7, 0x05, 0, 0, 2, 0).put(0xc7, 0x05, 0, 0x0f, 0, 0, 0, 0, 2, 0).call('a').label('end').jmp('end');
      a.label('a').nops(1).call('switch').jmp('a');
      a.label('b').nops(2).call('c').jmp('b');
      a.label('c').nops(3).call('switch').ret();
      // xchg esp,[0xf00]; call behind it; add esp,4; ret: Linux fills the return stack buffer so.
      return a.label('switch').put(0x87, 0x25, 0, 0x0f, 0, 0).put(0xe8, 0, 0, 0, 0).put(0x83, 0xc4, 4).ret();
    };
    // As above, with two more instructions a switch.
    expect(stacksOf(make, { instructions: 16 + 20 * 100, symbols: true })).toEqual({
      main: 3,
      'main;a': 302,
      'main;a;switch': 202,
      'main;a;switch;switch': 202,
      b: 403,
      'b;c': 504,
      'b;c;switch': 200,
      'b;c;switch;switch': 200,
    });
  });

  it('put handlers of interrupts and faults above what they interrupted', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      // main: call f. f: int 0x40; ud2 (its handler goes on behind it)
      a.label('main').call('f').jmp('main');
      a.label('f').nops(1).put(0xcd, 0x40).put(0x0f, 0x0b).nops(1).ret();
      a.label('soft').nops(2).call('g').put(0xcf);
      a.label('undefined').put(0x83, 0x04, 0x24, 2).put(0xcf);
      return a.label('g').nops(1).ret();
    };
    // UD2 counts, though it faults (QEMU finds it while translating).
    expect(stacksOf(make, { instructions: 150, vectors: { 64: 'soft', 6: 'undefined' } })).toEqual({
      main: 20,
      'main;f': 50,
      'main;f;soft': 40,
      'main;f;soft;g': 20,
      'main;f;undefined': 20,
    });
  });

  it('begin anew at a bounded depth', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').put(0xb9, 0xd0, 0x07, 0, 0).call('f').jmp('main');
      return a.label('f').put(0x49, 0x74, 5).call('f').ret();
    };
    const { profiler, data } = profileProgram(make(), { instructions: 40_000 });
    expect(profiler.tree.nodes.length).toBeLessThan(1100);
    expect(data.instructions).toBe(40_000);
  });

  it('share the place of the callers when there are too many stacks, and lose nothing', () => {
    const make = (): Assembler => {
      const a = new Assembler();
      a.label('main').nops(1);
      for (let k = 0; k < 20; k++) a.call(`f${k}`);
      a.jmp('main');
      for (let k = 0; k < 20; k++) a.label(`f${k}`).nops(k).call('g').ret();
      return a.label('g').ret();
    };
    const turn = 22 + 20 * 3 + 190;
    const { data, stacks } = profileProgram(make(), { instructions: 10 * turn, symbols: true, limits: { stacks: 15 } });
    expect(data.instructions).toBe(10 * turn);
    expect(data.cut.stacks).toBeGreaterThan(0);
    expect(stacks['(more_stacks);f19']).toBe(10 * 21);
    const byName = Object.fromEntries(data.functions.map((f) => [f.name, f.self]));
    expect([byName.g, byName.f3, byName.f19]).toEqual([200, 50, 210]);
  });

  it('have names when the kernel moved: its handlers tell where it lies', () => {
    const a = new Assembler();
    a.label('main').nops(1).jmp('f');
    a.label('f').nops(2).put(0xcd, 0x40).jmp('main');
    for (const name of ['asm_exc_invalid_op', 'asm_exc_general_protection', 'asm_exc_page_fault', 'soft']) a.label(name).put(0xcf);
    const vectors = { 6: 'asm_exc_invalid_op', 13: 'asm_exc_general_protection', 14: 'asm_exc_page_fault', 64: 'soft' };
    const moved = (bytes: number): SymbolTable =>
      new SymbolTable(
        ['main', 'f', ...Object.values(vectors)].map((name) => ({
          address: 0xc0000000 + a.at(name) + bytes,
          name,
          code: true,
          global: true,
        })),
      );
    a.finish();
    const { stacks } = profileProgram(a, { instructions: 700, vectors, symbols: true, table: moved(0) });
    // The first interrupt tells; what came before it is known by its address.
    expect(stacks).toEqual({ main: 2 * 100 + 3, f: 4 * 99 + 1, 'f;soft': 99, 'main;soft': 1 });
    const elsewhere = profileProgram(a, { instructions: 700, vectors, symbols: true, table: moved(16) });
    expect(Object.keys(elsewhere.stacks).some((s) => s.includes('main'))).toBe(false);
  });
});
