// Oracle: QEMU sources 5.2.0 and 7.2.22, as the log format's sections 4.4 and 4.5 describe where queued events stand; its recordings
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { convertLog } from '../../replay/log/convert.js';
import { decodeEvent } from '../../replay/log/events.js';
import { statLog } from '../../replay/log/stat.js';
import type { LogFormat } from '../../replay/log/tables.js';
import { eventLine } from '../../replay/log/text.js';
import { qemuRecordedOptions } from '../machines.js';
import { PATIENCE_MS, requireTool } from '../tools.js';
import { parseIndependently } from './independent-parser.js';
import { cursorOf, logOf, recording, recordingPath } from './recordings.js';

const dir = mkdtempSync(join(tmpdir(), 'palindrome-convert-'));
afterAll(() => rmSync(dir, { recursive: true }));

const A = 0xe0200a;
const B = 0xe0200c;
const HOST_A = '15 0000000000000001';
const HOST_B = '1c 0000000000000001';

/** Converts event bytes and gives the result's events (without index and offset), or the refusal. */
function convert(version: number, hex: string, format: LogFormat): string[] {
  const [from, to] = [join(dir, 'in.rr'), join(dir, 'out.rr')];
  writeFileSync(from, logOf(version, hex));
  rmSync(to, { force: true });
  convertLog(from, to, format);
  return listing(readFileSync(to));
}

function listing(bytes: Uint8Array): string[] {
  const c = cursorOf(bytes);
  const lines: string[] = [];
  while (c.next()) lines.push(eventLine(c, decodeEvent(c)).replace(/^\d+ \d+ /, ''));
  return lines;
}

