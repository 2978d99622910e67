// Oracle: reference engine (the same engine with translation off)
import { describe, expect, it } from 'vitest';
import { NEVER } from '../../jit/x86/block.js';
import type { Row } from '../../jit/x86/insn.js';
import { ESP, FLAG_IOPL } from '../../jit/x86/regs.js';
import { allRows } from '../../jit/x86/table/index.js';
import { CODE_START, CODE_WINDOW, type CodeMode, describeCase, type TestCase, WINDOWS } from '../../tools/x86-gen/case.js';
import { ALL_OPTIONS, type GenerateOptions } from '../../tools/x86-gen/draft.js';
import { generateCase, generateSequence } from '../../tools/x86-gen/generate.js';
import { randomFx } from '../../tools/x86-gen/generate-fx.js';
import { generateSoup } from '../../tools/x86-gen/generate-soup.js';
import { codeOffset, DATA16_BASE } from '../../tools/x86-gen/image.js';
import { Random } from '../../tools/x86-gen/random.js';
import { PATIENCE_MS } from '../tools.js';
import { CaseMachine, machineDifferences, type Privilege, SELECTORS, type Surroundings, TRAP } from './case-machine.js';

const SEED = Number(process.env.SEED ?? 20261121);
const ROUNDS = Number(process.env.ROUNDS ?? 1);
const CR0_TS = 8;
const CR4_OSFXSR = 0x200;
const rows = allRows().filter((row) => row.test !== 'skip');
const interpreted = new CaseMachine({ jit: 'off' });
const translated = new CaseMachine({ jit: 'force' });
/** Nothing becomes hot. */
const threaded = new CaseMachine({ jit: 'on', hot: NEVER });
const machines = [interpreted, translated, threaded];

function surroundings(random: Random, privilege: Privilege): Surroundings {
  const iopl = privilege === 'vm86' ? random.chance(70) : random.chance(20);
  const slices = random.chance(75) ? [1000] : Array.from({ length: 1 + random.below(3) }, () => 1 + random.below(6));
  return {
    privilege,
    eflags: (iopl ? FLAG_IOPL : 0) | (random.chance(2) ? TRAP : 0),
    cr0: random.chance(3) ? CR0_TS : 0,
    cr4: random.chance(3) ? CR4_OSFXSR : 0,
    warm: random.chance(60),
    device: random.chance(8),
    slices,
  };
}

function options(random: Random, privilege: Privilege): GenerateOptions {
  const modes: readonly CodeMode[] = privilege === 'real' || privilege === 'vm86' ? ['cs16'] : ALL_OPTIONS.modes;
  return { ...ALL_OPTIONS, modes, faults: random.chance(60) };
}

/** Selectors and addresses where far transfers, segment loads and IRET look for them, which random bytes would never hit. */
function plausible(c: TestCase, row: Row, random: Random): TestCase {
  if (!(row.test === 'privileged' || row.test === 'control') || random.chance(40)) return c;
  const target = (): number => codeOffset(c) + random.below(CODE_WINDOW);
  const dv = new DataView(c.memory.buffer);
  const wide = random.chance(50);
  for (let at = random.below(2); at + 12 <= c.memory.length; at += wide ? 12 : 6) {
    const words = [target(), random.pick(SELECTORS), random.chance(50) ? 2 : random.bits() & 0x3f7fd7];
    words.forEach((word, k) => {
      if (wide) dv.setInt32(at + 4 * k, word, true);
      else dv.setUint16(at + 2 * k, word & 0xffff, true);
    });
  }
  // The frame on the stack begins with EIP.
  const stack = (c.mode === 'cs32' || c.mode === 'cs16ss32' ? c.regs[ESP]! : DATA16_BASE + (c.regs[ESP]! & 0xffff)) - WINDOWS[0].address;
  if (stack >= 0 && stack + 20 <= WINDOWS[0].bytes) {
    const frame = [target(), random.pick(SELECTORS), 2 | (random.bits() & 0x237fd7), 0x300fc0, random.pick(SELECTORS)];
    frame.forEach((word, k) => {
      if (wide) dv.setInt32(stack + 4 * k, word, true);
      else dv.setUint16(stack + 2 * k, word & 0xffff, true);
    });
  }
  const code = c.code.slice();
  if (row.imm === 'far') {
    const at = code.length - 6;
    const view = new DataView(code.buffer);
    view.setUint16(code.length - 2, random.pick(SELECTORS), true);
    if (at >= 1 && (code[at - 1] === 0xea || code[at - 1] === 0x9a)) view.setInt32(at, target(), true);
    else view.setUint16(code.length - 4, target() & 0xffff, true);
  }
  const regs = c.regs.slice();
  if (row.test === 'privileged')
    for (let n = 0; n < 8; n++)
      if (n !== ESP && random.chance(30)) regs[n] = random.pick([...SELECTORS, 0xc0000080 | 0, 0x174, 0x10, 0x1b, 0x80000033 | 0]);
  return { ...c, code, regs };
}

/** LOCK in front of some, whether the generator thinks it fits or not. */
function locked(c: TestCase, random: Random): TestCase {
  return random.chance(8) ? { ...c, code: Uint8Array.of(0xf0, ...c.code) } : c;
}

