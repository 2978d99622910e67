import type { ProfileData } from '../profile-data.js';
import { childLists, inclusive } from '../stack-totals.js';

/** Shares of all instructions below which stacks are drawn together with their neighbours. */
const SMALLEST = 1 / 20_000;

/** A flame graph as arrays, callers before those they called; node 0 is the root. */
export interface FlameTree {
  readonly names: readonly string[];
  /** By name: k kernel, u user, h something else. */
  readonly kinds: string;
  readonly parent: readonly number[];
  /** Index of the name. */
  readonly name: readonly number[];
  readonly total: readonly number[];
}

/** What of a profile can be seen in a picture; the rest under `(smaller)`, so that all sums stay exact. */
export function flameTree({ functions, stacks, instructions }: ProfileData): FlameTree {
  const totals = inclusive(stacks);
  const { first, next } = childLists(stacks);
  const names = new Map<string, number>();
  const kinds: string[] = [];
  const tree = { parent: [-1], name: [0], total: [instructions] };
  const nameOf = (text: string, kind: string): number => {
    let k = names.get(text);
    if (k === undefined) {
      k = names.size;
      names.set(text, k);
      kinds.push(kind);
    }
    return k;
  };
  nameOf('all', 'h');
  const smaller = nameOf('(smaller)', 'h');
  const add = (parent: number, name: number, total: number): number => {
    tree.name.push(name);
    tree.total.push(total);
    return tree.parent.push(parent) - 1;
  };
  const work: [number, number][] = [[0, 0]];
  for (let w = 0; w < work.length; w++) {
    const [node, drawn] = work[w]!;
    let rest = 0;
    for (let c = first[node]!; c > 0; c = next[c]!) {
      const f = functions[stacks.fn[c]!]!;
      if (totals[c]! >= instructions * SMALLEST && totals[c]! > 0) work.push([c, add(drawn, nameOf(f.name, kindOf(f)), totals[c]!)]);
      else rest += totals[c]!;
    }
    if (rest > 0) add(drawn, smaller, rest);
  }
  return { names: [...names.keys()], kinds: kinds.join(''), ...tree };
}

function kindOf(f: ProfileData['functions'][number]): string {
  if (f.kind === 'program' || f.kind === 'cut') return 'h';
  return f.user ? 'u' : 'k';
}
