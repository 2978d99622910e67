// Oracle: QEMU run (7.2.22 and 5.2.0): its recordings, byte by byte; an independent parser of the format
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeEvent } from '../../replay/log/copy.js';
import { decodeEvent } from '../../replay/log/events.js';
import { EventKind } from '../../replay/log/kinds.js';
import { openLog } from '../../replay/log/reader.js';
import { statLog } from '../../replay/log/stat.js';
import type { LogFormat } from '../../replay/log/tables.js';
import { createLog, LogWriter } from '../../replay/log/writer.js';
import { MemoryOutput, writeEverything } from './everything.js';
import { parseIndependently } from './independent-parser.js';
import { cursorOf, RECORDINGS, recording } from './recordings.js';

const dir = mkdtempSync(join(tmpdir(), 'palindrome-log-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('a recording by QEMU', () => {
  it.each(RECORDINGS)('%s is written again byte by byte', (name) => {
    const original = recording(name);
    const output = new MemoryOutput();
    const writer = new LogWriter(output, name.endsWith('-52') ? '5.2' : '7.2');
    const c = cursorOf(original);
    while (c.next() && c.kind !== EventKind.END) writeEvent(writer, c.icount, decodeEvent(c), 1);
    writer.finish(c.icount, { shutdown: false });
    writer.close();
    expect(writer.events).toBe(c.index + 1);
    expect(output.bytes.equals(original)).toBe(true);
  });

  it.each(RECORDINGS)('%s is read alike by the independent parser', (name, events, instructions) => {
    const parsed = parseIndependently(Buffer.from(recording(name)));
    expect([parsed.ids.length, parsed.instructions]).toEqual([events, instructions]);
  });
});

describe.each(['5.2', '7.2'] as const)('a log in format %s', (format: LogFormat) => {
  it('with one of everything reads to END without a byte left over', () => {
    const output = new MemoryOutput();
    const writer = new LogWriter(output, format);
    writeEverything(writer, 200_000);
    const parsed = parseIndependently(output.bytes);
    expect(parsed.instructions).toBe(240);
    expect(parsed.ids.length).toBe(writer.events);
    const c = cursorOf(output.bytes);
    expect(statLog(c)).toMatchObject({ events: writer.events, instructions: 240, complete: true });
    expect(output.closed).toBe(true);
  });

  it('gives back every event as it was written', () => {
    const first = new MemoryOutput();
    writeEverything(new LogWriter(first, format), 200_000);
    const again = new MemoryOutput();
    const writer = new LogWriter(again, format);
    const c = cursorOf(first.bytes);
    while (c.next() && c.kind !== EventKind.END) writeEvent(writer, c.icount, decodeEvent(c), 1);
    writer.finish(c.icount, { shutdown: false });
    expect(again.bytes.equals(first.bytes)).toBe(true);
  });

  it('is unfinished and readable at every flush, until it is finished', () => {
    const path = join(dir, `${format}.rr`);
    const writer = createLog(path, format);
    writer.clock(0, 0, 5n);
    for (let i = 1; i <= 10; i++) {
      writer.exception(i * 100);
      writer.flush();
      const c = openLog(path);
      expect(statLog(c)).toMatchObject({ version: '0x000000', events: 1 + 2 * i, instructions: i * 100, complete: false });
      c.close();
    }
    writer.finish(1000);
    writer.close();
    expect(parseIndependently(readFileSync(path)).ids.length).toBe(1 + 20 + 2);
  });

  it('splits what one INSTRUCTION event cannot count, and never writes an empty one', () => {
    const output = new MemoryOutput();
    const writer = new LogWriter(output, format);
    writer.clock(0, 0, 5n);
    writer.interrupt(2 ** 33);
    writer.interrupt(2 ** 33);
    writer.finish(2 ** 33);
    const parsed = parseIndependently(output.bytes);
    expect(parsed.instructions).toBe(2 ** 33);
    expect(parsed.ids.filter((id) => id === 0).length).toBe(5);
  });

  it('keeps what was written before the disk was full, and says so once and for all', () => {
    const output = new MemoryOutput(100_000);
    const writer = new LogWriter(output, format);
    writer.clock(0, 0, 5n);
    const fill = () => {
      for (let i = 0; i < 100_000; i++) writer.exception(i);
    };
    expect(fill).toThrow(/full/);
    expect(() => writer.interrupt(1_000_000)).toThrow(/full/);
    expect(() => writer.finish(1_000_000)).toThrow(/full/);
    expect(() => writer.close()).not.toThrow();
    expect(output.bytes.length).toBe(100_000);
    expect(statLog(cursorOf(output.bytes)).events).toBeGreaterThan(30_000);
  });
});

it.skipIf(!existsSync('/dev/full'))('names the file and the reason when writing fails', () => {
  expect(() => createLog('/dev/full', '7.2')).toThrow(/\/dev\/full: writing the log failed \(no space left on the device\)/);
  expect(() => createLog(join(dir, 'no', 'such', 'dir'), '7.2')).toThrow(/no such file or directory/);
});
