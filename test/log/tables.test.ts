// Oracle: QEMU sources, every release from 2.5 to 10.2 (event numbers in log-ids.json, read from them)
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeTable } from '../../replay/log/decode-table.js';
import { EventKind, eventName, SHUTDOWN_CAUSES } from '../../replay/log/kinds.js';
import { identify, NUMBERINGS, type Numbering } from '../../replay/log/tables.js';

interface Release {
  readonly version: string;
  readonly events: Readonly<Record<string, number>>;
  readonly async_kinds: Readonly<Record<string, number>>;
  readonly checkpoints: Readonly<Record<string, number>>;
  readonly shutdown_causes: readonly string[];
}

const releases = Object.entries(JSON.parse(readFileSync(new URL('log-ids.json', import.meta.url), 'utf8')) as Record<string, Release>);

/** As a reader finds it: the first event is CLOCK host and the last byte END. */
function find(release: Release): Numbering {
  return identify('log', { version: Number(release.version), first: release.events.clock!, last: release.events.end! });
}

const SINGLE: readonly (readonly [string, number])[] = [
  ['instruction', EventKind.INSTRUCTION],
  ['interrupt', EventKind.INTERRUPT],
  ['exception', EventKind.EXCEPTION],
  ['char_write', EventKind.CHAR_WRITE],
  ['char_read_all', EventKind.CHAR_READ_ALL],
  ['char_read_all_error', EventKind.CHAR_READ_ALL_ERROR],
  ['audio_out', EventKind.AUDIO_OUT],
  ['audio_in', EventKind.AUDIO_IN],
  ['random', EventKind.RANDOM],
  ['end', EventKind.END],
];

describe.each(releases)('the numbers of QEMU %s', (_name, release) => {
  const numbering = find(release);
  const { kinds, subs } = decodeTable(numbering);

  it('are found from version, first event and last byte', () => {
    expect(numbering.version).toBe(Number(release.version));
    expect(numbering.clock).toBe(release.events.clock);
    expect(numbering.end).toBe(release.events.end);
  });

  it('give every single event its id, and no other id the same kind', () => {
    for (const [name, kind] of SINGLE) {
      const id = release.events[name];
      expect(kinds.indexOf(kind), name).toBe(id ?? -1);
      if (id !== undefined) expect(kinds.lastIndexOf(kind), name).toBe(id);
    }
  });

  it('give clocks, checkpoints, causes and asynchronous kinds their sub ids', () => {
    const { events, checkpoints } = release;
    expect(kinds.filter((k) => k === EventKind.CLOCK).length).toBe(events.clock_last! - events.clock! + 1);
    expect(kinds.filter((k) => k === EventKind.CHECKPOINT).length).toBe(events.checkpoint_last! - events.checkpoint! + 1);
    for (const [name, i] of Object.entries(checkpoints)) {
      const id = events.checkpoint! + i;
      const expected = `CP_${name.toUpperCase().replace(/^CLOCK_(WARP_.*)/, '$1')}`;
      expect(eventName(kinds[id]!, subs[id]!)).toBe(expected);
    }
    release.shutdown_causes.forEach((cause, i) => {
      const id = events.shutdown! + i;
      expect(kinds[id]).toBe(EventKind.SHUTDOWN);
      expect(SHUTDOWN_CAUSES[subs[id]!]).toBe(cause);
    });
    for (const [name, i] of Object.entries(release.async_kinds)) {
      const kind = EventKind[name.toUpperCase() as keyof typeof EventKind];
      expect(numbering.asyncKinds[i]).toBe(kind);
      if (events.async_last !== undefined) expect(kinds[events.async! + i]).toBe(kind);
    }
    expect(numbering.asyncKinds.length).toBe(Object.keys(release.async_kinds).length);
    expect(numbering.generation).toBe(events.async_last === undefined ? 'A' : 'B');
  });
});

describe('the format of a log', () => {
  it('is refused by its number when that is not known', () => {
    expect(() => identify('x.rr', { version: 0xe0200b, first: 28, last: 39 })).toThrow(/x\.rr.*0xe0200b is not known.*0xe0200a/);
    expect(() => identify('x.rr', { version: 0x7f454c46, first: 1, last: 1 })).toThrow(/0x7f454c46/);
  });

  it('is found from END when the machine did not begin by reading the host clock', () => {
    expect(identify('x', { version: 0xe0200c, first: 0, last: 38 }).release).toBe('7.1');
    expect(identify('x', { version: 0xe0200c, first: 0, last: 39 }).release).toBe('7.2 and later');
    expect(identify('x', { version: 0xe02007, first: 0, last: 29 }).release).toBe('2.12');
  });

  it('of an unfinished log is found from the first event, or from who made it', () => {
    expect(identify('x', { version: 0, first: 28, last: 1 }).release).toBe('7.2 and later');
    expect(identify('x', { version: 0, first: 27, last: 1 }).release).toBe('7.1');
    expect(identify('x', { version: 0, first: 21, last: 1 }).release).toBe('5.1 to 7.0');
    expect(identify('x', { version: 0, first: 30, last: 1, unfinishedAs: '7.2' }).release).toBe('7.2 and later');
    expect(() => identify('x', { version: 0, first: 200, last: 1 })).toThrow(/unfinished/);
  });

  it('knows sizes of audio counters and has no two equal numberings', () => {
    expect(NUMBERINGS.filter((n) => n.audioCounterBytes === 4 && n.audioOut !== null).map((n) => n.release)).toEqual([
      '4.0 and 4.1',
      '3.0 and 3.1',
      '2.12',
      '2.10 and 2.11',
      '2.9',
    ]);
    expect(new Set(NUMBERINGS.map((n) => n.release)).size).toBe(NUMBERINGS.length);
  });
});
