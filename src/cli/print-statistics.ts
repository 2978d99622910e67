import type { ExitCause, TierStatistics } from '../../jit/x86/tier-counters.js';
import type { RunStatistics } from '../machine/run-statistics.js';

const CAUSE_IN_WORDS: Readonly<Record<ExitCause, string>> = {
  jump: 'jump to a TB outside',
  indirectJump: 'indirect jump, call, return',
  budget: 'slice used up',
  interrupt: 'interrupt waiting',
  executed: 'instruction left to the interpreter',
  access: 'TLB miss or slow memory',
  fault: 'guest exception',
};

const CAUSES = Object.keys(CAUSE_IN_WORDS) as ExitCause[];

function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** The statistics of a run in words, line by line. */
export function statisticsLines(s: RunStatistics, wallSeconds: number): string[] {
  const all = s.interpreter.instructions + s.tb.instructions + s.region.instructions;
  const share = (n: number): string => `${((100 * n) / Math.max(all, 1)).toFixed(1).padStart(5)} %`;
  const tier = (name: string, t: TierStatistics): string =>
    `  ${name.padEnd(14)}${share(t.instructions)}  ${count(t.instructions)} instructions; ${count(t.translated)} made, entered ${count(t.entries)} times (${(t.instructions / Math.max(t.entries, 1)).toFixed(1)} instructions each)`;
  const translation = (100 * s.translationSeconds) / Math.max(wallSeconds, 1e-3);
  return [
    'statistics:',
    `  rates         ${(s.instructionsPerSecond / 1e6).toFixed(1)} million instructions/s, ${count(s.eventsPerSecond)} events/s, ${count(s.slices)} slices`,
    `  translation   ${s.translationSeconds.toFixed(2)} s (${translation.toFixed(1)} % of the time), ${count(s.cache.scripts)} scripts; ${count(s.cache.optimised)} functions optimised by V8`,
    `  interpreter   ${share(s.interpreter.instructions)}  ${count(s.interpreter.instructions)} instructions`,
    tier('TBs', s.tb),
    tier('regions', s.region),
    ...exitLines(s),
    `  TB cache      ${count(s.cache.live)} functions live, ${count(s.cache.dropped)} dropped; ${count(s.cache.blocks)} TBs decoded in ${count(s.cache.pages)} pages`,
    `  pages         ${count(s.cache.rewritten)} rewritten often, ${count(s.cache.givenUp)} given up`,
    `  map changes   ${count(s.mapChanges)}`,
    `  memory        ${(s.peakBytes / 2 ** 20).toFixed(0)} MiB at the peak`,
  ];
}

function exitLines(s: RunStatistics): string[] {
  const rows = CAUSES.filter((cause) => s.tb.exits[cause] + s.region.exits[cause] > 0);
  if (rows.length === 0) return [];
  const columns = rows.map((cause) => [s.tb.exits[cause], s.region.exits[cause]].map(count));
  const width = Math.max(...columns.flat().map((text) => text.length), 7);
  const label = Math.max(...rows.map((cause) => CAUSE_IN_WORDS[cause].length));
  const lines = rows.map(
    (cause, k) => `    ${CAUSE_IN_WORDS[cause].padEnd(label)}  ${columns[k]!.map((text) => text.padStart(width)).join('  ')}`,
  );
  const instructions = Object.entries(s.exitsByInstruction).map(([name, n]) => `${name} ${count(n)}`);
  return [
    `  ${'exits by cause'.padEnd(label + 2)}  ${'TBs'.padStart(width)}  ${'regions'.padStart(width)}`,
    ...lines,
    `    (${count(s.slowAccesses)} accesses were no TLB misses)`,
    ...(instructions.length > 0 ? [`  handed over at ${instructions.join(', ')}`] : []),
  ];
}
