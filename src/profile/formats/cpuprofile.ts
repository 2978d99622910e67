import type { ProfileData } from '../profile-data.js';
import { childLists } from '../stack-totals.js';

/** Profile of the Chrome DevTools Protocol (Profiler.Profile), for DevTools and Visual Studio Code. An instruction is shown as a microsecond. */
export function* cpuprofile({ functions, stacks, instructions }: ProfileData): Generator<string> {
  const { first, next } = childLists(stacks);
  const { fn, self } = stacks;
  const callFrame = (k: number): string => {
    const functionName = k === 0 ? '(root)' : functions[fn[k]!]!.name;
    return JSON.stringify({ functionName, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 });
  };
  yield '{"nodes":[';
  for (let k = 0; k < fn.length; k++) {
    const children: number[] = [];
    for (let c = first[k]!; c > 0; c = next[c]!) children.push(c + 1);
    const executed = self[k]! > 0 ? 1 : 0;
    yield `${k > 0 ? ',' : ''}{"id":${k + 1},"callFrame":${callFrame(k)},"hitCount":${executed},"children":[${children.join()}]}`;
  }
  const samples = Array.from(fn.keys()).filter((k) => self[k]! > 0);
  yield `],"startTime":0,"endTime":${instructions},"samples":[`;
  yield* inLines(samples.map((k) => k + 1));
  // A sample lasts until the next one.
  yield '],"timeDeltas":[';
  yield* inLines(samples.map((_, n) => (n === 0 ? 0 : self[samples[n - 1]!]!)));
  yield ']}';
}

const NUMBERS_PER_LINE = 1000;

function* inLines(numbers: readonly number[]): Generator<string> {
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_LINE)
    yield `${at > 0 ? ',' : ''}${numbers.slice(at, at + NUMBERS_PER_LINE).join()}`;
}
