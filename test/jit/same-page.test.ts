// Oracle: reference engine (the interpreter)
import { describe, expect, it } from 'vitest';
import { Engine, type JitMode } from '../../jit/x86/engine.js';
import { EFLAGS, EIP, LEFT } from '../../jit/x86/regs.js';
import { bytesOf } from '../x86/tiny-board.js';
import { Random } from './random-code.js';
import { RAM_BYTES, TestBlock, TestMachine } from './two-machines.js';

const CODE = 0x1000;
const TABLE = 0x1f0000;
const PAGE = 0x1000;

/** Page 40h: everything; 41h: read only; 42h: absent; 43h and those around: everything. */
function flags(page: number): number {
  return page === 0x41 ? 5 : page === 0x42 ? 0 : 7;
}

function looks(bytes: Uint8Array): { reads: number; writes: number } {
  const machine = new TestMachine();
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  const { text } = new TestBlock([...bytes], CODE, machine.cpu.mode);
  const count = (tlb: string) => text.split(`= ${tlb}[`).length - 1;
  return { reads: count('supervisorRead'), writes: count('supervisorWrite') };
}

describe('accesses whose addresses differ by constants', () => {
  it.each([
    ['push ebp; mov ebp, esp; push esi; push ebx; mov eax, [ebp+8]', '55 89 e5 56 53 8b 45 08', { reads: 0, writes: 1 }],
    ['mov eax, [ebx+4]; mov edx, [ebx+8]', '8b 43 04 8b 53 08', { reads: 1, writes: 0 }],
    ['mov eax, [ebx+4]; mov [ebx+8], eax', '8b 43 04 89 43 08', { reads: 0, writes: 1 }],
    ['add ebx, 4 between them', '8b 43 04 83 c3 04 8b 53 08', { reads: 1, writes: 0 }],
    ['lea esi, [ebx+ecx*4+4]; mov eax, [ebx+ecx*4]; mov edx, [esi]', '8d 74 8b 04 8b 04 8b 8b 16', { reads: 1, writes: 0 }],
    ['mov eax, [5000h]; mov edx, [5010h]', 'a1 00 50 00 00 8b 15 10 50 00 00', { reads: 1, writes: 0 }],
    ['pop eax; pop ebx; ret', '58 5b c3', { reads: 1, writes: 0 }],
  ])('are looked up once: %s', (_, bytes, expected) => {
    expect(looks(bytesOf(bytes))).toEqual(expected);
  });

  it.each([
    ['too far away: mov eax, [ebx]; mov edx, [ebx+200h]', '8b 03 8b 93 00 02 00 00', { reads: 2, writes: 0 }],
    ['the base was loaded: mov ebx, [ebx]; mov edx, [ebx+4]', '8b 1b 8b 53 04', { reads: 2, writes: 0 }],
    ['a part of it was: mov eax, [ebx]; mov bl, 4; mov edx, [ebx]', '8b 03 b3 04 8b 13', { reads: 2, writes: 0 }],
    ['perhaps it was: mov eax, [ebx]; cmovz ebx, ecx; mov edx, [ebx]', '8b 03 0f 44 d9 8b 13', { reads: 2, writes: 0 }],
    [
      'perhaps by a constant: lea ecx, [ebx+4]; mov eax, [ebx]; cmovz ebx, ecx; mov edx, [ebx]',
      '8d 4b 04 8b 03 0f 44 d9 8b 13',
      { reads: 2, writes: 0 },
    ],
    ['an exec between them: mov eax, [ebx]; div ecx; mov edx, [ebx+4]', '8b 03 f7 f1 8b 53 04', { reads: 2, writes: 0 }],
  ])('are not when %s', (_, bytes, expected) => {
    expect(looks(bytesOf(bytes))).toEqual(expected);
  });
});

/** ModRM and displacement of [ebx+d], [ebp+d] or [esp+d]. */
function memory(random: Random, reg: number): number[] {
  const d = (random.below(40) * 4 - 80 + (random.chance(30) ? random.below(4) : 0)) & 0xff;
  const base = random.pick([3, 4, 5]);
  const modrm = 0x40 | (reg << 3) | base;
  return base === 4 ? [modrm, 0x24, d] : [modrm, d];
}

function instruction(random: Random): number[] {
  const reg = random.pick([0, 1, 2, 3, 5, 6, 7]);
  const small = (random.below(32) - 16) & 0xff;
  return random.pick([
    () => [0x50 + reg],
    () => [0x58 + reg],
    () => [0x8b, ...memory(random, random.pick([0, 1, 2, 6, 7]))],
    () => [0x89, ...memory(random, reg)],
    () => [0x88, ...memory(random, reg)],
    () => [0x66, 0x89, ...memory(random, reg)],
    () => [0x0f, 0xb6, ...memory(random, random.pick([0, 1, 2, 6, 7]))],
    () => [0x01, ...memory(random, reg)],
    () => [0x03, ...memory(random, random.pick([0, 1, 2, 6, 7]))],
    () => [0x87, ...memory(random, random.pick([0, 1, 2, 6, 7]))],
    () => [0x8d, ...memory(random, 3)],
    () => [0x83, random.pick([0xc3, 0xc4, 0xeb, 0xec]), small],
    () => [0x89, 0xe5],
    () => [0x89, 0xdc],
    () => [0x0f, 0x44, 0xdd],
    () => [0x66, 0x83, 0xc3, small],
    () => [0x43],
    () => [0xf7, 0xf1],
    () => [0x99],
  ])();
}

