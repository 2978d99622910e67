import { FLAG_VM } from '../../jit/x86/regs.js';
import { allRows } from '../../jit/x86/table/index.js';
import { describeCase, differences, type Outcome, type TestCase } from './case.js';
import { ALL_OPTIONS } from './draft.js';
import { exceptedFlags } from './exceptions.js';
import { generateCase, generateSequence } from './generate.js';
import { generateSoup } from './generate-soup.js';
import { InterpreterJudge } from './interpreter.js';
import { qemuVersion, runInQemu } from './qemu-judge.js';
import { Random } from './random.js';

/**
 * `npx tsx tools/x86-gen/main.ts [--seed N] [--count CASES_PER_ROW] [--only REGEXP] [--kind integer,string,control,fpu,sse,mmx] [--sequences N] [--soup N]
 * [--model qemu32|max] [--show N]`: random instances of every row, in QEMU and here; prints the first differences.
 */
function argument(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
}

const seed = Number(argument('seed', '1'));
const count = Number(argument('count', '40'));
const only = new RegExp(argument('only', '.'));
const kinds = argument('kind', 'integer,string,control').split(',');
const sequences = Number(argument('sequences', '0'));
const soup = Number(argument('soup', '0'));
const show = Number(argument('show', '5'));
const model = argument('model', 'qemu32') === 'max' ? 'max' : 'qemu32';

const rows = allRows().filter((row) => kinds.includes(row.test ?? 'integer') && only.test(row.name));
const random = new Random(seed);
const judge = new InterpreterJudge(model);
const cases: TestCase[] = [];
/** Not endless loops, and not virtual-8086 mode, which QEMU lets IRET of CPL 3 enter and which could set flags the ROM cannot clear again. */
function add(c: TestCase): void {
  const outcome = judge.run(c);
  if (!judge.endless && (outcome.eflags & FLAG_VM) === 0) cases.push(c);
}
for (const row of rows) for (let n = 0; n < count; n++) add(generateCase(row, random, ALL_OPTIONS));
for (let n = 0; n < sequences; n++) add(generateSequence(rows, random, ALL_OPTIONS));
for (let n = 0; n < soup; n++) add(generateSoup(random, { fpu: kinds.includes('fpu'), sse: kinds.includes('sse') }));

const started = performance.now();
const expected = runInQemu(cases, model);
const middle = performance.now();
const failing = new Map<string, number>();
let wrong = 0;
let faults = 0;
cases.forEach((c, n) => {
  const e: Outcome = expected[n]!;
  if (e.vector !== 3) faults++;
  let lines: string[];
  try {
    lines = differences(e, judge.run(c, n % 7), exceptedFlags(c, e));
  } catch (error) {
    lines = [`thrown: ${error instanceof Error ? error.stack : String(error)}`];
  }
  if (lines.length === 0) return;
  wrong++;
  failing.set(c.name, (failing.get(c.name) ?? 0) + 1);
  if (wrong <= show) console.log(`${describeCase(c)}\n  ${lines.slice(0, 12).join('\n  ')}`);
});
for (const [name, n] of [...failing].sort()) console.log(`${name}: ${n} of ${cases.filter((c) => c.name === name).length} differ`);
console.log(`${qemuVersion()}, ${model}, seed ${seed}: ${rows.length} rows, ${cases.length} cases (${faults} faulting), ${wrong} differ`);
console.log(`QEMU ${Math.round(middle - started)} ms, interpreter ${Math.round(performance.now() - middle)} ms`);
process.exitCode = wrong === 0 ? 0 : 1;
