// Oracle: Intel SDM (what the programs compute follows from it); reference engine (the same engine with translation off)
import { describe, expect, it } from 'vitest';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { CS, EAX, EDI, EFLAGS, EIP, ESI, ESP } from '../../jit/x86/regs.js';
import { loadSegmentCache } from '../../jit/x86/segments.js';
import { bytesOf } from '../x86/tiny-board.js';
import { TestMachine } from './two-machines.js';

const TABLE = 0x1f0000;
/** Entry of linear page 2 in the page table. */
const PTE = '08 10 1f 00';
const IDT = 0x600;
const GDT = 0x500;
const TURNS = 400;
const ROUNDS = 8;

/** Outer loop at 1000h: ROUNDS times, TURNS calls of the function in page 2, each adding what it returns in EBX; then `change`. */
function caller(change: string): string {
  // mov ecx,TURNS; call 2000h; add eax,ebx; dec ecx; jnz 1005h
  return `b9 ${hex(TURNS & 255)} ${hex(TURNS >> 8)} 00 00 e8 f6 0f 00 00 01 d8 49 75 f6 ${change}`;
}

function hex(byte: number): string {
  return (byte & 255).toString(16).padStart(2, '0');
}

/** `dec esi; jnz 1000h; jmp $` at 1000h + `at`. */
function again(at: number): string {
  return `4e 0f 85 ${hex(-(at + 7))} ff ff ff eb fe`;
}

function program(change: string): number[] {
  const body = bytesOf(caller(change));
  return [...body, ...bytesOf(again(body.length))];
}

function makeEngine(jit: JitMode, code: readonly number[]): { machine: TestMachine; engine: Engine } {
  const machine = new TestMachine();
  const { cpu, memory } = machine;
  memory.u8.set(code, 0x1000);
  memory.u8.set(bytesOf('bb 03 00 00 00 85 db 75 01 f4 c3'), 0x2000); // mov ebx,3; test ebx,ebx; jnz +1; hlt; ret
  memory.u8.set(bytesOf('bb 05 00 00 00 85 db 75 01 f4 c3'), 0x5000);
  // #PF: or byte [PTE],1; inc edi; add esp,4; iret
  memory.u8.set(bytesOf(`80 0d ${PTE} 01 47 83 c4 04 cf`), 0x800);
  [0, 0, 0xffff, 0xcf9b00, 0xffff, 0xcf9300].forEach((word, k) => {
    memory.dv.setInt32(GDT + 4 * k, word, true);
  });
  memory.dv.setInt32(IDT + 8 * 14, (8 << 16) | 0x800, true);
  memory.dv.setInt32(IDT + 8 * 14 + 4, 0x8e00, true);
  Object.assign(cpu, { gdtBase: GDT, gdtLimit: 23, idtBase: IDT, idtLimit: 0xff });
  machine.paging(TABLE, () => 7);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  cpu.r[EIP] = 0x1000;
  cpu.r[ESP] = 0x8000;
  cpu.r[ESI] = ROUNDS;
  cpu.r[EFLAGS] = 2;
  return { machine, engine: new Engine(cpu, { jit, hot: 20 }) };
}

/** Changes of what lies in linear page 2, between two rounds, and the sum of what the function returns. */
const changes: Record<string, readonly [string, number, number]> = {
  // xor dword [PTE],7000h: the page at 2000h or at 5000h; invlpg [2000h]
  'another page mapped with INVLPG': [`81 35 ${PTE} 00 70 00 00 0f 01 3d 00 20 00 00`, (TURNS * ROUNDS * (3 + 5)) / 2, 0],
  // ...; mov edx,cr3; mov cr3,edx
  'another page mapped with a new CR3': [`81 35 ${PTE} 00 70 00 00 0f 20 da 0f 22 da`, (TURNS * ROUNDS * (3 + 5)) / 2, 0],
  // and byte [PTE],0feh; invlpg [2000h]: a page fault at the next call
  'a page taken away': [`80 25 ${PTE} fe 0f 01 3d 00 20 00 00`, TURNS * ROUNDS * 3, ROUNDS - 1],
  // xor byte [2001h],6: another constant in the function, MOV EBX,3 or 5
  'changed code': ['80 35 01 20 00 00 06', (TURNS * ROUNDS * (3 + 5)) / 2, 0],
};

describe.each(['off', 'on', 'force'] as const)('a call into another page in a loop, translation %s', (jit) => {
  it.each(Object.keys(changes))('sees %s', (name) => {
    const [change, sum, faults] = changes[name]!;
    const { machine, engine } = makeEngine(jit, program(change));
    for (const slice of [7, 100, 1001, 50_000]) engine.run(slice);
    expect(machine.cpu.r[ESI]).toBe(0);
    expect(machine.cpu.r[EAX]).toBe(sum);
    expect(machine.cpu.r[EDI]).toBe(faults);
    const made = engine.translations?.statistics;
    if (made !== undefined) expect(made.blocks).toBeGreaterThan(made.translated);
  });

  it('keeps to the base of its code segment', () => {
    const { machine, engine } = makeEngine(jit, program('90'));
    engine.run(50_000);
    const { cpu, memory } = machine;
    // The same code at the same EIP, 64 KiB higher up, and another function behind the call: it returns 7.
    memory.dv.setInt32(TABLE + 0x1000 + 4 * 0x11, 0x1007, true);
    memory.dv.setInt32(TABLE + 0x1000 + 4 * 0x12, 0x6007, true);
    memory.u8.set(bytesOf('bb 07 00 00 00 85 db 75 01 f4 c3'), 0x6000);
    loadSegmentCache(cpu, CS, 8, 0x10000, -1, 0xcf9b00);
    cpu.r[EIP] = 0x1000;
    cpu.r[ESI] = ROUNDS;
    cpu.r[EAX] = 0;
    engine.run(50_000);
    expect(cpu.r[EAX]).toBe(TURNS * ROUNDS * 7);
  });
});
