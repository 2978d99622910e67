/** The middle one of some measurements. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Prints a figure with what it should be. */
export function goal(what: string, figure: number, relation: 'at least' | 'at most', limit: number): void {
  const reached = relation === 'at least' ? figure >= limit : figure <= limit;
  console.log(`${reached ? 'reached' : 'MISSED '}  ${what}: ${figure.toFixed(2)} (goal: ${relation} ${limit})`);
}
