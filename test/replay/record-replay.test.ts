// Oracle: self-consistency (a recording replays to the same instruction, digest and event count, however it is run).
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../replay/log/events.js';
import { openLog } from '../../replay/log/reader.js';
import { eventLine } from '../../replay/log/text.js';
import { UserError } from '../../src/core/errors.js';
import type { JobResult } from '../../src/machine/job.js';
import { temporaryFolder } from '../cli.js';
import { demoGuest, record, replay, TYPED } from './scripted.js';

const folder = temporaryFolder();
const config = demoGuest(folder);
const UNTIL = 2_500_000;
const recording = record(join(folder, 'a.rr'), config, '5.2', UNTIL);

describe('a recording of the demo guest', () => {
  it('is the same bytes for the same host', () => {
    const again = record(join(folder, 'again.rr'), config, '5.2', UNTIL);
    expect(readFileSync(again.log).equals(readFileSync(recording.log))).toBe(true);
    expect(again.final).toEqual(recording.final);
  });

  for (const format of ['5.2', '7.2'] as const)
    for (const jit of ['off', 'on', 'force'] as const)
      it(`in format ${format} replays with the JIT ${jit}`, () => {
        const r = format === '5.2' ? recording : record(join(folder, '72.rr'), config, format, UNTIL);
        const result = replay(r, { jit });
        expect(result.divergence).toBeNull();
        const { log, ...end } = r.final;
        expect(log).toMatch(/^[0-9a-f]{64}$/);
        expect(result).toMatchObject(end);
      });

  it('has the same state at any instruction in every JIT mode', () => {
    for (const until of [1, 1000, 123_457, 654_321, 1_250_000, 2_333_333]) {
      const runs = (['off', 'on', 'force'] as const).map((jit) => replay(recording, { jit, until }));
      for (const r of runs) expect([r.stop, r.icount, r.digest, r.events]).toEqual(['until', until, runs[0]!.digest, runs[0]!.events]);
    }
  });

  for (const format of ['5.2', '7.2'] as const)
    it(`in format ${format} has the resets of a monitor and the power button`, () => {
      const requests = [
        ...TYPED,
        [1_100_000, { kind: 'power-button' }],
        [1_200_000, { kind: 'reset' }],
        [1_200_000, TYPED[2]![1]],
      ] as const;
      const r = record(join(folder, `reset-${format}.rr`), config, format, UNTIL, [...requests]);
      const cursor = openLog(r.log);
      const lines: string[] = [];
      while (cursor.next()) lines.push(eventLine(cursor, decodeEvent(cursor)).replace(/^\d+ \d+ /, ''));
      cursor.close();
      expect(lines.filter((line) => line.includes('power button')).length).toBe(1);
      const at = lines.findIndex((line) => line.includes('RESET_REQUESTED'));
      expect(lines[at - 1]).toMatch(/WARP_ACCOUNT/);
      expect(replay(r)).toMatchObject({ divergence: null, icount: r.final.icount, digest: r.final.digest, events: r.final.events });
    });

  it('cut off anywhere, replays to its last whole event', () => {
    const bytes = readFileSync(recording.log);
    const cut = join(folder, 'cut.rr');
    for (let length = 12; length < bytes.length; length += 211) {
      const part = Buffer.from(bytes.subarray(0, length));
      part.fill(0, 0, 4);
      writeFileSync(cut, part);
      const outcome = attempt(() => replay({ ...recording, log: cut }, { final: null }));
      if (outcome instanceof Error) expect(outcome.message).toMatch(/no event|empty|construct|CHECKPOINT|CLOCK|cut/i);
      else expect(outcome.divergence?.expected ?? 'cut off').toMatch(/cut off/);
    }
    truncateSync(cut, 0);
  });
});

function attempt(run: () => JobResult): JobResult | Error {
  try {
    return run();
  } catch (e) {
    if (e instanceof UserError) return e;
    throw e;
  }
}

/** Offsets at which the events of a log begin, and its length. */
function boundaries(log: string): number[] {
  const cursor = openLog(log);
  const offsets: number[] = [];
  while (cursor.next()) offsets.push(cursor.offset);
  cursor.close();
  return [...offsets, readFileSync(log).length];
}

describe('a changed log', () => {
  const small = record(join(folder, 'small.rr'), config, '5.2', 1_000_000);
  const bytes = readFileSync(small.log);
  const offsets = boundaries(small.log);
  const changed = join(folder, 'changed.rr');

  /** Replays the changed bytes; they must not pass for the recording. */
  function refused(content: Uint8Array, what: string): void {
    writeFileSync(changed, content);
    const outcome = attempt(() => replay({ ...small, log: changed }));
    if (outcome instanceof Error) return;
    expect(outcome.stop, what).toBe('divergence');
    expect(outcome.divergence!.expected.length, what).toBeGreaterThan(0);
  }

  const events = offsets.length - 1;
  const step = Math.max(1, Math.floor(events / 25));

  it('with an event removed diverges', () => {
    for (let i = 0; i < events; i += step)
      refused(Buffer.concat([bytes.subarray(0, offsets[i]), bytes.subarray(offsets[i + 1])]), `event ${i} of ${events} removed`);
  });

  it('with an event doubled diverges', () => {
    for (let i = 0; i < events; i += step)
      refused(Buffer.concat([bytes.subarray(0, offsets[i + 1]), bytes.subarray(offsets[i])]), `event ${i} of ${events} doubled`);
  });

  it('with a clock value or an instruction count changed diverges', () => {
    for (let i = 0; i < events; i += 1) {
      if (offsets[i + 1]! - offsets[i]! < 5 || i % step !== 0) continue;
      const content = Buffer.from(bytes);
      content[offsets[i + 1]! - 1]! ^= 0x10;
      refused(content, `event ${i} of ${events} changed`);
    }
  });

  it('names the instruction, what the log holds and what the machine did', () => {
    const cursor = openLog(small.log);
    while (cursor.next()) if (cursor.kind === 1) break;
    const { icount, offset } = cursor;
    cursor.close();
    writeFileSync(changed, Buffer.concat([bytes.subarray(0, offset), bytes.subarray(offset + 1)]));
    const { divergence } = replay({ ...small, log: changed });
    expect(divergence!.icount).toBeGreaterThanOrEqual(icount);
    expect(divergence!.expected).not.toBe('');
    expect(divergence!.found).not.toBe('');
  });
});
