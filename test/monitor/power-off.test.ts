// Oracle: QEMU run (7.2.22): what is told of a guest that was switched off, and is reset; QEMU's recording of it; self-consistency (replays of ours).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { summary, temporaryFolder } from '../cli.js';
import { QEMU_PC, writeRom } from '../machines.js';
import { requireTool } from '../tools.js';
import { QmpProgram } from './qmp-program.js';

/** power-off.asm assembled (nasm -f bin). */
const CODE = 'McCO2P8GAAWDPgAFAnQwuvgMZrhACwCAZu+6/AxmuAEGAABm77r4DGa4gAsAgGbvuvwMsAHuugQGuAAg7+v+9Ov9';
/** Instructions until it sleeps. */
const ALL = 28;

const folder = temporaryFolder();
const bios = writeRom(join(folder, 'power-off.rom'), CODE);
const MACHINE = [...QEMU_PC, '-m', '8', '-nodefaults', '-bios', bios, '-no-shutdown', '-S'];

const recording = (log: string): string[] => ['-icount', `shift=3,rr=record,rrfile=${log}`];

async function asleep(p: QmpProgram): Promise<string> {
  for (;;) {
    const registers = await p.human('info registers');
    if (/HLT=1/.test(registers)) return `${/EIP=\w+/.exec(registers)} ${await p.human('xp /1xh 0x500')}`;
    await sleep(10);
  }
}

/** @param beforeQuit called when it sleeps */
async function told(program: QmpProgram, beforeQuit: (p: QmpProgram) => Promise<void> = async () => {}): Promise<unknown[]> {
  const p = await program.start();
  const all: unknown[] = [];
  await p.qmp('cont');
  await p.event('STOP');
  all.push(await p.qmp('query-status'), await p.ask({ execute: 'cont' }));
  await p.qmp('system_reset');
  await p.event('RESET');
  all.push(await p.qmp('query-status'));
  await p.qmp('cont');
  await p.event('RESUME', 2);
  all.push(await asleep(p), await p.qmp('query-status'));
  all.push(p.events.map(({ event, data }) => ({ event, data })));
  await beforeQuit(p);
  return [...all, await p.quit()];
}

const AS_QEMU = [
  { status: 'shutdown', singlestep: false, running: false },
  { error: { class: 'GenericError', desc: 'Resetting the Virtual Machine is required' } },
  { status: 'prelaunch', singlestep: false, running: false },
  'EIP=00000040 0000000000000500: 0x0002\r\n',
  { status: 'running', singlestep: false, running: true },
  [
    { event: 'RESUME', data: undefined },
    { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } },
    { event: 'STOP', data: undefined },
    { event: 'RESET', data: { guest: false, reason: 'host-qmp-system-reset' } },
    { event: 'RESUME', data: undefined },
  ],
  0,
];

describe('a guest that was switched off', () => {
  it('starts again after a reset', async () => {
    expect(await told(QmpProgram.ours(...MACHINE))).toEqual(AS_QEMU);
  });

  it('and started again is recorded to its end, and replays', async () => {
    const log = join(folder, 'ours.rr');
    expect(await told(QmpProgram.ours(...MACHINE, ...recording(log)))).toEqual(AS_QEMU);
    const replays = ['off', 'on', 'force'].map((jit) => summary('replay', log, '--jit', jit));
    for (const { digest, ...found } of replays) {
      expect(found).toMatchObject({ status: 0, stop: 'end-of-log', icount: ALL, shutdownCause: 'host-signal', divergence: null });
      expect(digest).toBe(replays[0]!.digest);
    }
  });

  it.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('does as in QEMU, whose recording replays here', async () => {
    const log = join(folder, 'qemu.rr');
    writeFileSync(log, '');
    // QEMU switches off when its main loop gets to it; the guest goes round in `jmp $` until then, on a busy host millions of times.
    let recorded = 0;
    const count = async (p: QmpProgram): Promise<void> => {
      recorded = ((await p.qmp('query-replay')) as { icount: number }).icount;
    };
    expect(await told(QmpProgram.qemu(...MACHINE, ...recording(log)), count)).toEqual(AS_QEMU);
    expect(recorded).toBeGreaterThanOrEqual(ALL);
    const replay = QmpProgram.ours(...MACHINE, '-icount', `shift=3,rr=replay,rrfile=${log}`);
    await replay.start();
    await replay.qmp('cont');
    expect(await asleep(replay)).toBe(AS_QEMU[3]);
    await replay.event('STOP');
    expect(await replay.qmp('query-replay')).toMatchObject({ mode: 'play', icount: recorded });
  });
});
