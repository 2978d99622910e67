// Oracle: hardware (the x86-64 processor the tests run on)
import { describe, expect, it } from 'vitest';
import type { Row } from '../../jit/x86/insn.js';
import { describeCase, differences, type Outcome, type TestCase } from '../../tools/x86-gen/case.js';
import { HOST_OPTIONS, hostCanRun, runOnHost } from '../../tools/x86-gen/host-judge.js';
import { InterpreterJudge } from '../../tools/x86-gen/interpreter.js';
import { Random } from '../../tools/x86-gen/random.js';
import { requireTool } from '../tools.js';
import { FX_MXCSR, FX_ST0, FX_XMM0, MXCSR_DAZ, MXCSR_DENORMAL, sseCases } from './sse-cases.js';

const present = hostCanRun() && requireTool('gcc', 'gcc');

/** Cases of each row; more by hand. */
const COUNT = Number(process.env.SSE_CASES ?? 12);
const GENERAL_PROTECTION = 13;

/**
 * Where QEMU, our model, is not like processors: approximations that are exact there; a reserved MXCSR bit is #GP; CLFLUSH depends on the model;
 * PCOMMIT; prefixes of instructions that have none; forms with a register that are undefined.
 */
function comparable(row: Row): boolean {
  return !/^(rcp[ps]s|rsqrt[ps]s|ldmxcsr|clflush|clwb|[lms]fence)$/.test(row.name);
}

function mayDiffer(c: TestCase): boolean {
  if (/^(emms|stmxcsr|movnti)$/.test(c.name)) return c.code[0] !== 0x0f;
  // Of a denormal that counts as zero QEMU returns all bits.
  if (/^(min|max)[ps][sd]$/.test(c.name)) return (c.fx![FX_MXCSR]! & MXCSR_DAZ) !== 0;
  const register = (c.code[c.code.length - 1]! & 0xc0) === 0xc0;
  return register && /^(movntq|movntdq|movlpd|movhpd)$/.test(c.name);
}

/**
 * Blanks what QEMU does otherwise: x87 tags and pointers, sign and exponent of MMX registers (all ones on processors), the denormal-operand flag
 * (never raised in QEMU).
 */
function blank(o: Outcome, double: boolean): Outcome {
  const fx = o.fx!.slice();
  blankNans(new DataView(fx.buffer), double);
  fx.fill(0, 0, FX_MXCSR);
  fx.fill(0, FX_MXCSR + 4, FX_ST0);
  fx[FX_MXCSR] = fx[FX_MXCSR]! & ~MXCSR_DENORMAL;
  for (let n = 0; n < 8; n++) fx.fill(0, FX_ST0 + 16 * n + 8, FX_ST0 + 16 * n + 16);
  return { ...o, fx };
}

/** Which of two NaNs comes out: QEMU goes by the rules of the x87, processors take the first. */
function blankNans(dv: DataView, double: boolean): void {
  for (let at = FX_XMM0; at < FX_XMM0 + 128; at += double ? 8 : 4) {
    if (double) {
      if (Number.isNaN(dv.getFloat64(at, true))) dv.setBigUint64(at, 0n, true);
    } else if (Number.isNaN(dv.getFloat32(at, true))) dv.setUint32(at, 0, true);
  }
}

describe.skipIf(!present)('MMX, SSE, SSE2 and SSE3 against the host processor', () => {
  it('gives the same results and exception flags in every rounding mode, with DAZ and FZ', () => {
    const seed = (Math.random() * 0x100000000) >>> 0;
    const cases = sseCases(new Random(seed), COUNT, HOST_OPTIONS, { unmasked: false }, comparable);
    const judge = new InterpreterJudge('qemu32');
    const host = runOnHost(cases);
    const different: string[] = [];
    let compared = 0;
    cases.forEach((c, n) => {
      // QEMU asks alignment of fewer operands than processors do.
      if (mayDiffer(c) || host[n]!.vector === GENERAL_PROTECTION) return;
      compared++;
      const double = /[ps]d$/.test(c.name);
      const found = differences(blank(host[n]!, double), blank(judge.run(c), double));
      if (found.length > 0) different.push(`${describeCase(c)}\n  ${found.slice(0, 12).join('\n  ')}`);
    });
    expect(compared).toBeGreaterThan(cases.length * 0.6);
    expect(different.length, `seed ${seed}: ${different.length} of ${compared} differ\n${different.slice(0, 3).join('\n')}`).toBe(0);
  });
});
