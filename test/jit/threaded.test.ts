// Oracle: reference engine (the same engine with translation and threaded code off)
import { describe, expect, it } from 'vitest';
import { NEVER } from '../../jit/x86/block.js';
import { decodeInsn } from '../../jit/x86/decoder.js';
import { Engine } from '../../jit/x86/engine.js';
import { setArithFlags } from '../../jit/x86/flags.js';
import { END_NONE } from '../../jit/x86/insn.js';
import { flushTlb } from '../../jit/x86/mmu.js';
import { EIP } from '../../jit/x86/regs.js';
import { SHAPE_MODE } from '../../jit/x86/threaded/shape-context.js';
import { SHAPE_EXAMPLES, shapeOf } from '../../jit/x86/threaded/shapes.js';
import { Random } from '../../tools/x86-gen/random.js';
import { TestMachine } from './two-machines.js';

const SEED = Number(process.env.SEED ?? 20261121);
const CODE = 0x10000;
const DATA = 0x40000;
const INSTANCES = 6;

/** Bytes of an instruction with the shape of the example: other registers, addresses, immediates. */
function instance(example: string, random: Random): number[] {
  const bytes = example.match(/../g)!.map((byte) => Number.parseInt(byte, 16));
  const insn = decodeInsn(Uint8Array.from([...bytes, ...new Array(16).fill(0)]), 0, SHAPE_MODE);
  const registerInOpcode = insn.row.count === 8;
  const opcodeAt = bytes[0] === 0x66 ? 1 : 0;
  const modrmAt = opcodeAt + (bytes[opcodeAt] === 0x0f ? 2 : 1);
  if (registerInOpcode) bytes[modrmAt - 1] = (bytes[modrmAt - 1]! & 0xf8) | random.below(8);
  if (insn.mod < 0) return bytes;
  const reg = insn.row.digit === undefined ? random.below(8) : insn.reg;
  if (insn.mod === 3) {
    bytes[modrmAt] = 0xc0 | (reg << 3) | random.below(8);
    return bytes;
  }
  // [esi + 12h] or [edi + ebx * 4 + 123h]
  const operand = random.chance(50) ? [0x46 | (reg << 3), 0x12] : [0x84 | (reg << 3), 0x9f, 0x23, 1, 0, 0];
  return [...bytes.slice(0, modrmAt), ...operand, ...bytes.slice(modrmAt + 1)];
}

interface Case {
  readonly example: string;
  readonly bytes: readonly number[];
  readonly registers: readonly number[];
  readonly flags: number;
}

function* cases(random: Random): Iterable<Case> {
  for (const example of SHAPE_EXAMPLES) {
    for (let k = 0; k < INSTANCES; k++) {
      const registers = Array.from({ length: 8 }, () => random.bits());
      for (const n of [4, 5, 6, 7]) registers[n] = DATA + random.below(0x400) * 4;
      registers[3] = random.below(0x100);
      yield { example, bytes: instance(example, random), registers, flags: random.bits() };
    }
  }
}

/** States behind each case, executed three times: the slow path first, which fills the TLB, then the fast one. */
function outcomes(jit: 'off' | 'on', all: readonly Case[]): string[] {
  const machine = new TestMachine();
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { cpu, memory } = machine;
  const engine = new Engine(cpu, { jit, hot: NEVER });
  const data = memory.u8.subarray(DATA, DATA + 0x2000);
  return all.map(({ bytes, registers, flags }, k) => {
    const code = CODE + 16 * k;
    data.forEach((_, at) => {
      data[at] = (at * 41) & 0xff;
    });
    flushTlb(cpu);
    // A jump to itself ends the block.
    memory.u8.set([...bytes, 0xeb, 0xfe], code);
    const budget = decodeInsn(memory.u8, code, SHAPE_MODE).end === END_NONE ? 2 : 1;
    cpu.r.set(registers);
    setArithFlags(cpu, flags);
    for (let turn = 0; turn < 3; turn++) {
      cpu.r[EIP] = code;
      engine.run(budget);
    }
    return [engine.icount, ...machine.state(), Buffer.from(data).toString('base64')].join(' ');
  });
}

describe('the threaded interpreter', () => {
  it(`does what exec does, for each of its shapes (seed ${SEED})`, () => {
    const all = [...cases(new Random(SEED))];
    for (const { example, bytes } of all) {
      const insn = decodeInsn(Uint8Array.from([...bytes, ...new Array(16).fill(0)]), 0, SHAPE_MODE);
      expect(shapeOf(insn), example).toBeGreaterThan(0);
    }
    const [off, on] = [outcomes('off', all), outcomes('on', all)];
    const wrong = all.flatMap(({ example, bytes }, k) =>
      off[k] === on[k] ? [] : [`${example} as ${Buffer.from(bytes).toString('hex')}: ${on[k]} instead of ${off[k]}`],
    );
    expect(wrong).toEqual([]);
  });
});
