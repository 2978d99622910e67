// Oracle: hardware (the processor the test runs on)
import { describe, expect, it } from 'vitest';
import { intRows } from '../../jit/x86/table/index.js';
import { stringRows } from '../../jit/x86/table/string.js';
import { describeCase, differences } from '../../tools/x86-gen/case.js';
import { generateCase } from '../../tools/x86-gen/generate.js';
import { HOST_OPTIONS, hostCanRun, hostFeatures, hostMustAgree, runOnHost, undefinedFlags } from '../../tools/x86-gen/host-judge.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';
import { Random } from '../../tools/x86-gen/random.js';
import { requireTool } from '../tools.js';

const available = hostCanRun() && requireTool('gcc', 'gcc');
const SEED = 4711;
const DE = 0;
const INT3 = 3;

/** CPU feature (as the kernel names it) an instruction needs. */
const NEEDS: Readonly<Record<string, string>> = {
  movbe: 'movbe',
  crc32: 'sse4_2',
  popcnt: 'popcnt',
  lzcnt: 'abm',
  tzcnt: 'bmi1',
  adcx: 'adx',
  adox: 'adx',
};

describe.skipIf(!available)('integer instructions against the host processor', () => {
  it('give the same registers, memory and defined flags on random operands', () => {
    const features = hostFeatures();
    const random = new Random(SEED);
    const rows = [...intRows, ...stringRows].filter((row) => row.test !== 'skip' && features.has(NEEDS[row.name] ?? 'fpu'));
    const cases = rows.flatMap((row) => Array.from({ length: 15 }, () => generateCase(row, random, HOST_OPTIONS))).filter(hostMustAgree);
    const host = runOnHost(cases);
    const judge = new InterpreterJudge('max');
    let compared = 0;
    const wrong = cases.flatMap((c, n) => {
      const expected = host[n]!;
      // Other faults come from stray addresses, where the two differ in what is mapped.
      if (expected.vector !== INT3 && expected.vector !== DE) return [];
      compared++;
      const lines = differences(expected, judge.run(c), undefinedFlags(c));
      return lines.length === 0 ? [] : [`seed ${SEED}: ${describeCase(c)}\n  ${lines.join('\n  ')}`];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(compared).toBeGreaterThan(0.9 * cases.length);
  });
});
