// Oracle: QEMU run (7.2.22): what -no-reboot makes of system_reset, with and without -no-shutdown, and what a signal is told as.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../cli.js';
import { QEMU_PC, writeRom } from '../machines.js';
import { requireTool } from '../tools.js';
import { QmpProgram } from './qmp-program.js';

/** `jmp $`. */
const ENDLESS = Buffer.of(0xeb, 0xfe).toString('base64');
const bios = writeRom(join(temporaryFolder(), 'endless.rom'), ENDLESS);
const MACHINE = [...QEMU_PC, '-m', '8', '-nodefaults', '-bios', bios, '-no-reboot', '-icount', 'shift=3', '-S'];

const SHUTDOWN = { event: 'SHUTDOWN', data: { guest: false, reason: 'host-qmp-system-reset' } };
const QUIT = { event: 'SHUTDOWN', data: { guest: false, reason: 'host-qmp-quit' } };
const RESUME = { event: 'RESUME' };
const STOP = { event: 'STOP' };
const REFUSED = { error: { class: 'GenericError', desc: 'Resetting the Virtual Machine is required' } };

const told = ({ events }: QmpProgram): object[] => events.map(({ event, data }) => (data === undefined ? { event } : { event, data }));

async function start(program: QmpProgram, runs: boolean): Promise<QmpProgram> {
  await program.start();
  if (runs) await program.qmp('cont');
  return program;
}

/** The program ends with the machine; gives its exit code and its events. */
async function ending(program: QmpProgram, runs: boolean, end: (p: QmpProgram) => unknown): Promise<unknown[]> {
  const p = await start(program, runs);
  await end(p);
  return [await p.end(), ...told(p)];
}

/** The program stays; gives how the machine is after each of two resets, what `cont` says to that, and the events. */
async function staying(program: QmpProgram, runs: boolean): Promise<unknown[]> {
  const p = await start(program, runs);
  const all: unknown[] = [];
  for (const times of [1, 2]) {
    await p.qmp('system_reset');
    await p.event('SHUTDOWN', times);
    all.push(((await p.qmp('query-status')) as { status: string }).status, await p.ask({ execute: 'cont' }));
  }
  return [...all, await p.quit(), ...told(p)];
}

const judges: [string, (...args: string[]) => QmpProgram][] = [
  ['palindrome-system-i386', QmpProgram.ours],
  ...(requireTool('qemu-system-i386', 'qemu-system-x86') ? [['QEMU', QmpProgram.qemu] as [string, typeof QmpProgram.qemu]] : []),
];

describe.each(judges)('with -no-reboot, %s', (_, program) => {
  it('ends by system_reset, whether the machine runs or stands still, and says who asked', async () => {
    const reset = (p: QmpProgram): unknown => p.qmp('system_reset');
    expect(await ending(program(...MACHINE), true, reset)).toEqual([0, RESUME, SHUTDOWN]);
    expect(await ending(program(...MACHINE), false, reset)).toEqual([0, SHUTDOWN]);
  });

  it('and -no-shutdown stays: a machine that ran is shut down, one that stood still may run on', async () => {
    const args = [...MACHINE, '-no-shutdown'];
    expect(await staying(program(...args), true)).toEqual([
      'shutdown',
      REFUSED,
      'shutdown',
      REFUSED,
      0,
      RESUME,
      SHUTDOWN,
      STOP,
      SHUTDOWN,
      QUIT,
    ]);
    expect(await staying(program(...args), false)).toEqual([
      'prelaunch',
      { return: {} },
      'shutdown',
      REFUSED,
      0,
      SHUTDOWN,
      RESUME,
      SHUTDOWN,
      STOP,
      QUIT,
    ]);
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('says before it ends that it was sent %s', async (signal) => {
    const sent = (p: QmpProgram): void => p.kill(signal);
    const host = { event: 'SHUTDOWN', data: { guest: false, reason: 'host-signal' } };
    expect(await ending(program(...MACHINE), true, sent)).toEqual([0, RESUME, host]);
  });
});
