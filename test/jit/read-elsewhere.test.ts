// Oracle: manual (Intel SDM volume 2: an instruction that reads and writes back reads what a load reads); reference engine (the interpreter)
import { describe, expect, it } from 'vitest';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { EAX, ECX, EFLAGS, EIP, ESI } from '../../jit/x86/regs.js';
import { bytesOf } from '../x86/tiny-board.js';
import { TestMachine } from './two-machines.js';

const CODE = 0x1000;
/** Physical page whose reads come from ROM and whose writes go to RAM under it. */
const PAGE = 0x5000;
const ROM = 0x100000;
const WORD = 0x76543210;
const TURNS = 3000;

/** Stores to the page, so that a TLB could know it for writing; the instruction; a load; again. */
function loop(instruction: string): number[] {
  // mov byte [5ffch], 1; ...; mov eax, [5000h]; add esi, eax; dec ecx; jnz; hlt
  const body = bytesOf(`c6 05 fc 5f 00 00 01 ${instruction} a1 00 50 00 00 01 c6 49`);
  return [...body, 0x75, 0x100 - body.length - 2, 0xf4];
}

function run(instruction: string, jit: JitMode): { loaded: number; sum: number; written: number; rom: number; left: number } {
  const machine = new TestMachine();
  const { cpu, memory } = machine;
  memory.map(PAGE, 0x1000, ROM, PAGE);
  memory.u8.set(loop(instruction), CODE);
  memory.dv.setInt32(ROM, WORD, true);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  Object.assign(cpu.r, { [EIP]: CODE, [EFLAGS]: 2, [ECX]: TURNS });
  const engine = new Engine(cpu, { jit });
  while (!cpu.halted) engine.run(20_000);
  const [written, rom] = [memory.dv.getInt32(PAGE, true), memory.dv.getInt32(ROM, true)];
  return { loaded: cpu.r[EAX]!, sum: cpu.r[ESI]!, written, rom, left: cpu.r[ECX]! };
}

describe('where reads see ROM and writes go to RAM under it', () => {
  it.each([
    ['inc dword [5000h]', 'ff 05 00 50 00 00', WORD + 1],
    ['add byte [5000h], 7', '80 05 00 50 00 00 07', 0x17],
    ['xor word [5000h], 0ffffh', '66 81 35 00 50 00 00 ff ff', 0xcdef],
    ['shl dword [5000h], 4', 'c1 25 00 50 00 00 04', 0x65432100],
    ['not dword [5000h]', 'f7 15 00 50 00 00', ~WORD],
    ['bts dword [5000h], 0', '0f ba 2d 00 50 00 00 00', WORD | 1],
    ['lock inc dword [5000h]', 'f0 ff 05 00 50 00 00', WORD + 1],
    ['mov eax, 1; xadd [5000h], eax', 'b8 01 00 00 00 0f c1 05 00 50 00 00', WORD + 1],
    ['mov eax, 5; xchg [5000h], eax', 'b8 05 00 00 00 87 05 00 50 00 00', 5],
  ])('%s reads what a load reads, and changes only the RAM', (_, instruction, written) => {
    const size = written === 0x17 ? 0xff : written === 0xcdef ? 0xffff : -1;
    for (const jit of ['off', 'on', 'force'] as const) {
      const end = run(instruction, jit);
      expect({ jit, ...end, written: end.written & size }).toEqual({
        ...{ jit, loaded: WORD, sum: Math.imul(WORD, TURNS), written, rom: WORD, left: 0 },
      });
    }
  });
});
