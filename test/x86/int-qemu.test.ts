// Oracle: QEMU run (7.2.22)
import { describe, expect, it } from 'vitest';
import { FLAG_VM } from '../../jit/x86/regs.js';
import { intRows } from '../../jit/x86/table/index.js';
import { ioRows } from '../../jit/x86/table/io.js';
import { stringRows } from '../../jit/x86/table/string.js';
import { describeCase, differences, type TestCase } from '../../tools/x86-gen/case.js';
import { ALL_OPTIONS } from '../../tools/x86-gen/draft.js';
import { exceptedFlags } from '../../tools/x86-gen/exceptions.js';
import { generateCase, generateSequence } from '../../tools/x86-gen/generate.js';
import { generateSoup } from '../../tools/x86-gen/generate-soup.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';
import { runInQemu } from '../../tools/x86-gen/qemu-judge.js';
import { Random } from '../../tools/x86-gen/random.js';
import { requireTool } from '../tools.js';

const available = requireTool('qemu-system-i386', 'qemu-system-x86') && requireTool('nasm', 'nasm');
const SEED = 20240917;

const rows = [...intRows, ...stringRows, ...ioRows].filter((row) => row.test !== 'skip');

/** Cases that differ, as text. */
function judged(cases: readonly TestCase[], model: 'qemu32' | 'max'): string[] {
  const judge = new InterpreterJudge(model);
  const expected = runInQemu(cases, model);
  return cases.flatMap((c, n) => {
    const lines = differences(expected[n]!, judge.run(c, n % 9), exceptedFlags(c, expected[n]!));
    return lines.length === 0 ? [] : [`seed ${SEED}: ${describeCase(c)}\n  ${lines.join('\n  ')}`];
  });
}

describe.skipIf(!available)('integer instructions against QEMU', () => {
  it('give the same registers, memory, flags and faults for every row, in 16 and 32-bit code, with flags the manual leaves undefined', () => {
    const random = new Random(SEED);
    const cases = rows.flatMap((row) => Array.from({ length: 12 }, () => generateCase(row, random, ALL_OPTIONS)));
    expect(cases.length).toBeGreaterThan(3500);
    expect(judged(cases, 'qemu32').slice(0, 3)).toEqual([]);
  });

  it('give the same for the instructions only `max` has', () => {
    const random = new Random(SEED + 1);
    const added = rows.filter((row) => /^(movbe|crc32|popcnt|[lt]zcnt|ad[co]x)$/.test(row.name));
    const cases = added.flatMap((row) => Array.from({ length: 60 }, () => generateCase(row, random, ALL_OPTIONS)));
    expect(judged(cases, 'max').slice(0, 3)).toEqual([]);
  });

  it('hand their flags on to each other alike', () => {
    const random = new Random(SEED + 2);
    const cases = Array.from({ length: 1000 }, () => generateSequence(rows, random, ALL_OPTIONS));
    expect(judged(cases, 'qemu32').slice(0, 3)).toEqual([]);
  });

  it('decode random bytes alike: lengths, prefixes, undefined opcodes', () => {
    const random = new Random(SEED + 3);
    const judge = new InterpreterJudge('qemu32');
    const cases = Array.from({ length: 1500 }, () => generateSoup(random, { fpu: false, sse: false })).filter((c) => {
      const outcome = judge.run(c);
      return !judge.endless && (outcome.eflags & FLAG_VM) === 0;
    });
    expect(cases.length).toBeGreaterThan(1450);
    expect(judged(cases, 'qemu32').slice(0, 3)).toEqual([]);
  });
});