/** Instances of several rows behind each other: faults and calls of the interpreter in the middle of a block. */
function mixed(random: Random, privilege: Privilege): TestCase {
  const base = options(random, privilege);
  const modes = [random.pick(base.modes)];
  const cases: TestCase[] = [];
  let length = 0;
  for (let n = 2 + random.below(6); n > 0; n--) {
    const row = random.pick(rows);
    const c = plausible(generateCase(row, random, { ...base, modes }), row, random);
    length += c.code.length;
    if (length > CODE_WINDOW - CODE_START - 1) break;
    cases.push(c);
  }
  const first = cases[0]!;
  const code = Uint8Array.from(cases.flatMap((c) => [...c.code]));
  return { ...first, name: cases.map((c) => c.name).join('; '), code, fx: randomFx(random, random.pick(['fpu', 'sse', 'mmx'])) };
}

/** Bytes as they come, sometimes with what makes opcodes of two and three bytes. */
function soup(random: Random, privilege: Privilege): TestCase {
  const c = generateSoup(random, { fpu: random.chance(50), sse: random.chance(50) });
  const code = random.bytes(new Uint8Array(4 + random.below(70)));
  if (random.chance(50)) code[0] = random.pick([0x0f, 0x66, 0xd9, 0xdd, 0xf2, 0xf3]);
  const real = privilege === 'real' || privilege === 'vm86';
  return { ...c, code: random.chance(40) ? c.code : code, mode: real ? 'cs16' : c.mode };
}

let cases = 0;
let faults = 0;
let endless = 0;
let device = 0;

/** What differs, as text; empty if nothing. */
function judge(c: TestCase, s: Surroundings): string[] {
  if (cases++ % 64 === 0) for (const m of machines) m.renew();
  const ends = machines.map((m) => {
    m.load(c, s);
    return m.run(s);
  });
  if (interpreted.log.some((line) => /exception (?!3$)/.test(line))) faults++;
  if (!/halt|shutdown/.test(ends[0]!)) endless++;
  if (interpreted.log.some((line) => /load|store/.test(line))) device++;
  const lines = [translated, threaded].flatMap((m) =>
    machineDifferences(interpreted, m).map((line) => `${m === threaded ? 'threaded: ' : ''}${line}`),
  );
  if (ends[0] !== ends[1] || ends[0] !== ends[2]) lines.unshift(`ends: ${ends[0]} interpreted, ${ends[1]} translated, ${ends[2]} threaded`);
  if (lines.length === 0) return [];
  return [`seed ${SEED}, case ${cases}: ${describeCase(c)}\n  ${JSON.stringify(s)}\n  ${lines.slice(0, 12).join('\n  ')}`];
}

/** The first few cases that differ. */
function judgeAll(seed: number, privilege: Privilege, make: (random: Random) => Iterable<TestCase>): string[] {
  const random = new Random(seed);
  const wrong: string[] = [];
  for (const c of make(random)) {
    wrong.push(...judge(c, surroundings(random, privilege)));
    if (wrong.length === 3) break;
  }
  return wrong;
}

function* times(n: number, make: () => TestCase): Iterable<TestCase> {
  for (let k = 0; k < n; k++) yield make();
}

describe.each(['user', 'kernel', 'real', 'vm86'] as const)(
  'forced translation, and threaded interpretation, of generated cases, %s mode',
  (privilege) => {
    const timeout = PATIENCE_MS * ROUNDS;

    it('does what the interpreter does for every row of the table, to registers, flags, memory, x87 and SSE, count and exceptions', {
      timeout,
    }, () => {
      const found = judgeAll(SEED, privilege, (random) =>
        rows.flatMap((row) => [
          ...times(ROUNDS, () => locked(plausible(generateCase(row, random, options(random, privilege)), row, random), random)),
        ]),
      );
      expect(found).toEqual([]);
    });

    it('hands flags from instruction to instruction alike', { timeout }, () => {
      const found = judgeAll(SEED + 1, privilege, (random) =>
        times(400 * ROUNDS, () => generateSequence(rows, random, options(random, privilege))),
      );
      expect(found).toEqual([]);
    });

    it('survives faults, devices and jumps in the middle of mixed blocks', { timeout }, () => {
      const found = judgeAll(SEED + 2, privilege, (random) => times(550 * ROUNDS, () => mixed(random, privilege)));
      expect(found).toEqual([]);
    });

    it('decodes random bytes alike', { timeout }, () => {
      const found = judgeAll(SEED + 3, privilege, (random) => times(750 * ROUNDS, () => soup(random, privilege)));
      expect(found).toEqual([]);
    });
  },
);

describe('the cases', () => {
  it('were enough, most ended, many faulted, and nearly all ran translated', () => {
    if (process.env.ROUNDS !== undefined)
      console.log(
        `seed ${SEED}: ${cases} cases, ${faults} with exceptions, ${endless} endless, ${device} at a device, ${translated.translated} functions`,
      );
    expect(cases).toBeGreaterThan(10_000);
    expect(faults).toBeGreaterThan(cases / 4);
    expect(device).toBeGreaterThan(cases / 100);
    expect(endless).toBeLessThan(cases / 10);
    expect(translated.translated).toBeGreaterThan(cases);
    expect(interpreted.translated).toBe(0);
  });
});
