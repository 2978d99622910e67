/** The middle one of some measurements; of an even number, halfway between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Prints a figure with what it should be. */
export function goal(what: string, figure: number, relation: 'at least' | 'at most', limit: number): void {
  const reached = relation === 'at least' ? figure >= limit : figure <= limit;
  console.log(`${reached ? 'reached' : 'MISSED '}  ${what}: ${figure.toFixed(2)} (goal: ${relation} ${limit})`);
}
