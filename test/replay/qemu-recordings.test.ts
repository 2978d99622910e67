// Oracle: QEMU run (7.2.22 and 5.2.0): recordings kept in test/recordings, and fresh ones of the installed QEMU.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/machine/config.js';
import { RECORDINGS, summary, temporaryFolder } from '../cli.js';
import { Replaying } from '../machine/replaying.js';
import { qemuRecordedOptions, type RecordedGuest, recordedMachine, recordedOptions } from '../machines.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

/** By then t2 has long come to where it sleeps. */
const SLEEPING_MS = 5_000;
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
function record(guest: RecordedGuest, shift: number): Promise<string> {
  const log = join(folder, `${guest}-${shift}.rr`);
  const args = [...qemuRecordedOptions(guest), '-debugcon', 'null', '-icount', `shift=${shift},rr=record,rrfile=${log}`];
  return new Promise((resolve, reject) => {
    const qemu = spawn('qemu-system-i386', args, { stdio: 'ignore', timeout: guest === 't2' ? SLEEPING_MS : PATIENCE_MS });
    qemu.once('error', reject);
    qemu.once('exit', (code) => (code === 0 ? resolve(log) : reject(new Error(`QEMU ended with ${code}`))));
  });
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('fresh recordings of the installed QEMU replay to END', () => {
  const SHIFTS = [0, 3, 10];
  const sleeping = new Map<number, Promise<string>>();
  beforeAll(() => {
    for (const shift of SHIFTS) sleeping.set(shift, record('t2', shift));
  });
  // t2 last: meanwhile it comes to where it sleeps.
  for (const shift of SHIFTS)
    for (const guest of ['t1', 't3', 't2'] as const)
      it(`${guest} at shift=${shift}`, async () => {
        oneEnd(await (guest === 't2' ? sleeping.get(shift)! : record(guest, shift)), guest, shift);
      });
});
