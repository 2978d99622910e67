// Oracle: self-consistency: damage gives a clear error or a clean result, never a crash, a hang or unbounded memory
import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../replay/log/events.js';
import type { ReaderOptions } from '../../replay/log/reader.js';
import { eventJson, eventLine } from '../../replay/log/text.js';
import { UserError } from '../../src/core/errors.js';
import { everything } from './everything.js';
import { cursorOf, recording } from './recordings.js';

const CODES = ['log-version', 'log-truncated', 'log-corrupt'];

let round = 0;

/** Reads to the end as every command does (every eighth time to text as well). Returns the code of the clear error, or 'clean'. Anything else that is thrown goes through. */
function outcome(bytes: Uint8Array, options?: ReaderOptions): string {
  round++;
  try {
    const c = cursorOf(bytes, options);
    while (c.next()) {
      const e = decodeEvent(c);
      if (round % 8 !== 0) continue;
      const line = eventLine(c, e) + eventJson(c, e);
      if (!/^[\x20-\x7e]*$/.test(line)) throw new Error(`unprintable text in ${JSON.stringify(line)}`);
    }
    if (c.index >= bytes.length) throw new Error(`${c.index} events in ${bytes.length} bytes`);
    return 'clean';
  } catch (e) {
    if (!(e instanceof UserError)) throw e;
    if (!CODES.includes(e.code) || !/^log.*(version|byte)/.test(e.message)) throw new Error(`not a clear error: ${e.code} ${e.message}`);
    return e.code;
  }
}

/** A repeatable generator (mulberry32). */
function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

describe.each(['t1', 't3-52'])('a log (%s)', (name) => {
  const whole = recording(name);

  it('cut off anywhere is refused as truncated', () => {
    for (let length = 0; length < whole.length; length++)
      expect(outcome(whole.subarray(0, length)), `${length} bytes`).toBe('log-truncated');
    expect(outcome(whole)).toBe('clean');
  });

  it('cut off anywhere and unfinished is read up to its last whole event', () => {
    const unfinished = whole.slice();
    unfinished.fill(0, 0, 4);
    for (let length = 12; length <= whole.length; length++)
      expect(outcome(unfinished.subarray(0, length)), `${length} bytes`).toBe('clean');
  });
});

describe.each(['5.2', '7.2'] as const)('a log with one of every event (%s)', (format) => {
  it('with any one byte changed to anything gives a clear error or a clean result', () => {
    const bytes = everything(format);
    const outcomes = new Set<string>();
    for (let at = 0; at < bytes.length; at++) {
      const original = bytes[at]!;
      for (let value = 0; value < 256; value++) {
        bytes[at] = value;
        outcomes.add(outcome(bytes));
      }
      bytes[at] = original;
    }
    expect([...outcomes].sort()).toEqual(['clean', 'log-corrupt', 'log-truncated', 'log-version']);
  });

  it('cut off anywhere is refused, or read when it is unfinished', () => {
    const bytes = everything(format);
    const unfinished = bytes.slice();
    unfinished.fill(0, 0, 4);
    for (let length = 0; length < bytes.length; length++) {
      expect(outcome(bytes.subarray(0, length))).toBe('log-truncated');
      expect(outcome(unfinished.subarray(0, length))).toBe(length < 12 ? 'log-truncated' : 'clean');
    }
  });
});

describe('garbage', () => {
  const seed = Number(process.env.PALINDROME_SEED ?? 20240607);

  it.each(['t4', 't5', 't4-52'])(`spread over a long log (%s) is handled (seed ${seed}, set PALINDROME_SEED for another)`, (name) => {
    const random = generator(seed);
    const original = recording(name);
    for (let round = 0; round < 120; round++) {
      const bytes = original.slice(0, 12 + (random() % original.length));
      for (let n = random() % 20; n >= 0; n--) bytes[4 + (random() % (bytes.length - 4))] = random() & 0xff;
      if (random() % 3 === 0) bytes.fill(0, 0, 4);
      outcome(bytes);
    }
  });

  it(`behind every known header is handled (seed ${seed})`, () => {
    const random = generator(seed ^ 0x5555);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: 12 + (random() % 200) }, () => (random() % 3 === 0 ? random() & 0xff : random() % 42));
      bytes.set([0, 0xe0, 0x20, [2, 4, 6, 7, 8, 9, 10, 12][random() % 8]!]);
      if (random() % 4 === 0) bytes.fill(0, 0, 4);
      outcome(bytes, random() % 2 === 0 ? { unfinishedAs: '7.2' } : {});
    }
  });
});

describe('a length that the file does not have', () => {
  it.each([
    ['network frame', [9, 0, 0, 0, 0, 0]],
    ['characters', [7, 0]],
    ['random bytes', [0x1b, 0, 0, 0, 0]],
  ])('takes no memory: %s', (_what, start) => {
    const before = process.memoryUsage().arrayBuffers;
    const log = Uint8Array.of(
      0,
      0xe0,
      0x20,
      0x0c,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      28,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      ...start,
      0x7f,
      0xff,
      0xff,
      0xff,
      1,
      39,
    );
    for (let i = 0; i < 100; i++) expect(outcome(log)).toBe('log-truncated');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });
});
