// Oracle: QEMU run (7.2.22 and 5.2.0): recordings kept in test/recordings, and fresh ones of the installed QEMU.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECORDINGS, summary, temporaryFolder } from '../cli.js';
import { PATIENCE_MS, requireTool } from '../tools.js';

const MACHINE = ['--cpu', 'max', '--memory', '16M', '--nodefaults', '--debugcon', 'null,iobase=0xe9', '--no-reboot'];
/** By then t2 has long come to where it sleeps. */
const SLEEPING_MS = 5_000;
const INSTRUCTIONS = { t1: 238, t2: 1642, t3: 4721 } as const;
const GUESTS = Object.keys(INSTRUCTIONS) as (keyof typeof INSTRUCTIONS)[];
const MODES = ['off', 'on', 'force'] as const;

function replay(log: string, guest: string, shift: number, jit: string) {
  return summary('replay', log, ...MACHINE, '--bios', join(RECORDINGS, `${guest}.bin`), '--icount', `shift=${shift}`, '--jit', jit);
}

describe('recordings made by QEMU replay to END', () => {
  for (const guest of GUESTS)
    for (const release of ['', '-52'])
      it(`${guest}${release}.rr reaches its last instruction with the same digest in every JIT mode`, () => {
        const runs = MODES.map((jit) => replay(join(RECORDINGS, `${guest}${release}.rr`), guest, 7, jit));
        for (const run of runs) {
          expect(run.divergence).toBeNull();
          expect(run.status).toBe(0);
          expect(run.icount).toBe(INSTRUCTIONS[guest]);
          expect(run.digest).toBe(runs[0]!.digest);
        }
      });
});

describe('t4, which waits for keys, mouse, characters and monitor commands', () => {
  const machine = ['--cpu', 'qemu32,-apic', '--memory', '16M', '--nodefaults', '--no-reboot', '--serial', 'null', '--icount', 'shift=7'];
  const devices = ['--device', 'piix3-usb-uhci', '--device', 'usb-tablet', '--bios', join(RECORDINGS, 't4.bin')];
  for (const [log, icount] of [
    ['t4.rr', 976],
    ['t4-52.rr', 994],
  ] as const)
    it(`${log} replays through its system_reset to END`, () => {
      const runs = MODES.map((jit) => summary('replay', join(RECORDINGS, log), ...machine, ...devices, '--jit', jit));
      for (const run of runs) {
        expect(run.divergence).toBeNull();
        expect([run.icount, run.stop, run.shutdownCause]).toEqual([icount, 'shutdown', 'host-qmp-quit']);
        expect(run.digest).toBe(runs[0]!.digest);
      }
    });
});

describe('t6, which polls its keyboard controller while keys and motion come in', () => {
  const machine = ['--cpu', 'qemu32,-apic', '--memory', '16M', '--nodefaults', '--no-reboot', '--icount', 'shift=7'];
  const guest = ['--bios', join(RECORDINGS, 't6.bin'), '--debugcon', 'null,iobase=0xe9'];
  for (const [log, icount] of [
    ['t6.rr', 3_428_370],
    ['t6-52.rr', 2_501_231],
  ] as const)
    it(`${log} finds the controller that made it, and replays to END`, () => {
      for (const jit of MODES) {
        const run = summary('replay', join(RECORDINGS, log), ...machine, ...guest, '--jit', jit);
        expect([jit, run.divergence, run.icount, run.stop]).toEqual([jit, null, icount, 'reset']);
      }
    });
});

const folder = temporaryFolder();

/** Records a ROM with QEMU; t1 and t3 end the run by themselves, t2 sleeps for ever and is ended. */
function record(guest: string, shift: number): Promise<string> {
  const log = join(folder, `${guest}-${shift}.rr`);
  const args = [
    ...[
      '-M',
      'pc',
      '-cpu',
      'max',
      '-m',
      '16',
      '-display',
      'none',
      '-net',
      'none',
      '-nodefaults',
      '-bios',
      join(RECORDINGS, `${guest}.bin`),
    ],
    ...['-debugcon', 'null', '-no-reboot', '-icount', `shift=${shift},rr=record,rrfile=${log}`],
  ];
  return new Promise((resolve, reject) => {
    const qemu = spawn('qemu-system-i386', args, { stdio: 'ignore', timeout: guest === 't2' ? SLEEPING_MS : PATIENCE_MS });
    qemu.once('error', reject);
    qemu.once('exit', (code) => (code === 0 ? resolve(log) : reject(new Error(`QEMU ended with ${code}`))));
  });
}

describe.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('fresh recordings of the installed QEMU replay to END', () => {
  for (const shift of [0, 3, 10])
    for (const guest of GUESTS)
      it(`${guest} at shift=${shift}`, async () => {
        const log = await record(guest, shift);
        const runs = MODES.map((jit) => replay(log, guest, shift, jit));
        for (const run of runs) {
          expect(run.divergence).toBeNull();
          expect(run.digest).toBe(runs[0]!.digest);
        }
      });
});
