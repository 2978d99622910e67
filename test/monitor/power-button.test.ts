// Oracle: QEMU run (7.2.22): the events of a guest that switches itself off when it is told to; self-consistency (its replay).
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { palindrome, summary, temporaryFolder } from '../cli.js';
import { QEMU_PC, writeRom } from '../machines.js';
import { requireTool } from '../tools.js';
import { QmpProgram } from './qmp-program.js';

/** power-button.asm assembled (nasm -f bin, in the repository's folder). */
const CODE =
  'McCO2I7QvABwxwbEAXsAjA7GAWa5UAPg/mZnxwEABwAAuvgMZrhACwCAZu+6/AxmuAEGAABm77r4DGa4gAsAgGbvuvwMsAHusBHmIOagsAjmIbBw5qGwBOYhsALmobAB5iHm' +
  'obD75iGw/eahsPHmsroCBrgAAe/79Ov9ugAG7akAAXQI77oEBrgAIO+wIOag5iDP';

const folder = temporaryFolder();
const bios = writeRom(join(folder, 'power-button.rom'), CODE);
const MACHINE = [...QEMU_PC, '-m', '8', '-nodefaults', '-bios', bios];

/** Lets it sleep, presses the button, and gives what was told until it is off. */
async function switchOff(program: QmpProgram): Promise<unknown> {
  await program.start();
  while (!/HLT=1/.test(await program.human('info registers'))) await sleep(10);
  expect(await program.qmp('system_powerdown')).toEqual({});
  const code = await program.end();
  return { code, events: program.events.filter(({ event }) => !/STOP|RESUME/.test(event)).map(({ event, data }) => ({ event, data })) };
}

const OFF = {
  code: 0,
  events: [
    { event: 'POWERDOWN', data: undefined },
    { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } },
  ],
};

it('system_powerdown switches a guest off that listens to it: recorded, and replayed to the same digest', async () => {
  const log = join(folder, 'off.rr');
  expect(await switchOff(QmpProgram.ours(...MACHINE, '-icount', `shift=3,rr=record,rrfile=${log}`))).toEqual(OFF);
  // As QEMU's logs: why it went off, then that the program ended.
  const { stdout } = palindrome('log', 'stat', log, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ endsWithEnd: true, kinds: { SHUTDOWN: 2, END: 1 } });
  for (const jit of ['off', 'on', 'force'])
    expect(summary('replay', log, '--jit', jit)).toMatchObject({
      status: 0,
      stop: 'shutdown',
      shutdownCause: 'guest-shutdown',
      divergence: null,
    });
});

it.skipIf(!requireTool('qemu-system-i386', 'qemu-system-x86'))('it goes off as in QEMU', async () => {
  expect(await switchOff(QmpProgram.qemu(...MACHINE))).toEqual(OFF);
});
