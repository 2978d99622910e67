// Oracle: an independent parser of the format; self-consistency (a converted recording replays like the original)
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertLog } from '../../replay/log/convert.js';
import { openLog } from '../../replay/log/reader.js';
import { statLog } from '../../replay/log/stat.js';
import { recordingEnd } from '../../src/machine/sidecar.js';
import { temporaryFolder } from '../cli.js';
import { demoGuest, record, replay } from '../replay/scripted.js';
import { parseIndependently } from './independent-parser.js';

const folder = temporaryFolder();
const config = demoGuest(folder);
const UNTIL = 1_500_000;

describe.each([
  ['5.2', '7.2'],
  ['7.2', '5.2'],
] as const)('our recording of the demo guest in format %s', (format, other) => {
  const recording = record(join(folder, `${format}.rr`), config, format, UNTIL);
  const { icount, events, digest } = recording.final;
  const converted = join(folder, `${format}-as-${other}.rr`);
  convertLog(recording.log, converted, other);

  it('is read to END by the independent parser, without a byte left over', () => {
    const parsed = parseIndependently(readFileSync(recording.log));
    expect([parsed.ids.length, parsed.instructions]).toEqual([events, icount]);
  });

  it('holds the keys and characters that were typed', () => {
    const cursor = openLog(recording.log);
    const { kinds } = statLog(cursor);
    cursor.close();
    expect(kinds).toMatchObject({ ASYNC_INPUT: 2, ASYNC_INPUT_SYNC: 2, ASYNC_CHAR_READ: expect.any(Number) });
  });

  it(`replays the same when it was converted to ${other}`, () => {
    const result = replay({ ...recording, log: converted, format: other, final: recordingEnd(converted, { icount, events, digest }) });
    expect(result.divergence).toBeNull();
    expect(result).toMatchObject({ icount, events, digest });
  });

  it(`converted to ${other} is what the recorder would have written`, () => {
    const direct = record(join(folder, `${other}-direct.rr`), config, other, UNTIL);
    expect(readFileSync(converted).equals(readFileSync(direct.log))).toBe(true);
  });
});
