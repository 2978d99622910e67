import type { ProfileData } from '../profile-data.js';
import { walkStacks } from './walk-stacks.js';

/** One line per stack, `caller;called;... instructions`, as flamegraph.pl and others read it. */
export function* folded({ functions, stacks }: ProfileData): Generator<string> {
  const names = functions.map((f) => f.name.replaceAll(';', ':').replaceAll(' ', '_'));
  const path: string[] = [];
  yield* walkStacks(
    stacks,
    (k) => {
      const caller = path[path.length - 1];
      const name = names[stacks.fn[k]!]!;
      path.push(caller === undefined ? name : `${caller};${name}`);
      return stacks.self[k]! > 0 ? `${path[path.length - 1]} ${stacks.self[k]}` : null;
    },
    () => {
      path.pop();
      return null;
    },
  );
}
