// Oracle: QEMU run (7.2.22 and 5.2.0): its recordings, their event lists and test vectors
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeEvent, type LogEvent } from '../../replay/log/events.js';
import { EventKind } from '../../replay/log/kinds.js';
import { QCODE_NAMES } from '../../replay/log/qcodes.js';
import { type LogCursor, openLog } from '../../replay/log/reader.js';
import { statLog } from '../../replay/log/stat.js';
import { eventLine } from '../../replay/log/text.js';
import { cursorOf, logOf, RECORDINGS, recording, recordingPath } from './recordings.js';

const CLOCK = '1c 18e9ed85525c5b58';
const CLOCK_A = '15 18e9ed85525c5b58';

function linesOf(c: LogCursor): string[] {
  const lines: string[] = [];
  while (c.next()) lines.push(eventLine(c, decodeEvent(c)));
  return lines;
}

/** The events between the first CLOCK and END of a log in QEMU 7.2's numbers. */
function eventsOf(hex: string): LogEvent[] {
  const c = cursorOf(logOf(0xe0200c, `${CLOCK} ${hex} 27`));
  const events: LogEvent[] = [];
  while (c.next()) events.push(decodeEvent(c));
  return events.slice(1, -1);
}

function argumentsOf(hex: string): string[] {
  return linesOf(cursorOf(logOf(0xe0200c, `${CLOCK} ${hex} 27`)))
    .slice(1, -1)
    .map((line) => line.replace(/^\d+ \d+ \d+ /, ''));
}

describe("QEMU's recordings", () => {
  it.each(RECORDINGS)('%s has %i events and %i instructions, and ends with END', (name, events, instructions) => {
    const cursor = openLog(recordingPath(name));
    const stat = statLog(cursor);
    cursor.close();
    expect(stat).toMatchObject({ events, instructions, complete: true, endsWithEnd: true, cutOffBytes: 0 });
    expect(stat.bytes).toBe(recording(name).length);
    expect(Object.values(stat.kinds).reduce((a, b) => a + b)).toBe(events);
    expect([stat.version, stat.generation]).toEqual(name.endsWith('-52') ? ['0xe0200a', 'A'] : ['0xe0200c', 'B']);
  });

  it('t1 lists event by event as it was read when recorded', () => {
    const golden = readFileSync(new URL('t1.dump.golden.txt', import.meta.url), 'utf8');
    expect(`${linesOf(openLog(recordingPath('t1'))).join('\n')}\n`).toBe(golden);
  });

  it('t4 holds the keys, buttons, motion and characters that were sent', () => {
    const lines = linesOf(openLog(recordingPath('t4'))).map((l) => l.replace(/^\d+ \d+ \d+ /, ''));
    const input = lines.filter((l) => l.startsWith('ASYNC_INPUT '));
    expect(input).toContain('ASYNC_INPUT key a down');
    expect(input).toContain('ASYNC_INPUT btn middle down');
    expect(input).toContain('ASYNC_INPUT rel y -5');
    expect(input).toContain('ASYNC_INPUT abs x 16384');
    expect(lines.filter((l) => l.startsWith('ASYNC_CHAR_READ 0 ')).length).toBe(25);
  });

  it('t4 by 5.2 names the checkpoints at which events were drained', () => {
    const c = openLog(recordingPath('t4-52'));
    const seen = new Set<number>();
    while (c.next()) if (c.checkpoint >= 0) seen.add(c.checkpoint);
    expect([...seen].sort()).toEqual([1, 5]);
  });
});

