// Oracle: reference engine (the interpreter's exec of the same table rows)
import { describe, expect, it } from 'vitest';
import type { Row } from '../../jit/x86/insn.js';
import { EFLAGS, EIP, LEFT } from '../../jit/x86/regs.js';
import { intRows } from '../../jit/x86/table/index.js';
import { stringRows } from '../../jit/x86/table/string.js';
import { operand, Random, randomInsn } from './random-code.js';
import { DEVICE_BASE, RAM_BYTES, TestBlock, TestMachine } from './two-machines.js';

const SEED = Number(process.env.SEED ?? 20261121);
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const TABLE = 0x1f0000;
const rows = [...intRows, ...stringRows].filter((r) => r.test !== 'skip' && r.test !== 'privileged');
const straight = rows.filter((r) => r.test !== 'control');
const control = rows.filter((r) => r.test === 'control');

interface Setup {
  readonly code32: boolean;
  readonly cpl: number;
  readonly paging: boolean;
}

/** Low bits of page table entries: some pages absent, some read-only, some supervisor. */
function pageFlags(page: number): number {
  const kind = (page * 7) % 16;
  if (page < 8 || page >= 0x1e0) return 7;
  return kind === 3 ? 0 : kind === 5 ? 5 : kind === 9 ? 3 : 7;
}

function randomRegisters(random: Random): number[] {
  const r = Array.from({ length: 8 }, () => (random.chance(70) ? random.below(RAM_BYTES) : operand(random)));
  r[4] = 0x40000 + random.below(0x2000);
  if (random.chance(10)) r[random.below(8)] = DEVICE_BASE + random.below(0xff0);
  if (random.chance(30)) r[1] = random.below(40);
  return r;
}

/** Fresh pair of machines in the same state, per setup. */
function machines(setup: Setup, random: Random): [TestMachine, TestMachine] {
  const bases = setup.code32 && random.chance(50) ? [0, 0, 0, 0, 0, 0] : Array.from({ length: 6 }, () => random.below(0x1000));
  bases[1] = 0;
  const fill = new Uint8Array(RAM_BYTES);
  for (let at = 0; at < RAM_BYTES; at++) fill[at] = random.chance(50) ? 0 : random.below(256);
  const make = (): TestMachine => {
    const m = new TestMachine();
    m.memory.u8.set(fill);
    if (setup.paging) m.paging(TABLE, pageFlags);
    m.protectedMode(setup.code32, setup.cpl, bases);
    return m;
  };
  return [make(), make()];
}

function setRegisters(
  m: TestMachine,
  registers: readonly number[],
  flags: readonly number[],
  eflags: number,
  left: number,
  eip: number,
): void {
  const r = m.cpu.r;
  r.set(registers, 0);
  r.set(flags, 10);
  r[EFLAGS] = eflags;
  r[LEFT] = left;
  r[EIP] = eip;
  m.cpu.breakBlock = false;
  m.deviceLog.length = 0;
}

function compareOne(pair: readonly [TestMachine, TestMachine], block: TestBlock, random: Random, label: string): void {
  const registers = randomRegisters(random);
  const flags = [0, 0, operand(random) & 0x8d5, 0];
  if (random.chance(60))
    flags.splice(0, 4, (random.below(10) << 5) | random.pick([0, 16, 24]), operand(random), operand(random), random.below(2));
  if (flags[0]! >> 5 === 6 || flags[0]! >> 5 === 7) flags[2] = flags[2]! & 1;
  if (flags[0]! >> 5 === 0) flags[0] = 0;
  if (flags[0] === 0) flags[2] = flags[2]! & 0x8d5;
  const eflags = random.chance(20) ? 0x402 : 2;
  const left = random.chance(80) ? 1000 : random.below(2 * block.insns.length);
  const [a, b] = pair;
  for (const m of pair) setRegisters(m, registers, flags, eflags, left, block.eip);
  const expected = a.run(block, null);
  const found = b.run(block, block.compile(b.cpu));
  const bytes = [...block.bytes].map((v) => v.toString(16).padStart(2, '0')).join(' ');
  const where = `${label}\n${bytes}\n${block.insns.map((i) => i.row.name).join(' ')}\nregisters ${registers.map((v) => (v >>> 0).toString(16))}`;
  const describeState = (m: TestMachine, o: unknown) => ({
    outcome: o,
    state: m.state().map((v) => (v >>> 0).toString(16)),
    device: m.deviceLog,
  });
  expect(describeState(b, found), where).toEqual(describeState(a, expected));
  if (Buffer.compare(a.memory.u8, b.memory.u8) !== 0) {
    const at = a.memory.u8.findIndex((v, k) => v !== b.memory.u8[k]);
    throw new Error(`memory differs at ${at.toString(16)}: ${where}\n${block.text}`);
  }
}

function randomBlock(random: Random, setup: Setup, pick: () => Row, length: number, mode: number): TestBlock {
  const bytes: number[] = [];
  for (let k = 0; k < length; k++) bytes.push(...randomInsn(random, pick(), setup.code32));
  if (random.chance(60)) bytes.push(...randomInsn(random, random.pick(control), setup.code32));
  return new TestBlock(bytes, 0x1000, mode);
}

const setups: Setup[] = [
  { code32: true, cpl: 0, paging: false },
  { code32: true, cpl: 0, paging: true },
  { code32: true, cpl: 3, paging: true },
  { code32: false, cpl: 0, paging: false },
];

describe.each(setups)('generated code, %o', (setup) => {
  it('does what the interpreter does, for every integer row', () => {
    const random = new Random(SEED);
    const pair = machines(setup, random);
    for (const row of straight.flatMap((r) => new Array(2 * ROUNDS).fill(r) as Row[])) {
      const block = randomBlock(random, setup, () => row, 2, pair[0].cpu.mode);
      compareOne(pair, block, random, `seed ${SEED} row ${row.name}`);
    }
  });

  it('does what the interpreter does, for blocks of mixed rows', () => {
    const random = new Random(SEED + 1);
    const pair = machines(setup, random);
    for (let k = 0; k < 200 * ROUNDS; k++) {
      const block = randomBlock(random, setup, () => random.pick(straight), 1 + random.below(12), pair[0].cpu.mode);
      compareOne(pair, block, random, `seed ${SEED} block ${k}`);
    }
  });

  it('leaves a loop on its own block when the budget no longer covers it', () => {
    const random = new Random(SEED + 2);
    const pair = machines(setup, random);
    for (let k = 0; k < 60 * ROUNDS; k++) {
      const bytes: number[] = [];
      for (let n = random.below(6); n >= 0; n--) bytes.push(...randomInsn(random, random.pick(straight), setup.code32));
      if (bytes.length > 120) continue;
      bytes.push(random.pick([0x75, 0x74, 0x72, 0x7c, 0xe2, 0xeb]), 0x100 - bytes.length - 2);
      compareOne(pair, new TestBlock(bytes, 0x1000, pair[0].cpu.mode), random, `seed ${SEED} loop ${k}`);
    }
  });
});
