// Oracle: manual ("Debugging with GDB"; QEMU's documentation of replay: replay_seek, start_debugging); a real gdb; the rest is self-consistency.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MAIN, RECORDINGS } from '../cli.js';
import { type RecordedGuest, recordedOptions } from '../machines.js';
import { SYSTEM } from '../monitor/qmp-program.js';
import { freePort, listening } from '../sockets.js';
import { requireTool } from '../tools.js';
import { GdbProgram } from './gdb-program.js';
import { ourReplay } from './gdb-script.js';

async function target(guest: RecordedGuest, ...more: string[]): Promise<number> {
  const port = await freePort();
  await listening(port, ourReplay(guest, port, ...more));
  return port;
}

async function attached(port: number): Promise<GdbProgram> {
  const gdb = new GdbProgram();
  const attach = (): Promise<string> => gdb.ask(`target remote 127.0.0.1:${port}`);
  // One that has just left may not have been missed yet.
  while ((await attach()).includes('another debugger is connected')) await sleep(50);
  return gdb;
}

describe.skipIf(!requireTool('gdb-multiarch', 'gdb-multiarch'))('a real gdb', () => {
  it('moves on from where its monitor has sent the machine, however soon it asks', async () => {
    const gdb = await attached(await target('t2'));
    expect(await gdb.ask('monitor info snapshots')).toMatch(/--\s+start_debugging .* 0\n/);
    const together = ['monitor replay_seek 500', 'monitor when', 'stepi', 'monitor when', 'monitor reverse_step', 'monitor when'];
    const answers = await Promise.all(together.map((command) => gdb.ask(command)));
    expect([answers[1], answers[3], answers[5]]).toEqual(['500\n', '501\n', '500\n']);
    // There is no snapshot: the beginning and where gdb came are places to go back to.
    await gdb.ask('reverse-stepi');
    expect(await gdb.ask('monitor when')).toBe('499\n');
    await gdb.quit();
  });

  it('starts the program itself, and speaks to it through pipes', async () => {
    for (const [program, expected] of [
      [[MAIN, 'debug', join(RECORDINGS, 't2.rr'), ...recordedOptions('t2', 7, 'stdio'), '--gdb', 'stdio'], 'Replaying execution'],
      [[SYSTEM, '-m', '16', '-display', 'none', '-nodefaults', '-bios', join(RECORDINGS, 't2.bin'), '-S', '-gdb', 'stdio'], 'not active'],
    ] as const) {
      const gdb = new GdbProgram();
      await gdb.ask(`target remote | ${[process.execPath, ...program].join(' ')}`);
      expect(await gdb.value('$pc')).toBe(0xfff0);
      await gdb.ask('stepi 5');
      expect(await gdb.ask('monitor info replay')).toContain(expected);
      if (expected.startsWith('Replaying')) {
        await gdb.ask('continue');
        await gdb.ask('reverse-continue');
        expect(await gdb.ask('monitor when')).toBe('0\n');
      }
      await gdb.quit();
    }
  });

  it('comes again after another one, which leaves neither breakpoints nor anything of its own; two at a time are one too many', async () => {
    const port = await target('t3');
    const first = await attached(port);
    await first.ask('stepi 20');
    const pc = await first.value('$pc');
    await first.ask(`break *${pc}`);
    await first.ask('watch *(int *)0x9000');
    const second = new GdbProgram();
    expect(await second.ask(`target remote 127.0.0.1:${port}`)).toMatch(/another debugger is connected/);
    await second.quit();
    // Gone without a word: the machine stays where it is.
    first.kill();
    await first.ended;
    const third = await attached(port);
    expect(await third.value('$pc')).toBe(pc);
    expect(await third.ask('monitor info snapshots')).toMatch(/start_debugging .* 20\n/);
    expect(await third.ask('continue')).toMatch(/No more reverse-execution history/);
    await third.ask('monitor loadvm start_debugging');
    await third.ask('maintenance flush register-cache');
    expect([await third.value('$pc'), await third.ask('monitor when')]).toEqual([pc, '20\n']);
    await third.ask('reverse-stepi');
    expect(await third.ask('monitor when')).toBe('19\n');
    // It detaches, and the machine goes on: however far until the next one stops it.
    await third.quit();
    for (let when = 0; when <= 20; ) {
      const next = await attached(port);
      when = Number(await next.ask('monitor when'));
      await next.quit();
    }
  });

  it('sees memory as the processor does, or by physical addresses', async () => {
    const gdb = await attached(await target('t3'));
    await gdb.ask('hbreak *0xf0044');
    await gdb.ask('continue');
    await gdb.ask('stepi 200');
    const virtual = await gdb.ask('x/4xw 0x500000');
    await gdb.ask('maintenance packet Qqemu.PhyMemMode:1');
    expect(await gdb.ask('maintenance packet qqemu.PhyMemMode')).toContain('received: "1"');
    await gdb.ask('maintenance flush dcache');
    const physical = await gdb.ask('x/4xw 0x500000');
    expect(physical).toBe(
      (await gdb.ask('monitor xp /4xw 0x500000')).replaceAll(/^0*([0-9a-f]+): /gm, '0x$1:\t').replaceAll(/ 0x/g, '\t0x'),
    );
    await gdb.ask('maintenance packet Qqemu.PhyMemMode:0');
    await gdb.ask('maintenance flush dcache');
    expect(await gdb.ask('x/4xw 0x500000')).toBe(virtual);
    await gdb.quit();
  });
});