describe('test vectors', () => {
  it('of a log that begins: CLOCK host and CP_INIT', () => {
    expect(linesOf(cursorOf(logOf(0xe0200c, `${CLOCK} 25 27`)))).toEqual([
      '0 12 0 CLOCK_HOST 1795227083352071000',
      '1 21 0 CP_INIT',
      '2 22 0 END',
    ]);
  });

  it.each([
    ['05 00000000 00000001 00000024 01', 'ASYNC_INPUT key a down'],
    ['05 00000000 00000000 000000000000001e 00', 'ASYNC_INPUT key number 30 up'],
    ['05 00000001 00000001 01', 'ASYNC_INPUT btn middle down'],
    ['05 00000002 00000001 fffffffffffffffb', 'ASYNC_INPUT rel y -5'],
    ['05 00000003 00000000 0000000000004000', 'ASYNC_INPUT abs x 16384'],
    ['05 00000004 00000001 0000000000000002 0000000000000003 00000001 0000000000000004', 'ASYNC_INPUT mtt update slot 2 id 3 y 4'],
    ['05 00000009', 'ASYNC_INPUT unknown kind 9'],
    ['06', 'ASYNC_INPUT_SYNC'],
    ['07 00 00000001 48', 'ASYNC_CHAR_READ 0 "H"'],
    ['07 01 00000004 1b5d2241', 'ASYNC_CHAR_READ 1 "\\x1b]\\x22A"'],
    ['03 0000000000184fa8', 'ASYNC_BH 1593256'],
    ['04 0000000000184fa8', 'ASYNC_BH_ONESHOT 1593256'],
    ['08 0000000000000001', 'ASYNC_BLOCK 1'],
    ['09 00 00000000 00000003 fffefd', 'ASYNC_NET 0 flags 0 3 bytes fffefd'],
    ['16 00000001 00000001', 'CHAR_WRITE (1, 1)'],
    ['16 ffffffff 00000000', 'CHAR_WRITE (-1, 0)'],
    ['17 00000002 6f6b', 'CHAR_READ_ALL "ok"'],
    ['18 fffffff5', 'CHAR_READ_ALL_ERROR -11'],
    ['19 00000000000003ff', 'AUDIO_OUT 1023'],
    [`1a 0000000000000001 0000000000000007 ${'ab'.repeat(16)}`, 'AUDIO_IN 1 recorded, write position 7'],
    ['1a 0000000000000400 0000000000000007', 'AUDIO_IN 1024 recorded, write position 7'],
    ['1b 00000000 00000004 1e372bf3', 'RANDOM (0, 1e372bf3)'],
    ['0c', 'SHUTDOWN host-qmp-quit'],
    ['0e', 'SHUTDOWN host-signal'],
    ['14', 'SHUTDOWN snapshot-load'],
    ['1d ffffffffffffffff', 'CLOCK_VIRTUAL_RT -1'],
  ])('%s is %s', (hex, line) => {
    expect(argumentsOf(hex)).toEqual([line]);
  });

  it('AUDIO_IN of 1024 frames has samples when what follows can be that', () => {
    const line = 'AUDIO_IN 1024 recorded, write position 7';
    const samples = 'ffffffffabababab'.repeat(2048);
    expect(argumentsOf(`1a 0000000000000400 0000000000000007 ${samples} 0e`)).toEqual([line, 'SHUTDOWN host-signal']);
    const events = '00 00000005 01'.repeat(4000);
    expect(argumentsOf(`1a 0000000000000400 0000000000000007 ${events}`).slice(0, 3)).toEqual([line, 'INSTRUCTION 5', 'INTERRUPT']);
  });

  it('of generation A: the same key, drained at CLOCK_HOST and at WARP_ACCOUNT', () => {
    const key = '00000000 00000001 00000024 01';
    expect(linesOf(cursorOf(logOf(0xe0200a, `${CLOCK_A} 03 05 02 ${key} 03 01 02 ${key} 03 01 03 20`)))).toEqual([
      '0 12 0 CLOCK_HOST 1795227083352071000',
      '1 21 0 ASYNC_INPUT key a down at CP_CLOCK_HOST',
      '2 37 0 ASYNC_INPUT key a down at CP_WARP_ACCOUNT',
      '3 53 0 ASYNC_INPUT_SYNC at CP_WARP_ACCOUNT',
      '4 56 0 END',
    ]);
  });

  it('names key codes by their number', () => {
    const known = {
      unmapped: 0,
      esc: 8,
      0: 18,
      q: 23,
      ret: 35,
      spc: 60,
      f1: 62,
      sysrq: 80,
      kp_0: 81,
      f11: 92,
      print: 94,
      delete: 104,
      pause: 120,
      power: 129,
    };
    for (const [name, number] of Object.entries(known)) expect(QCODE_NAMES[number], name).toBe(name);
    expect([QCODE_NAMES[147], QCODE_NAMES[149], QCODE_NAMES[161], QCODE_NAMES.length]).toEqual(['ac_bookmarks', 'lang2', 'f24', 162]);
  });
});

describe('the numbers of 7.1, which share their version with 7.2', () => {
  it('are recognised and read one lower from RANDOM on', () => {
    const c = cursorOf(logOf(0xe0200c, '1b 18e9ed85525c5b58 24 00 00000005 15 00000001 00000001 1c 0000000000000007 13 26'));
    expect(c.numbering.release).toBe('7.1');
    expect(linesOf(c)).toEqual([
      '0 12 0 CLOCK_HOST 1795227083352071000',
      '1 21 0 CP_INIT',
      '2 22 5 INSTRUCTION 5',
      '3 27 5 CHAR_WRITE (1, 1)',
      '4 36 5 CLOCK_VIRTUAL_RT 7',
      '5 45 5 SHUTDOWN subsystem-reset',
      '6 46 5 END',
    ]);
  });
});