/** Two machines with the same registers and memory: EBX, EBP and ESP point near the ends of pages. */
function pair(random: Random, cpl: number): [TestMachine, TestMachine] {
  const fill = Uint8Array.from({ length: PAGE }, () => random.below(256));
  const make = (): TestMachine => {
    const m = new TestMachine();
    for (let page = 0x3c; page < 0x48; page++) m.memory.u8.set(fill, page * PAGE);
    m.paging(TABLE, flags);
    m.protectedMode(true, cpl, [0, 0, 0, 0, 0, 0]);
    return m;
  };
  return [make(), make()];
}

it('random code around the ends of pages does what the interpreter does, access by access', () => {
  const random = new Random(20261122);
  for (let round = 0; round < 150; round++) {
    const [reference, tested] = pair(random, random.pick([0, 3]));
    for (let code = 0; code < 6; code++) {
      const bytes: number[] = [];
      for (let n = 3 + random.below(14); n > 0; n--) bytes.push(...instruction(random));
      const block = new TestBlock(bytes, CODE, tested.cpu.mode);
      const fn = block.compile(tested.cpu);
      for (let turn = 0; turn < 6; turn++) {
        const registers = Array.from({ length: 8 }, () => random.below(0x7fffffff));
        for (const n of [3, 4, 5])
          registers[n] = (0x3e + random.below(7)) * PAGE + (turn < 3 ? random.below(PAGE) : random.below(128) - 64);
        const outcomes = [reference, tested].map((m) => {
          registers.forEach((value, n) => {
            m.cpu.r[n] = value;
          });
          Object.assign(m.cpu.r, { [EIP]: CODE, [LEFT]: block.insns.length, [EFLAGS]: 2 });
          return { ...m.run(block, m === tested ? fn : null), state: m.state() };
        });
        expect(outcomes[1], block.text).toEqual(outcomes[0]);
      }
    }
    const same = Buffer.compare(reference.memory.u8.subarray(0, RAM_BYTES), tested.memory.u8.subarray(0, RAM_BYTES));
    expect(same).toBe(0);
  }
});

/** mov ecx, TURNS; loop: push ebp; mov ebp, esp; sub esp, 32; mov [ebp-20h], ecx; call f; leave; dec ecx; jnz loop; hlt; f: mov eax, [esp+4]; add [esp+24h], eax; ret */
const FRAMES = 'b9 00 80 00 00 55 89 e5 83 ec 20 89 4d e0 e8 05 00 00 00 c9 49 75 ee f4 8b 44 24 04 01 44 24 24 c3';

function frames(jit: JitMode, esp: number): { registers: number[]; stack: number[]; accessExits: number; translated: number } {
  const machine = new TestMachine();
  const { cpu } = machine;
  machine.memory.u8.set(bytesOf(FRAMES), CODE);
  machine.protectedMode(true, 0, [0, 0, 0, 0, 0, 0]);
  Object.assign(cpu.r, { [EIP]: CODE, [EFLAGS]: 2, 4: esp, 5: 0 });
  const engine = new Engine(cpu, { jit, hot: 20, statistics: true });
  while (!cpu.halted) engine.run(20_000);
  const tiers = engine.counters === null ? [] : [engine.counters.tb, engine.counters.region];
  const sum = (of: (tier: (typeof tiers)[number]) => number) => tiers.reduce((all, tier) => all + of(tier), 0);
  return {
    registers: [...cpu.r.subarray(0, 9)],
    stack: [...machine.memory.u8.subarray(0x50000, 0x52000)],
    accessExits: sum((tier) => tier.exits.access),
    translated: sum((tier) => tier.instructions) / engine.icount,
  };
}

it.each([0, 4, 8, 0x14, 0x20, 0x24, 0x28])('a stack frame %i bytes over the end of a page stops nothing for long', (over) => {
  const esp = 0x51000 + over;
  const expected = frames('off', esp);
  const seen = frames('on', esp);
  expect([seen.registers, seen.stack]).toEqual([expected.registers, expected.stack]);
  // Without a second translation every one of 32,768 turns would leave it, or most be interpreted.
  expect(seen.accessExits).toBeLessThan(6000);
  expect(seen.translated).toBeGreaterThan(0.8);
  const forced = frames('force', esp);
  expect([forced.registers, forced.stack]).toEqual([expected.registers, expected.stack]);
});
