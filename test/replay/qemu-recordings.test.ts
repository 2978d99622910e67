// Oracle: QEMU run (7.2.22 and 5.2.0): recordings kept in test/recordings, and fresh ones of the installed QEMU.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { configure } from '../../src/machine/config.js';
import { RECORDINGS, summary, temporaryFolder } from '../cli.js';
import { Replaying } from '../machine/replaying.js';
import { qemuRecordedOptions, type RecordedGuest, recordedMachine, recordedOptions } from '../machines.js';
import { QmpProgram } from '../monitor/qmp-program.js';
import { endWithTest } from '../processes.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const INSTRUCTIONS = { t1: 238, t2: 1642, t3: 4721 } as const;
const GUESTS = Object.keys(INSTRUCTIONS) as (keyof typeof INSTRUCTIONS)[];

interface End {
  readonly jit: string;
  readonly icount: number;
  readonly events: number;
  readonly digest: string;
  readonly stop: string;
  readonly shutdownCause: string | null;
}

/** How the replay ends: by the program, and in this thread with the JIT off and forced. A divergence is an error. */
function ends(log: string, guest: RecordedGuest, shift = 7): End[] {
  const { status, divergence, icount, events, digest, stop, shutdownCause } = summary('replay', log, ...recordedOptions(guest, shift));
  expect({ status, divergence }).toEqual({ status: 0, divergence: null });
  const config = configure({ ...recordedMachine(guest), icount: `shift=${shift}` });
  const here = (['off', 'force'] as const).map((jit) => {
    const replaying = new Replaying({ log, config, strict: false }, jit);
    const end = { jit, ...replaying.run(null), digest: replaying.digest().total };
    replaying.close();
    return end;
  });
  return [{ jit: 'on', icount, events, digest, stop, shutdownCause }, ...here];
}

/** They all end alike; gives how. */
function oneEnd(log: string, guest: RecordedGuest, shift?: number): End {
  const [first, ...others] = ends(log, guest, shift);
  for (const other of others) expect(other).toEqual({ ...first, jit: other.jit });
  return first!;
}

describe('recordings made by QEMU replay to END', () => {
  for (const guest of GUESTS)
    for (const release of ['', '-52'])
      it(`${guest}${release}.rr reaches its last instruction with the same digest in every JIT mode`, () => {
        expect(oneEnd(join(RECORDINGS, `${guest}${release}.rr`), guest).icount).toBe(INSTRUCTIONS[guest]);
      });
});

describe('t4, which waits for keys, mouse, characters and monitor commands', () => {
  for (const [log, icount] of [
    ['t4.rr', 976],
    ['t4-52.rr', 994],
  ] as const)
    it(`${log} replays through its system_reset to END`, () => {
      expect(oneEnd(join(RECORDINGS, log), 't4')).toMatchObject({ icount, stop: 'shutdown', shutdownCause: 'host-qmp-quit' });
    });
});

describe('t6, which polls its keyboard controller while keys and motion come in', () => {
  for (const [log, icount] of [
    ['t6.rr', 3_428_370],
    ['t6-52.rr', 2_501_231],
  ] as const)
    it(`${log} finds the controller that made it, and replays to END`, () => {
      expect(oneEnd(join(RECORDINGS, log), 't6')).toMatchObject({ icount, stop: 'reset' });
    });
});

const folder = temporaryFolder();

/** Records a ROM with QEMU; t1 and t3 end the run by themselves, t2 sleeps for ever and is ended. */
async function record(guest: RecordedGuest, shift: number): Promise<string> {
  const log = join(folder, `${guest}-${shift}.rr`);
  const args = [...qemuRecordedOptions(guest), '-debugcon', 'null', '-icount', `shift=${shift},rr=record,rrfile=${log}`];
  if (guest === 't2') {
    const qemu = await QmpProgram.qemu(...args).start();
    while (!/HLT=1/.test(await qemu.human('info registers'))) await sleep(20);
    expect(await qemu.quit()).toBe(0);
    return log;
  }
  const qemu = endWithTest(spawn('qemu-system-i386', args, { stdio: 'ignore', timeout: PATIENCE_MS }));
  expect(await once(qemu, 'exit')).toEqual([0, null]);
  return log;
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('fresh recordings of the installed QEMU replay to END', () => {
  for (const shift of [0, 3, 10])
    for (const guest of GUESTS)
      it(`${guest} at shift=${shift}`, async () => {
        oneEnd(await record(guest, shift), guest, shift);
      });
});