describe('older releases', () => {
  it('have 4-byte audio counters before 4.2', () => {
    const c = cursorOf(logOf(0xe02007, `14 0000000000000001 12 000003ff 13 00000001 00000002 ${'00'.repeat(16)} 1f`));
    expect(c.numbering.release).toBe('4.0 and 4.1');
    expect(linesOf(c).map((l) => l.split(' ').slice(3).join(' '))).toEqual([
      'CLOCK_HOST 1',
      'AUDIO_OUT 1023',
      'AUDIO_IN 1 recorded, write position 2',
      'END',
    ]);
  });

  it('have one warp checkpoint and no shutdown cause in 2.5', () => {
    const c = cursorOf(logOf(0xe02002, '05 0000000000000001 07 0d 03 00 01 00000001 00000000 01 04 0f'));
    expect(linesOf(c).map((l) => l.split(' ').slice(3).join(' '))).toEqual([
      'CLOCK_HOST 1',
      'CP_CLOCK_WARP',
      'CP_INIT',
      'ASYNC_INPUT btn left down at CP_CLOCK_WARP',
      'SHUTDOWN unspecified',
      'END',
    ]);
  });
});

describe('the cursor', () => {
  it('counts instructions over consecutive INSTRUCTION events', () => {
    const c = cursorOf(logOf(0xe0200c, `${CLOCK} 00 7fffffff 00 7fffffff 01 27`));
    while (c.kind !== EventKind.INTERRUPT) c.next();
    expect(c.icount).toBe(2 * 0x7fffffff);
    expect([c.index, c.offset]).toEqual([3, 31]);
  });

  it('gives 64-bit values as two halves', () => {
    const c = cursorOf(logOf(0xe0200c, `${CLOCK} 27`));
    c.next();
    expect([c.hi >>> 0, c.lo >>> 0]).toEqual([0x18e9ed85, 0x525c5b58]);
  });

  it('reads arrays longer than its buffer, and passes over them unread', () => {
    const bytes = new Uint8Array(1_000_000).map((_, i) => i * 7);
    const net = `09 00 00000000 000f4240 ${Buffer.from(bytes).toString('hex')}`;
    const log = logOf(0xe0200c, `${CLOCK} ${net} 00 00000003 ${net} 27`);
    const c = cursorOf(log);
    c.next();
    c.next();
    expect(c.kind).toBe(EventKind.NET);
    c.next();
    expect([c.kind, c.count, c.offset]).toEqual([EventKind.INSTRUCTION, 3, 12 + 9 + 1_000_010]);
    c.next();
    const e = decodeEvent(c);
    expect(e.kind === 'async' && e.event.kind === 'net' && Buffer.from(e.event.bytes).equals(Buffer.from(bytes))).toBe(true);
    c.next();
    expect([c.kind, c.next(), c.next()]).toEqual([EventKind.END, false, false]);
  });

  it('reads an unfinished log up to its last whole event', () => {
    const whole = recording('t1');
    whole.fill(0, 0, 4);
    const half = whole.subarray(0, 155);
    const stat = statLog(cursorOf(half));
    expect(stat).toMatchObject({
      version: '0x000000',
      release: '7.2 and later',
      events: 21,
      complete: false,
      endsWithEnd: false,
      cutOffBytes: 2,
    });
    expect(statLog(cursorOf(whole))).toMatchObject({ events: 142, complete: false, endsWithEnd: true });
    expect(statLog(cursorOf(whole.subarray(0, 12)))).toMatchObject({ events: 0, instructions: 0, complete: false });
  });

  it('refuses what is no event: zero instructions, reserved ids, bytes behind END', () => {
    const read = (hex: string) => () => eventsOf(hex);
    expect(read('00 00000000')).toThrow(/INSTRUCTION counts 0, at byte 21 \(event 1\)/);
    expect(read('00 80000000')).toThrow(/INSTRUCTION counts/);
    expect(read('15')).toThrow(/unknown event id 21, at byte 21/);
    expect(read('28')).toThrow(/unknown event id 40/);
    expect(read('27')).toThrow(/1 bytes behind END/);
    expect(read('05 00000000 00000002')).toThrow(/key of form 2/);
    expect(() => linesOf(cursorOf(logOf(0xe0200a, `${CLOCK_A} 03 09 02 20`)))).toThrow(/unknown checkpoint 9/);
    expect(() => linesOf(cursorOf(logOf(0xe0200a, `${CLOCK_A} 03 01 07 20`)))).toThrow(/unknown kind 7/);
  });

  it('says where a finished log ends too early', () => {
    expect(() => linesOf(cursorOf(logOf(0xe0200c, `${CLOCK} 00 00000005`)))).toThrow(
      /ends at byte 26, without END \(whole up to event 1, instruction 5\)/,
    );
    expect(() => linesOf(cursorOf(logOf(0xe0200c, `${CLOCK} 09 00 00000000 ffffffff`)))).toThrow(/within the event that begins at byte 21/);
    expect(() => cursorOf(new Uint8Array(5))).toThrow(/5 bytes, a header has 12/);
  });
});
