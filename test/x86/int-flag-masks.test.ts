// Oracle: self-consistency (the table's flag masks against what exec does)
import { describe, expect, it } from 'vitest';
import { FLAGS_ARITH } from '../../jit/x86/regs.js';
import { intRows } from '../../jit/x86/table/index.js';
import { stringRows } from '../../jit/x86/table/string.js';
import { describeCase, differences, type TestCase } from '../../tools/x86-gen/case.js';
import { ALL_OPTIONS } from '../../tools/x86-gen/draft.js';
import { generateCase } from '../../tools/x86-gen/generate.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';
import { Random } from '../../tools/x86-gen/random.js';

const SEED = 99;
const INT3 = 3;
const rows = [...intRows, ...stringRows].filter((row) => row.test !== 'skip');

/** Runs every row on cases that do not fault and says where `check` finds something wrong. */
function complaints(check: (c: TestCase, row: (typeof rows)[number], judge: InterpreterJudge, random: Random) => string[]): string[] {
  const random = new Random(SEED);
  const judge = new InterpreterJudge('max');
  return rows.flatMap((row) =>
    Array.from({ length: 25 }, () => generateCase(row, random, ALL_OPTIONS)).flatMap((c) => {
      const lines = check(c, row, judge, random);
      return lines.length === 0 ? [] : [`seed ${SEED}: ${describeCase(c)}\n  ${lines.join('\n  ')}`];
    }),
  );
}

describe('flag masks of the instruction table', () => {
  it('name every flag that changes', () => {
    const found = complaints((c, row, judge) => {
      const outcome = judge.run(c);
      const changed = (outcome.eflags ^ c.eflags) & FLAGS_ARITH & ~(row.writes ?? 0);
      return outcome.vector === INT3 && changed !== 0 ? [`changes ${changed.toString(16)}`] : [];
    });
    expect(found.slice(0, 3)).toEqual([]);
  });

  it('name every flag the result depends on', () => {
    const found = complaints((c, row, judge, random) => {
      const free = FLAGS_ARITH & ~(row.reads ?? 0);
      const first = judge.run(c);
      const second = judge.run({ ...c, eflags: c.eflags ^ (random.bits() & free) });
      // Flags neither read nor written are passed through, all of them when the instruction faults.
      return differences(first, second, first.vector === INT3 ? free & ~(row.writes ?? 0) : FLAGS_ARITH);
    });
    expect(found.slice(0, 3)).toEqual([]);
  });
});
