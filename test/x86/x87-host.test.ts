// Oracle: hardware (the x86-64 processor the tests run on)
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireTool } from '../tools.js';
import { buildImage, caseOffset, describeCase, differences, FLAGS_OFFSET, runHere, STATE_OFFSET } from './x87-image.js';
import { X87Random } from './x87-random.js';
import { randomCases, x87Snippets } from './x87-snippets.js';

const present = process.arch === 'x64' && requireTool('gcc', 'gcc');

/** Not run on the host: control instructions, approximations, and what follows QEMU and not the processors (see the last group of tests). */
const LEFT_OUT =
  /^(fldenv|fnstenv|frstor|fldcw|fninit|fneni|fndisi|fnsetpm|fwait|ffreep?|f(inc|dec)stp|fsin|fcos|fsincos|fptan|f2xm1|fyl2x|fyl2xp1|fpatan|fprem1|fsqrt|fscale|fbld)$/;
/** Precision control applies to these only; QEMU also rounds loaded and other operands to it. */
const ROUNDED = /^(fadd|fsub|fsubr|fmul|fdiv|fdivr)p? d8|^(fadd|fsub|fsubr|fmul|fdiv|fdivr)p? (dc|de) [c-f]/;

const FLOAT_OPERAND = /^f(add|subr?|mul|divr?) d[8c].*memory/;

function runHost(image: Uint8Array): void {
  const directory = mkdtempSync(join(tmpdir(), 'x87-host-'));
  try {
    const program = join(directory, 'host');
    const file = join(directory, 'image');
    execFileSync('gcc', ['-O1', '-o', program, join(import.meta.dirname, 'x87-host.c')]);
    writeFileSync(file, image);
    execFileSync(program, [file]);
    image.set(readFileSync(file));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Blanks what QEMU, and so we, never report: C1 of rounding and the stack, denormal operands; tags, pointers; flags other than ZF, PF, CF. */
function blank(image: Uint8Array, count: number): void {
  const dv = new DataView(image.buffer);
  for (let n = 0; n < count; n++) {
    const at = caseOffset(n);
    const state = at + STATE_OFFSET;
    dv.setUint32(state, dv.getUint16(state, true), true);
    dv.setUint32(state + 4, dv.getUint16(state + 4, true) & ~0x0202, true);
    image.fill(0, state + 8, state + 28);
    dv.setUint32(at + FLAGS_OFFSET, dv.getUint32(at + FLAGS_OFFSET, true) & 0x45, true);
  }
}

describe.skipIf(!present)('x87 against the host processor', () => {
  it('agrees on random operands in every rounding mode and precision', () => {
    const count = 12_000;
    const seed = (Math.random() * 0x100000000) >>> 0;
    const random = new X87Random(seed);
    const snippets = x87Snippets((name) => !LEFT_OUT.test(name));
    const cases = randomCases(random, count, snippets.length, (snippet) => {
      const top = random.below(8);
      const controlWord = random.controlWord() | 0x7f | (ROUNDED.test(snippets[snippet]!.name) ? 0 : 0x300);
      // R(top - 1) is empty, for pushes; the rest is full.
      const memory = random.memory();
      // QEMU makes a signalling NaN from memory quiet before it looks which of two NaNs to take.
      if (FLOAT_OPERAND.test(snippets[snippet]!.name)) {
        if ((memory[3]! & 0x7f) === 0x7f && memory[2]! >= 0x80) memory[3]! ^= 0x40;
        if ((memory[7]! & 0x7f) === 0x7f && memory[6]! >= 0xf0) memory[7]! ^= 0x40;
      }
      return { controlWord, statusWord: top << 11, tagWord: 3 << (2 * ((top + 7) & 7)), memory };
    });
    const start = buildImage(
      snippets.map((s) => s.bytes),
      cases,
    );
    const here = start.slice();
    const host = start.slice();
    runHere(here);
    runHost(host);
    blank(here, count);
    blank(host, count);
    const different = differences(here, host);
    const first = different[0];
    const shown =
      first === undefined
        ? ''
        : `${snippets[cases[first]!.snippet]!.name}\n  in   ${describeCase(start, first)}\n  here ${describeCase(here, first)}\n  host ${describeCase(host, first)}`;
    expect(different, `seed ${seed}: ${different.length} of ${count} differ ${shown}`).toEqual([]);
  });
});
