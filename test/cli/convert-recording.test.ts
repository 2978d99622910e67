// Oracle: manual (README: log convert takes LOG.json along)
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statLog } from '../../replay/log/stat.js';
import { palindrome, RECORDINGS, summary, temporaryFolder } from '../cli.js';
import { cursorOf } from '../log/recordings.js';
import { guestOptions, refusal } from './guest.js';

const dir = temporaryFolder();
const log = join(dir, 'a.rr');
const recorded = summary('record', log, ...guestOptions(dir), '--serial', 'null', '--until', '1500000');
const other = join(dir, 'other');
mkdirSync(other);

function convert(from: string, to: string, format: string): void {
  expect(palindrome('log', 'convert', from, to, '--format', format)).toMatchObject({ status: 0, stderr: '' });
}

describe('log convert', () => {
  it.each(['7.2', '5.2'])('of a recording of ours into %s gives one that replays to the same end', (format) => {
    const to = join(other, `to-${format}.rr`);
    convert(log, to, format);
    expect(JSON.parse(readFileSync(`${to}.json`, 'utf8'))).toMatchObject({ logFormat: format, inputs: [{ fromLog: '../guest.bin' }] });
    expect(summary('replay', to)).toMatchObject({ status: 0, stop: 'end-of-log', icount: recorded.icount, digest: recorded.digest });
  });

  it('there and back gives the same bytes, and the same LOG.json', () => {
    const [there, back] = [join(dir, 'there.rr'), join(dir, 'back.rr')];
    convert(log, there, '7.2');
    convert(there, back, '5.2');
    for (const end of ['', '.json']) expect(readFileSync(back + end).equals(readFileSync(log + end))).toBe(true);
  });

  it('of a killed recording gives one that replays as far', () => {
    const killed = join(dir, 'killed.rr');
    const bytes = readFileSync(log).subarray(0, 700);
    bytes.fill(0, 0, 4);
    writeFileSync(killed, bytes);
    const { final, ...unfinished } = JSON.parse(readFileSync(`${log}.json`, 'utf8')) as Record<string, unknown>;
    expect(final).toBeDefined();
    writeFileSync(`${killed}.json`, JSON.stringify(unfinished));
    const to = join(dir, 'killed-72.rr');
    convert(killed, to, '7.2');
    const { instructions } = statLog(cursorOf(bytes));
    expect(summary('replay', to)).toMatchObject({ status: 0, stop: 'end-of-log', icount: instructions, divergence: null });
  });

  it('of a log without LOG.json takes away the LOG.json of what it replaces', () => {
    const to = join(other, 'replaced.rr');
    for (const end of ['', '.json']) copyFileSync(log + end, to + end);
    convert(join(RECORDINGS, 't1.rr'), to, '5.2');
    expect(existsSync(`${to}.json`)).toBe(false);
  });

  it('that is refused leaves what is there, both files', () => {
    const to = join(other, 'kept.rr');
    for (const end of ['', '.json']) copyFileSync(log + end, to + end);
    refusal('log', 'convert', join(RECORDINGS, 't4-52.rr'), to, '--format', '7.2');
    for (const end of ['', '.json']) expect(readFileSync(to + end).equals(readFileSync(log + end))).toBe(true);
  });

  it('of a log that is not the one of its LOG.json is refused', () => {
    const changed = join(dir, 'changed.rr');
    copyFileSync(`${log}.json`, `${changed}.json`);
    const bytes = readFileSync(log);
    bytes[30]! ^= 1;
    writeFileSync(changed, bytes);
    expect(refusal('log', 'convert', changed, join(dir, 'x.rr'), '--format', '7.2')).toMatch(
      /is not the log that .*changed\.rr\.json describes/,
    );
  });
});
