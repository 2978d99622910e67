// Oracle: QEMU run (7.2.22)
import { describe, expect, it } from 'vitest';
import { describeCase, differences, type TestCase } from '../../tools/x86-gen/case.js';
import { ALL_OPTIONS } from '../../tools/x86-gen/draft.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';
import { runInQemu } from '../../tools/x86-gen/qemu-judge.js';
import { Random } from '../../tools/x86-gen/random.js';
import { requireTool } from '../tools.js';
import { sseCases } from './sse-cases.js';

const present = requireTool('qemu-system-i386', 'qemu-system-x86') && requireTool('nasm', 'nasm');

/** Cases of each row; more by hand. */
const COUNT = Number(process.env.SSE_CASES ?? 12);

function report(cases: readonly TestCase[]): string[] {
  const judge = new InterpreterJudge('qemu32');
  const lines: string[] = [];
  runInQemu(cases, 'qemu32').forEach((expected, n) => {
    const found = differences(expected, judge.run(cases[n]!));
    if (found.length > 0) lines.push(`${describeCase(cases[n]!)}\n  ${found.slice(0, 12).join('\n  ')}`);
  });
  return lines;
}

describe.skipIf(!present)('MMX, SSE, SSE2 and SSE3 against QEMU', () => {
  it('gives the same registers, MXCSR, memory, flags and exceptions for every instruction, in every rounding mode, with DAZ and FZ', () => {
    const seed = (Math.random() * 0x100000000) >>> 0;
    const cases = sseCases(new Random(seed), COUNT, ALL_OPTIONS, { unmasked: true });
    const different = report(cases);
    expect(different.length, `seed ${seed}: ${different.length} of ${cases.length} differ\n${different.slice(0, 3).join('\n')}`).toBe(0);
  });
});
