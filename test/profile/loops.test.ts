// Oracle: manual (instructions counted by hand)
import { describe, expect, it } from 'vitest';
import { Assembler, profileProgram } from './guest-program.js';

/** for (edx = 5; edx; edx--) for (ecx = 10; ecx; ecx--) f(); and then once more from the start. */
function nestedLoops(): Assembler {
  const a = new Assembler();
  a.label('main').put(0xba, 5, 0, 0, 0).jmp('outer');
  a.label('outer').put(0xb9, 10, 0, 0, 0).jmp('inner');
  a.label('inner').call('f').put(0x49);
  a.to('inner', 0x0f, 0x85).put(0x4a).to('outer', 0x0f, 0x85).jmp('main');
  return a.label('f').nops(3).ret();
}

describe.each(['off', 'on', 'force'] as const)('hot loops, JIT %s', (jit) => {
  it('are found inside each other, with exact turns, and without what they call', () => {
    const inner = 10 * 3;
    const outer = 5 * (2 + inner + 2);
    const turn = 2 + outer + 1 + 5 * 10 * 4;
    const { data, machine } = profileProgram(nestedLoops(), { instructions: 100 * turn, symbols: true, jit });
    expect(machine.cpu.r[2]).toBe(0);
    const main = data.loops.find((l) => l.where === 'main');
    expect(main).toMatchObject({ depth: 0, entered: 1, iterations: 99, instructions: 100 * (2 + outer + 1) });
    expect(data.loops.find((l) => l.where === 'outer')).toMatchObject({
      depth: 1,
      entered: 100,
      iterations: 400,
      instructions: 100 * outer,
    });
    expect(data.loops.find((l) => l.where === 'inner')).toMatchObject({
      depth: 2,
      entered: 500,
      iterations: 4500,
      instructions: 500 * inner,
    });
    expect(data.loops).toHaveLength(3);
  });

  it('are found where one TB jumps to itself', () => {
    const a = new Assembler();
    a.label('main').put(0xb9, 100, 0, 0, 0).jmp('loop');
    a.label('loop').put(0x40, 0x49).to('loop', 0x0f, 0x85).jmp('main');
    const { data } = profileProgram(a, { instructions: 50 * 303, symbols: true, jit });
    const loop = data.loops.find((l) => l.where === 'loop')!;
    expect(loop).toMatchObject({ entered: 50, iterations: 50 * 99, instructions: 50 * 300, blocks: [a.at('loop')] });
    expect(data.blocks[0]).toMatchObject({ where: 'loop', executions: 5000, instructions: 15_000, bits: 32 });
  });

  it('do not mistake the iterations of a repeated instruction for turns', () => {
    const a = new Assembler();
    a.label('main').put(0xbf, 0, 0, 2, 0).put(0xb9, 100, 0, 0, 0).put(0xf3, 0xaa).jmp('main');
    const { data } = profileProgram(a, { instructions: 50 * 104, jit });
    expect(data.blocks.find((b) => b.address === 0x1000)).toMatchObject({ executions: 50 });
    expect(data.loops).toHaveLength(1);
    expect(data.loops[0]).toMatchObject({ iterations: 49, instructions: 50 * 104 });
  });
});