describe('queued events', () => {
  it('move from behind CP_WARP_ACCOUNT to before it, with what their handlers logged', () => {
    // CP1, input, host clock read by its handler, sync, then the warp account's virtual_rt, interrupt
    const hex = `${HOST_A} 00 00000007 18 03 01 02 00000001 00000000 01 ${HOST_A} 03 01 03 16 0000000000000002 01 0a 20`;
    expect(convert(A, hex, '7.2')).toEqual([
      '0 CLOCK_HOST 1',
      '7 INSTRUCTION 7',
      '7 ASYNC_INPUT btn left down',
      '7 CLOCK_HOST 1',
      '7 ASYNC_INPUT_SYNC',
      '7 CP_WARP_ACCOUNT',
      '7 CLOCK_VIRTUAL_RT 2',
      '7 INTERRUPT',
      '7 SHUTDOWN guest-shutdown',
      '7 END',
    ]);
  });

  it('move back behind CP_WARP_ACCOUNT', () => {
    const hex = `${HOST_B} 00 00000007 05 00000001 00000000 01 ${HOST_B} 06 1f 1d 0000000000000002 01 27`;
    expect(convert(B, hex, '5.2')).toEqual([
      '0 CLOCK_HOST 1',
      '7 INSTRUCTION 7',
      '7 CP_WARP_ACCOUNT',
      '7 ASYNC_INPUT btn left down at CP_WARP_ACCOUNT',
      '7 CLOCK_HOST 1',
      '7 ASYNC_INPUT_SYNC at CP_WARP_ACCOUNT',
      '7 CLOCK_VIRTUAL_RT 2',
      '7 INTERRUPT',
      '7 END',
    ]);
  });

  it("that the main loop delivered move to the CPU's turn when it follows at once", () => {
    const time = '16 0000000000000002';
    const hex = `18 00 00000007 1c 03 05 03 ${HOST_A} 1d 03 06 02 00000001 00000000 01 ${time} 17 ${time} 18 03 01 03 ${time} 01 20`;
    expect(convert(A, hex, '7.2')).toEqual([
      '0 CP_WARP_ACCOUNT',
      '7 INSTRUCTION 7',
      '7 CP_CLOCK_HOST',
      '7 CLOCK_HOST 1',
      '7 CP_CLOCK_VIRTUAL_RT',
      '7 CLOCK_VIRTUAL_RT 2',
      '7 CP_WARP_START',
      '7 CLOCK_VIRTUAL_RT 2',
      '7 ASYNC_INPUT_SYNC',
      '7 ASYNC_INPUT btn left down',
      '7 ASYNC_INPUT_SYNC',
      '7 CP_WARP_ACCOUNT',
      '7 CLOCK_VIRTUAL_RT 2',
      '7 INTERRUPT',
      '7 END',
    ]);
    const chars = `18 1c 03 05 04 00 00000001 41 ${HOST_A} 1c ${HOST_A} 18 18 20`;
    expect(convert(A, chars, '7.2').slice(4)).toEqual([
      '0 CLOCK_HOST 1',
      '0 ASYNC_CHAR_READ 0 "A"',
      '0 CP_WARP_ACCOUNT',
      '0 CP_WARP_ACCOUNT',
      '0 END',
    ]);
  });

  it('leave a checkpoint that drained nothing where it is', () => {
    const hex = `${HOST_A} 18 ${HOST_A} 00 00000003 18 18 00 00000004 02 20`;
    expect(convert(A, hex, '7.2')).toEqual([
      '0 CLOCK_HOST 1',
      '0 CP_WARP_ACCOUNT',
      '0 CLOCK_HOST 1',
      '3 INSTRUCTION 3',
      '3 CP_WARP_ACCOUNT',
      '3 CP_WARP_ACCOUNT',
      '7 INSTRUCTION 4',
      '7 EXCEPTION',
      '7 END',
    ]);
  });

  it.each([
    [
      'drained at a reset',
      A,
      `${HOST_A} 19 03 02 03 18 20`,
      '7.2',
      /event 2 \(ASYNC_INPUT_SYNC, at byte 22, instruction 0\).*drained at CP_RESET_REQUESTED/,
    ],
    [
      'completed in the main loop',
      A,
      `${HOST_A} 1c 03 05 05 0000000000000001 18 20`,
      '7.2',
      /event 2 \(ASYNC_BLOCK.*cannot wait for the CPU's turn/,
    ],
    ['with characters where time passes', A, `${HOST_A} 1d 03 06 04 00 00000001 41 16 0000000000000001 18 20`, '7.2', /looks at the time/],
    [
      'with characters before time passes',
      A,
      `${HOST_A} 1c 03 05 04 00 00000001 41 1d 16 0000000000000001 18 20`,
      '7.2',
      /event 3 \(CP_CLOCK_VIRTUAL_RT.*comes between/,
    ],
    [
      'from the main loop before more instructions',
      A,
      `${HOST_A} 1c 03 05 03 00 00000001 18 20`,
      '7.2',
      /event 3 \(INSTRUCTION.*comes between/,
    ],
    ['from the main loop before an interrupt', A, `${HOST_A} 1c 03 05 03 01 18 20`, '7.2', /event 3 \(INTERRUPT.*comes between/],
    ['from the main loop at the end of the log', A, `${HOST_A} 1c 03 05 03 20`, '7.2', /event 3 \(END.*comes between/],
    ['drained without their checkpoint', A, `${HOST_A} 03 01 03 20`, '7.2', /not directly behind CP_WARP_ACCOUNT/],
    ['drained behind the account', A, `${HOST_A} 18 03 01 03 16 0000000000000001 03 01 03 20`, '7.2', /not directly behind/],
    ['whose handler started a warp', A, `${HOST_A} 18 03 01 03 16 0000000000000001 16 0000000000000002 20`, '7.2', /started a warp/],
    ['never drained', B, `${HOST_B} 06 00 00000001 1f 27`, '5.2', /not followed by CP_WARP_ACCOUNT/],
    [
      'whose handler reached a checkpoint',
      B,
      `${HOST_B} 06 1e 1d 0000000000000001 1f 27`,
      '5.2',
      /event 2 \(CP_WARP_START.*stands between/,
    ],
    ['at the end of the log', B, `${HOST_B} 06 27`, '5.2', /END.*stands between/],
  ] as const)('%s are refused', (_what, version, hex, format, message) => {
    expect(() => convert(version, hex, format)).toThrow(message);
    expect(readdirSync(dir).filter((f) => f.startsWith('out.rr'))).toEqual([]);
  });
});

describe('what an older release does not know is refused', () => {
  it.each([
    ['the cause snapshot-load', '14', /snapshot-load/],
    ['key f13', '05 00000000 00000001 00000096 01 1f', /do not know this input/],
    ['a touch', '05 00000004 00000001 0000000000000002 0000000000000003 00000001 0000000000000004 1f', /do not know this input/],
  ])('%s', (_what, hex, message) => {
    expect(() => convert(B, `${HOST_B} ${hex} 27`, '5.2')).toThrow(message);
    expect(() => convert(B, `${HOST_B} ${hex} 27`, '7.2')).not.toThrow();
  });

  it('a log of QEMU 5.0, whose timers share a checkpoint', () => {
    expect(() => convert(0xe02009, `${HOST_A} 20`, '7.2')).toThrow(/0xe02009 \(QEMU 5\.0\)/);
  });
});

describe("QEMU's recordings", () => {
  it.each([
    ['t1', '5.2'],
    ['t2', '5.2'],
    ['t3', '5.2'],
    ['t4', '5.2'],
    ['t5', '5.2'],
    ['t1-52', '7.2'],
    ['t2-52', '7.2'],
    ['t3-52', '7.2'],
  ] as const)('%s becomes %s, with the same events, and back byte by byte', (name, format) => {
    const [there, back] = [join(dir, `${name}.rr`), join(dir, `${name}-back.rr`)];
    const counts = convertLog(recordingPath(name), there, format);
    const before = statLog(cursorOf(recording(name)));
    const converted = readFileSync(there);
    const after = statLog(cursorOf(converted));
    expect([after.instructions, after.kinds, after.complete]).toEqual([before.instructions, before.kinds, true]);
    expect(counts).toEqual({ eventsRead: before.events, eventsWritten: before.events, instructions: before.instructions });
    expect(parseIndependently(converted).instructions).toBe(before.instructions);
    convertLog(there, back, format === '5.2' ? '7.2' : '5.2');
    expect(readFileSync(back).equals(recording(name))).toBe(true);
  });

  it('t4 by 5.2 is refused: time passed between its characters and the turn of the CPU', () => {
    expect(() => convertLog(recordingPath('t4-52'), join(dir, 'x.rr'), '7.2')).toThrow(/CLOCK_VIRTUAL_RT.* comes between input/);
  });

  it('into the same format come out as they were', () => {
    convertLog(recordingPath('t5'), join(dir, 'same.rr'), '7.2');
    expect(readFileSync(join(dir, 'same.rr')).equals(recording('t5'))).toBe(true);
  });
});

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('a recording by 5.2 that was converted', () => {
  it.each([
    ['t1', '4142434445464748494a4b4c4d4e4f505152535455565758595a6162636465666768696a6b6c6d6e'],
    ['t3', '41424344454626 0074cb070000 47214849214a4b214c214d'],
    ['t7', '1e9e1c9c1c9ce048e0c82aaa0181e01ce09c2aaae048e0c8e11d45e19dc5e11d45e19dc51e9e1090e01ce09c018110901e9e1c9c1c9ce048e0c82aaa0181'],
  ] as const)('is replayed by QEMU 7.2 to its end, with the marks that 5.2 printed, and the keys that 5.2 got (%s)', (name, marks) => {
    const [log, printed] = [join(dir, `${name}-72.rr`), join(dir, `${name}.txt`)];
    convertLog(recordingPath(`${name}-52`), log, '7.2');
    const qemu = spawnSync(
      'qemu-system-i386',
      [...qemuRecordedOptions(name), '-debugcon', `file:${printed}`, '-icount', `shift=7,rr=replay,rrfile=${log}`],
      {
        timeout: PATIENCE_MS,
      },
    );
    expect(qemu.status).toBe(0);
    expect(readFileSync(printed).toString('hex')).toBe(marks.replaceAll(' ', ''));
  });
});

describe('the result', () => {
  it('of an unfinished log is unfinished', () => {
    const cut = recording('t1').slice(0, 400);
    cut.fill(0, 0, 4);
    writeFileSync(join(dir, 'cut.rr'), cut);
    convertLog(join(dir, 'cut.rr'), join(dir, 'cut-52.rr'), '5.2');
    const stat = statLog(cursorOf(readFileSync(join(dir, 'cut-52.rr'))));
    expect(stat).toMatchObject({ version: '0x000000', generation: 'A', complete: false, events: statLog(cursorOf(cut)).events });
  });

  it('of 7.1 numbers is in 7.2 numbers', () => {
    const hex = '1b 0000000000000001 24 15 00000001 00000001 26';
    expect(convert(B, hex, '7.2')).toEqual(['0 CLOCK_HOST 1', '0 CP_INIT', '0 CHAR_WRITE (1, 1)', '0 END']);
    expect(readFileSync(join(dir, 'out.rr')).at(-1)).toBe(39);
  });

  it('never replaces its source, nor anything when it fails', () => {
    const path = join(dir, 'own.rr');
    writeFileSync(path, recording('t4-52'));
    expect(() => convertLog(path, path, '5.2')).toThrow(/is the log that is read/);
    expect(() => convertLog(path, join(dir, '..', dir.split('/').at(-1)!, 'own.rr'), '5.2')).toThrow(/is the log that is read/);
    const other = join(dir, 'other.rr');
    writeFileSync(other, 'precious');
    expect(() => convertLog(path, other, '7.2')).toThrow(/comes between input/);
    expect(readFileSync(other, 'utf8')).toBe('precious');
    expect(readdirSync(dir).filter((f) => f.includes('.part-'))).toEqual([]);
  });
});
