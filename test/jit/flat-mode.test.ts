// Oracle: Intel SDM (what the program computes follows from it)
import { describe, expect, it } from 'vitest';
import { Engine } from '../../jit/x86/engine.js';
import { MODE_FLAT } from '../../jit/x86/mode.js';
import { EAX, EBX, EFLAGS, EIP, ESP } from '../../jit/x86/regs.js';
import { bytesOf } from '../x86/tiny-board.js';
import { TestMachine } from './two-machines.js';

const GDT = 0x500;
const TURNS = 300;
/** Descriptor 10h: flat data; 18h: data from 10000h on. */
const DESCRIPTORS = [0, 0, 0xffff, 0xcf9b00, 0xffff, 0xcf9300, 0xffff, 0xcf9301];

/**
 * mov ecx,300; again: mov ds,[ecx even: 18h, odd: 10h]; add eax,[3000h]; mov ds,(10h); add ebx,[3000h]; dec ecx; jnz again; jmp $
 *   mov edx,ecx; and edx,1; xor edx,1; lea edx,[edx*8+10h]; mov SEG,edx
 */
function program(toSegment: string, prefix: string, base: string): number[] {
  const body = `89 ca 83 e2 01 83 f2 01 8d 14 d5 10 00 00 00 ${toSegment} ${prefix} 03 05 00 30 00 00 ba 10 00 00 00 ${toSegment} ${prefix} 03 1d 00 30 00 00 49`;
  const code = [...bytesOf('b9 2c 01 00 00'), ...bytesOf(body)];
  const back = 5 - (code.length + 2);
  return [...code, 0x75, back & 255, ...bytesOf(base)];
}

describe.each(['off', 'on', 'force'] as const)('segments that are flat now and then, translation %s', (jit) => {
  it.each([
    ['DS', '8e da', ''],
    ['ES', '8e c2', '26'],
  ])('are used with the base that they have (%s)', (_name, toSegment, prefix) => {
    const { machine, engine } = start(jit, program(toSegment, prefix, 'eb fe'));
    for (const slice of [5, 500, 100_000]) engine.run(slice);
    expect(machine.cpu.r[EAX]).toBe((TURNS / 2) * (7 + 1000));
    expect(machine.cpu.r[EBX]).toBe(TURNS * 7);
  });
});

function start(jit: 'off' | 'on' | 'force', code: readonly number[]): { machine: TestMachine; engine: Engine } {
  const machine = new TestMachine();
  const { cpu, memory } = machine;
  memory.u8.set(code, 0x1000);
  DESCRIPTORS.forEach((word, k) => {
    memory.dv.setInt32(GDT + 4 * k, word, true);
  });
  memory.dv.setInt32(0x3000, 7, true);
  memory.dv.setInt32(0x13000, 1000, true);
  Object.assign(cpu, { gdtBase: GDT, gdtLimit: 31 });
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  Object.assign(cpu.r, { [EIP]: 0x1000, [ESP]: 0x8000, [EFLAGS]: 2, [EAX]: 0, [EBX]: 0 });
  return { machine, engine: new Engine(cpu, { jit, hot: 20 }) };
}

describe('the mode', () => {
  it('is flat when ES, SS and DS have base 0 in 32-bit protected mode, and only then', () => {
    const flat = (code32: boolean, bases: readonly number[]): boolean => {
      const machine = new TestMachine();
      machine.protectedMode(code32, 0, bases);
      return (machine.cpu.mode & MODE_FLAT) !== 0;
    };
    expect(flat(true, [0, 0, 0, 0, 0, 0])).toBe(true);
    expect(flat(true, [0, 0x10, 0, 0, 0x10, 0x10])).toBe(true);
    expect(flat(false, [0, 0, 0, 0, 0, 0])).toBe(false);
    for (const seg of [0, 2, 3]) expect(flat(true, [0, 0, 0, 0, 0, 0].with(seg, 0x10))).toBe(false);
  });
});
