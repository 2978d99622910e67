// Oracle: manual (README: replay --stats), and self-consistency: the tiers' instructions add up to the recording's
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TierStatistics } from '../../jit/x86/tier-counters.js';
import type { RunStatistics } from '../../src/machine/run-statistics.js';
import { palindrome, type Summary, summary, temporaryFolder } from '../cli.js';
import { guestOptions } from './guest.js';

const dir = temporaryFolder();
const log = join(dir, 'guest.rr');
const recorded = summary('record', log, ...guestOptions(dir), '--until', '1500000');

function statistics(...args: string[]): Summary & { readonly statistics: RunStatistics } {
  return summary('replay', log, '--stats', ...args) as unknown as Summary & { readonly statistics: RunStatistics };
}

const exits = (tier: TierStatistics): number => Object.values(tier.exits).reduce((a, b) => a + b, 0);

describe('replay --stats', () => {
  it.each(['off', 'on', 'force'])('accounts for every instruction and every entry, JIT %s', (jit) => {
    const { icount, digest, statistics: s } = statistics('--jit', jit);
    expect([icount, digest]).toEqual([recorded.icount, recorded.digest]);
    expect(s.interpreter.instructions + s.tb.instructions + s.region.instructions).toBe(icount);
    expect(s.interpreter.instructions).toBeGreaterThanOrEqual(0);
    expect([exits(s.tb), exits(s.region)]).toEqual([s.tb.entries, s.region.entries]);
    if (jit === 'off') expect([s.interpreter.instructions, s.tb.translated, s.translationSeconds]).toEqual([icount, 0, 0]);
    // With `on`, when V8 has finished is the host's affair.
    else expect(s.tb.translated + s.region.translated).toBeGreaterThan(0);
    if (jit === 'force') expect(s.interpreter.instructions).toBeLessThan(icount / 4);
  });

  it('shows that V8’s flags have taken effect where the machine runs', () => {
    const long = join(dir, 'long.rr');
    summary('record', long, ...guestOptions(dir), '--until', '60000000');
    const { statistics: s } = summary('replay', long, '--stats') as unknown as { readonly statistics: RunStatistics };
    expect(s.cache.optimised).toBeGreaterThan(0);
  });

  it('is silent unless asked', () => {
    expect(summary('replay', log)).not.toHaveProperty('statistics');
    expect(palindrome('replay', log).stderr).not.toContain('statistics');
  });

  it('says it in words, behind the summary', () => {
    const { status, stdout, stderr } = palindrome('replay', log, '--stats', '--jit', 'force');
    expect([status, stdout]).toEqual([0, '']);
    for (const words of [
      /^ {2}rates .* million instructions\/s, [\d,]+ events\/s, [\d,]+ slices$/m,
      /^ {2}translation +[\d.]+ s \([\d.]+ % of the time\), [\d,]+ scripts; [\d,]+ functions optimised by V8$/m,
      /^ {2}interpreter +[\d.]+ % +[\d,]+ instructions$/m,
      /^ {2}TBs +[\d.]+ % +[\d,]+ instructions; [\d,]+ made, entered [\d,]+ times/m,
      /^ {2}regions +[\d.]+ % +[\d,]+ instructions; [\d,]+ made, entered [\d,]+ times/m,
      /^ {2}exits by cause +TBs +regions$/m,
      /^ {4}instruction left to the interpreter +[\d,]+ +[\d,]+$/m,
      /^ {2}TB cache +[\d,]+ functions live, [\d,]+ dropped; [\d,]+ TBs decoded in [\d,]+ pages$/m,
    ])
      expect(stderr).toMatch(words);
  });
});
