import type { ProfileData } from '../profile-data.js';
import { walkStacks } from './walk-stacks.js';

/** The file format of speedscope (https://www.speedscope.app/file-format-schema.json): one `evented` profile; the value is instructions, stacks are in no order of time. */
export function* speedscope({ functions, stacks, instructions }: ProfileData, title: string): Generator<string> {
  const frames = functions.map(({ name }) => ({ name }));
  yield `{"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"palindrome","name":${JSON.stringify(title)},`;
  yield `"shared":{"frames":${JSON.stringify(frames)}},`;
  yield `"profiles":[{"type":"evented","name":${JSON.stringify(title)},"unit":"none","startValue":0,"endValue":${instructions},"events":[`;
  let at = 0;
  let separator = '';
  const event = (type: 'O' | 'C', node: number): string => {
    const line = `${separator}{"type":"${type}","frame":${stacks.fn[node]},"at":${at}}`;
    separator = ',';
    if (type === 'O') at += stacks.self[node]!;
    return line;
  };
  yield* walkStacks(
    stacks,
    (k) => event('O', k),
    (k) => event('C', k),
  );
  yield ']}]}';
}
